"""What a policy is like when all goes well: the file that `bidden calibrate` makes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from bidden.core.errors import ModelError
from bidden.core.messages import Array

from .conformal import rank
from .novelty import Novelty
from .signals import SIGNALS

SCHEMA: Final = 1
VIEW: Final = "view"  # name of the column that follows those of the signals
COLUMNS: Final = (*map(str, SIGNALS), VIEW)
ANY_SKILL: Final = ""  # key of the band for skills that are not calibrated
SHIPPED: Final = Path(__file__).parents[3] / "weights"


class Band(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the signals of one skill reach in goals that went well."""

    goals: int  # how many it was learned from
    usual: tuple[float, ...]  # median of the goals' maxima, in the order of `columns`
    width: tuple[float, ...]  # from there to what one goal in ten passes

    def excess(self, values: Array) -> Array:
        """How many widths above the usual, (K,)."""
        over: Array = (values - np.array(self.usual)) / np.array(self.width)
        return over


class Calibration(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """Bands, ranks and what a view is compared with, for one policy."""

    schema: int = SCHEMA
    policy: str
    weights: str  # what `weights_of` says of the policy; "none" where there are none
    data: str  # sha256 over the trails that it was made from
    seeds: tuple[int, int]  # first, last episode
    episodes: int  # that were played
    maxima: tuple[float, ...]  # largest score of each success, ascending
    acting_maxima: tuple[float, ...]  # the same without the signals of progress
    alpha: float  # share of successes that may be stopped
    slow_alpha: float  # share of successes that may be slowed
    k: int  # of the last n chunks must be over a bound
    n: int
    columns: tuple[str, ...]
    bands: dict[str, Band]  # by skill; "" for all others
    novelty: Novelty | None  # None when there were no images
    made_by: str  # command that makes it again
    version: str  # of the program that made it

    def __post_init__(self) -> None:
        if self.schema != SCHEMA:
            raise ValueError(f"schema {self.schema}, this program reads {SCHEMA}")
        if self.columns != COLUMNS:
            raise ValueError(f"signals {self.columns}, this program has {COLUMNS}")
        if not 0 < self.alpha <= self.slow_alpha < 1:
            raise ValueError(
                f"0 < alpha <= slow_alpha < 1, got {self.alpha} and {self.slow_alpha}"
            )
        if not 1 <= self.k <= self.n:
            raise ValueError(f"1 <= k <= n, got {self.k} of {self.n}")
        if ANY_SKILL not in self.bands:
            raise ValueError("the band for skills that are not calibrated is missing")
        for skill, band in self.bands.items():
            _check_band(skill, band)
        _check_maxima(self.maxima, self.acting_maxima, alpha=self.alpha)

    def band(self, skill: str) -> Band:
        """The band of a skill."""
        return self.bands.get(skill, self.bands[ANY_SKILL])

    def uncertainty(self, score: float) -> float:
        """Share of successes that never got so bad a score, 0..1."""
        return rank(score, np.array(self.maxima))

    def acting(self, score: float) -> float:
        """Share of successes whose acting never got so bad a score, 0..1."""
        return rank(score, np.array(self.acting_maxima))

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.encode(self) + b"\n")

    @staticmethod
    def load(path: Path) -> Calibration:
        """Read a calibration.

        Raises:
            ModelError: missing file, unknown key or wrong value.
        """
        try:
            return msgspec.json.decode(path.read_bytes(), type=Calibration)
        except OSError as error:
            raise ModelError(
                f"no calibration at {path} ({error.strerror}); "
                "make one with `bidden calibrate`"
            ) from None
        except (msgspec.MsgspecError, ValueError) as error:
            raise ModelError(f"bad calibration {path}: {error}") from None


def _check_maxima(
    every: tuple[float, ...], acting: tuple[float, ...], *, alpha: float
) -> None:
    if not len(every) + 1 >= 1 / alpha:
        raise ValueError(
            f"{len(every)} successes cannot promise {alpha}: "
            f"it takes {round(1 / alpha) - 1}"
        )
    if len(every) != len(acting):
        raise ValueError("maxima and acting_maxima must be of the same successes")
    for numbers in (np.array(every), np.array(acting)):
        if not (np.isfinite(numbers).all() and (np.diff(numbers) >= 0).all()):
            raise ValueError("maxima must be finite and ascending")


def _check_band(skill: str, band: Band) -> None:
    numbers = np.array([band.usual, band.width])
    if numbers.shape != (2, len(COLUMNS)):
        raise ValueError(f"band '{skill}' must have {len(COLUMNS)} numbers")
    if not (np.isfinite(numbers).all() and (numbers[1] > 0).all()):
        raise ValueError(f"band '{skill}' must be finite, its widths above 0")


def shipped_calibrations(policy: str) -> tuple[Path, ...]:
    """Where the calibrations of a policy lie that are shipped, one for each weights."""
    files = SHIPPED.glob("*_doubt*.json")
    return tuple(sorted(f for f in files if f.name.startswith(f"{policy}_doubt")))
