"""Chances: pieces, curve, and the file that they come from."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from bidden.core.errors import ConfigError
from bidden.safety.foresight import risk as module
from bidden.safety.foresight.falls import FALLING_INPUTS
from bidden.safety.foresight.features import CONTACT_INPUTS, FALL_INPUTS
from bidden.safety.foresight.risk import (
    Chance,
    ChanceData,
    NetData,
    Nets,
    RiskData,
    load_risk,
)

SMALL = ChanceData(
    inputs=("near", "fast"),
    knots=((0.0, 0.1, 0.3), (1.0, 2.0, 4.0)),
    weights=((-2.0, -1.0), (0.5, 1.5)),
    bias=1.0,
    curve_at=(-2.0, 0.0, 2.0),
    curve=(0.0, 0.4, 1.0),
    figures={},
)


@pytest.mark.parametrize(
    ("x", "score"),
    [
        ((-1.0, 0.0), 1.0),
        ((0.05, 0.0), 0.0),
        ((0.2, 0.0), -1.5),
        ((9.0, 0.0), -2.0),
        ((9.0, 9.0), 0.0),
        ((9.0, 3.0), -2.0 + 0.5 + 0.75),
    ],
)
def test_each_input_bends_the_score_along_its_pieces(
    x: tuple[float, float], score: float
) -> None:
    assert Chance(SMALL, SMALL.inputs).score(np.array(x)) == pytest.approx(score)


@pytest.mark.parametrize(
    ("x", "p"), [((-1.0, 0.0), 0.7), ((0.05, 0.0), 0.4), ((9.0, 0.0), 0.0)]
)
def test_the_curve_makes_it_a_probability(x: tuple[float, float], p: float) -> None:
    assert Chance(SMALL, SMALL.inputs)(np.array(x)) == pytest.approx(p)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_a_number_is_certain_harm(bad: float) -> None:
    chance = Chance(SMALL, SMALL.inputs)
    if np.isnan(bad):
        assert chance(np.array([bad, 0.0])) == 1.0
    else:  # farther or nearer than all knots: a number after all
        assert 0.0 <= chance(np.array([bad, 0.0])) <= 1.0


def test_a_network_is_tanh_between_layers() -> None:
    data = NetData(
        inputs=("a", "b"),
        mean=(1.0, 0.0),
        scale=(2.0, 1.0),
        layers=(((1.0, 0.0), (0.0, 2.0)), ((3.0,), (-1.0,))),
        biases=((0.1, 0.0), (0.5,)),
    )
    net = Nets([data], ("a", "b"))
    want = 3 * np.tanh(1.0 + 0.1) - np.tanh(2 * 0.3) + 0.5
    assert net.score(np.array([3.0, 0.3])) == pytest.approx(want)
    edge = 3 * np.tanh(6.0 + 0.1) - np.tanh(12.0) + 0.5  # far is no farther than 6
    assert net.score(np.array([1e9, 1e9])) == pytest.approx(edge)
    assert np.isnan(net.score(np.array([np.nan, 0.0])))
    other = msgspec.structs.replace(data, biases=((0.1, 0.0), (1.5,)))
    both = Nets([data, other], ("a", "b"))
    assert both.score(np.array([3.0, 0.3])) == pytest.approx(want + 0.5)
    with pytest.raises(ConfigError, match="make it again"):
        Nets([data], ("a", "c"))


def test_a_model_of_other_inputs_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"make it again: python -m bidden\.training"):
        Chance(SMALL, ("near", "slow"))


def test_the_shipped_file_fits_the_code_and_is_sane() -> None:
    data = load_risk()
    Nets(data.falling, FALLING_INPUTS)
    for chance, names in (
        (data.contact, CONTACT_INPUTS),
        (data.fall, FALL_INPUTS),
    ):
        Chance(chance, names)
        assert all(np.all(np.diff(row) > 0) for row in chance.knots)
        assert np.all(np.diff(chance.curve) >= 0)
        assert 0.0 <= chance.curve[0] <= chance.curve[-1] <= 1.0
    assert np.isfinite(data.alarm)
    assert "bidden.training.safety" in data.command


def test_nearer_is_never_safer_in_the_shipped_model() -> None:
    data = load_risk().contact
    rows = dict(zip(data.inputs, data.weights, strict=True))
    speeds = ("wish_excess", "hand_speed", "hand_lag", "unrest")
    assert all(w >= 0 for name in speeds for w in rows.pop(name))
    assert all(w <= 0 for row in rows.values() for w in row)


@pytest.mark.parametrize(
    ("text", "message"),
    [(b"{}", "missing required field"), (b"{", "truncated"), (None, "schema 2")],
)
def test_another_file_is_refused(
    text: bytes | None,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    risk: RiskData,
) -> None:
    if text is None:
        text = msgspec.json.encode(msgspec.structs.replace(risk, schema=2))
    (tmp_path / "risk.json").write_bytes(text)
    monkeypatch.setattr(module.resources, "files", lambda name: tmp_path)
    load_risk.cache_clear()
    try:
        with pytest.raises(ConfigError, match=message):
            load_risk()
    finally:
        load_risk.cache_clear()
