"""Measures doubt chunk by chunk: signals, what is unusual in them, and its rank."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from bidden.core.messages import ActionChunk, Array, Goal, Observation

from .calibration import COLUMNS, Calibration
from .conformal import Persistence, Pool
from .novelty import Novelty, describe
from .signals import POOL, SIGNALS, Signal, Signals
from .views import Glimpse

VIEW_POOL: Final = 3  # trailing mean over so many views
_POOLS: Final = (*(POOL[name] for name in SIGNALS), VIEW_POOL)
# Not signs of harm, but of a goal that comes to nothing: they are told, and no more
PROGRESS: Final = (
    Signal.MUTE, Signal.EMPTY, Signal.STALL, Signal.LATE, Signal.LOST, Signal.SHORT
)  # fmt: skip
_ACTING: Final = np.array([name not in PROGRESS for name in COLUMNS])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """How much doubt there is about one chunk.

    A rank is the share of successful episodes that never got so bad, 0..1.
    """

    score: float  # persistent widths above the usual, of all that is unusual
    uncertainty: float  # rank of the score: that the episode will fail
    worst: str  # name of the column that is most unusual
    acting_score: float  # the same without the signals of progress
    acting: float  # rank of that: that it is unsafe to act like this
    acting_worst: str  # name of the column that is most unusual in it


class Reader:
    """From chunks to pooled signals, with the strangeness of the view beside them."""

    def __init__(self, novelty: Novelty | None) -> None:
        self._novelty = novelty
        self._signals, self._pool = Signals(), Pool(_POOLS)

    def reset(self, goal: Goal) -> None:
        """A new goal begins."""
        self._signals.reset(goal)
        self._pool.reset()

    def step(
        self, chunk: ActionChunk, observation: Observation, view: Glimpse | None
    ) -> Array:
        """The values of one chunk in the order of `COLUMNS`, (K,)."""
        signals = self._signals.step(chunk, observation)
        strange = 0.0
        if view is not None and self._novelty is not None:
            strange = float(strangeness(self._novelty, describe(view)[None])[0])
        return self._pool.step(np.append(signals, strange))


def strangeness(novelty: Novelty, views: Array) -> Array:
    """How strange views are, (N,) from (N, D); a broken one may be 1000 off."""
    strange: Array = np.log1p(novelty.distance(views))
    return strange


@dataclass(slots=True)
class Grader:
    """From values to readings, by a calibration."""

    calibration: Calibration
    _persistence: dict[str, Persistence] = field(init=False)

    def __post_init__(self) -> None:
        c = self.calibration
        names = ("all", "acting")
        self._persistence = {name: Persistence(k=c.k, n=c.n) for name in names}

    def reset(self) -> None:
        """A new goal begins."""
        for each in self._persistence.values():
            each.reset()

    def step(self, values: Array, skill: str) -> Reading:
        """The reading for the values of one chunk."""
        c, over = self.calibration, self._persistence
        excess = c.band(skill).excess(values)
        score = over["all"].step(combine(excess))
        acting = over["acting"].step(combine(excess[_ACTING]))
        return Reading(
            score=score,
            uncertainty=c.uncertainty(score),
            worst=COLUMNS[int(np.argmax(excess))],
            acting_score=acting,
            acting=c.acting(acting),
            acting_worst=COLUMNS[int(np.argmax(np.where(_ACTING, excess, -np.inf)))],
        )


def combine(excess: Array) -> float:
    """One number for what is unusual: the two worst signals, added.

    Two that speak up together say more than one; tuned on 23 development episodes.
    """
    worst = np.sort(np.maximum(excess, 0.0))[-2:]  # NaN sorts last, and stays
    return float(np.sum(worst))


class Meter:
    """Reader and grader in one: what the watch uses. Not thread-safe."""

    def __init__(self, calibration: Calibration) -> None:
        self._reader = Reader(calibration.novelty)
        self._grader = Grader(calibration)

    def reset(self, goal: Goal) -> None:
        """A new goal begins."""
        self._reader.reset(goal)
        self._grader.reset()

    def step(
        self, chunk: ActionChunk, observation: Observation, view: Glimpse | None
    ) -> Reading:
        """The doubt about one chunk.

        Args:
            chunk: what the policy wants.
            observation: what it was made from.
            view: a glimpse of the main camera's image; None when there is none.
        """
        values = self._reader.step(chunk, observation, view)
        return self._grader.step(values, observation.goal.skill)
