"""From what is read in a prediction to chances that mean what they say.

Small additive models: each input bends the log-odds along straight pieces, and a
rising curve turns their sum into a probability. Fitted by
`python -m bidden.training.safety`, which writes `risk.json`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Final

import msgspec
import numpy as np

from bidden.core.errors import ConfigError
from bidden.core.messages import Array

SCHEMA: Final = 1
BEYOND: Final = 6.0  # spreads from the mean after which an input counts as no farther
Row = tuple[float, ...]


class ChanceData(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model, as it lies in the file."""

    inputs: tuple[str, ...]
    knots: tuple[Row, ...]  # where each input's pieces begin and end, (D, K)
    weights: tuple[Row, ...]  # log-odds that each piece adds, (D, K - 1)
    bias: float
    curve_at: Row  # log-odds
    curve: Row  # probability there
    figures: dict[str, float]  # on held-out seeds


class NetData(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A small network for log-odds, as it lies in the file."""

    inputs: tuple[str, ...]
    mean: Row  # of each input, (D,)
    scale: Row  # its spread, (D,)
    layers: tuple[tuple[Row, ...], ...]  # weights of each layer, inputs by outputs
    biases: tuple[Row, ...]


class RiskData(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of `risk.json`."""

    schema: int
    command: str  # that made it
    seed: int
    contact: ChanceData
    fall: ChanceData
    falling: tuple[NetData, ...]  # their mean speaks
    alarm: float  # log-odds of `falling` from which a fall is foreseen
    falling_figures: dict[str, float]  # on held-out seeds


class Chance:
    """A probability from a few numbers; holds constants only."""

    def __init__(self, data: ChanceData, inputs: tuple[str, ...]) -> None:
        _check_inputs(data.inputs, inputs)
        knots = np.array(data.knots)
        self._from, self._per = knots[:, :-1], 1.0 / np.diff(knots, axis=1)
        self._weights, self._bias = np.array(data.weights), data.bias
        self._at, self._curve = np.array(data.curve_at), np.array(data.curve)

    def score(self, x: Array) -> float:
        """Log-odds before the curve; not finite when an input is not."""
        pieces = np.minimum(np.maximum((x[:, None] - self._from) * self._per, 0.0), 1.0)
        return float(np.vdot(self._weights, pieces)) + self._bias

    def __call__(self, x: Array) -> float:
        """The probability; 1 when an input is not finite."""
        score = self.score(x)
        if not np.isfinite(score):
            return 1.0
        return float(np.interp(score, self._at, self._curve))


class Nets:
    """The mean log-odds of small networks of one shape, with tanh; constants only."""

    def __init__(self, data: Sequence[NetData], inputs: tuple[str, ...]) -> None:
        for one in data:
            _check_inputs(one.inputs, inputs)
        self._mean = np.array([one.mean for one in data])[:, None]  # (E, 1, D)
        self._per = 1.0 / np.array([one.scale for one in data])[:, None]
        depth = range(len(data[0].layers))
        self._layers = [np.array([one.layers[k] for one in data]) for k in depth]
        self._biases = [
            np.array([one.biases[k] for one in data])[:, None] for k in depth
        ]

    def scores(self, x: Array) -> Array:
        """Log-odds of each row of inputs, (N, D) to (N,); nan where an input is."""
        h = np.minimum(np.maximum((x - self._mean) * self._per, -BEYOND), BEYOND)
        for weights, bias in zip(self._layers[:-1], self._biases[:-1], strict=True):
            h = np.tanh(h @ weights + bias)
        odds: Array = (h @ self._layers[-1] + self._biases[-1])[..., 0].mean(axis=0)
        return odds

    def score(self, x: Array) -> float:
        """Log-odds; nan when an input is."""
        return float(self.scores(x[None])[0])


def _check_inputs(made_for: tuple[str, ...], given: tuple[str, ...]) -> None:
    if made_for != given:
        raise ConfigError(
            f"risk.json was made for inputs {made_for}, the code gives {given}; "
            "make it again: python -m bidden.training.safety"
        )


@cache
def load_risk() -> RiskData:
    """The fitted models, read once per process.

    Raises:
        ConfigError: the file is not one of this version.
    """
    text = resources.files("bidden.safety.foresight").joinpath("risk.json").read_bytes()
    try:
        data = msgspec.json.decode(text, type=RiskData)
    except msgspec.DecodeError as error:
        raise ConfigError(f"risk.json: {error}") from error
    if data.schema != SCHEMA:
        raise ConfigError(f"risk.json has schema {data.schema}, expected {SCHEMA}")
    return data
