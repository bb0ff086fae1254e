"""Makes a calibration from trails: successes alone, each judged by the others."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from bidden import __version__
from bidden.brain.policy.uncertainty.calibration import (
    ANY_SKILL,
    COLUMNS,
    VIEW,
    Band,
    Calibration,
)
from bidden.brain.policy.uncertainty.meter import (
    VIEW_POOL,
    Grader,
    Reader,
    Reading,
    strangeness,
)
from bidden.brain.policy.uncertainty.novelty import (
    VIEW_NUMBERS,
    Novelty,
    describe,
    fit_novelty,
)
from bidden.brain.policy.uncertainty.signals import Signal
from bidden.core.errors import ConfigError
from bidden.core.messages import Array

from .trail import Trail

FOLDS: Final = 10
LEAST_SUCCESSES: Final = 20  # below, a calibration promises nothing worth having
LEAST_GOALS: Final = 12  # of a skill, for a band of its own
# Least width of a band: what is too small to mean anything, however steady it is
_LEAST_WIDTH: Final = {
    Signal.REVERSAL: 0.3, Signal.DISAGREEMENT: 0.3, Signal.JUMP: 0.4,
    Signal.SPREAD: 1.0, Signal.SATURATION: 0.05, Signal.DRAG: 0.3, Signal.REACH: 0.02,
    Signal.UNSURE: 0.2, Signal.WANDER: 0.1, Signal.MUTE: 0.2, Signal.EMPTY: 0.2,
    Signal.STALL: 3.0, Signal.LATE: 5.0, Signal.LOST: 2.0, Signal.SHORT: 0.1,
    VIEW: 0.3,
}  # fmt: skip
_WIDTHS: Final = np.array([_LEAST_WIDTH[name] for name in COLUMNS])


class FitConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is promised, and how persistent doubt must be."""

    alpha: float = 0.02  # share of successful episodes that may be held
    slow_alpha: float = 0.2  # share that may be slowed: the threshold of 0.8
    k: int = 3  # chunks of the last n
    n: int = 5  # 1 s at 5 Hz

    def __post_init__(self) -> None:
        if not 0 < self.alpha <= self.slow_alpha < 1:
            raise ConfigError(
                "rates must be 0 < alpha <= slow_alpha < 1, got "
                f"{self.alpha} and {self.slow_alpha}"
            )
        if not 1 <= self.k <= self.n:
            raise ConfigError(f"1 <= k <= n, got {self.k} of {self.n}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Values:
    """The values of one episode: what does not depend on bands."""

    values: Array  # (T, K)
    goal: Array  # number of the goal of each chunk, (T,)
    skills: tuple[str, ...]  # of the goals

    def goal_maxima(self) -> list[tuple[str, Array]]:
        """Skill and largest values of each goal that had a chunk."""
        return [
            (self.skills[g], self.values[self.goal == g].max(0))
            for g in range(len(self.skills))
            if np.any(self.goal == g)
        ]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Signs:
    """All of an episode that is slow to compute, and depends on no calibration."""

    values: Array  # pooled signals; the column of the view is 0, (T, K)
    views: Array  # described views, NaN where there was no image, (T, D)
    goal: Array  # number of the goal of each chunk, (T,)
    skills: tuple[str, ...]  # of the goals

    def seen(self) -> Array:
        """The views that there were, (N, D)."""
        rows: Array = self.views[np.isfinite(self.views).all(1)]
        return rows


def read_signs(trail: Trail) -> Signs:
    """What a reader without novelty makes of a trail."""
    reader, goals = Reader(None), trail.goals()
    blank = np.full(VIEW_NUMBERS, np.nan)
    at, rows, views, numbers = -1, [], [], []
    for step in trail.steps():
        while at < step.goal:
            at += 1
            reader.reset(goals[at])
        rows.append(reader.step(step.chunk, step.observation, None))
        views.append(blank if step.view is None else describe(step.view))
        numbers.append(at)
    return Signs(
        values=np.array(rows).reshape(-1, len(COLUMNS)),
        views=np.array(views).reshape(-1, VIEW_NUMBERS),
        goal=np.array(numbers, int),
        skills=tuple(str(goal.skill) for goal in goals),
    )


def compare_views(signs: Signs, novelty: Novelty | None) -> Values:
    """The values that a reader with this novelty would give."""
    values, strange = signs.values.copy(), np.zeros(len(signs.goal))
    has = np.isfinite(signs.views).all(1)
    if novelty is not None and has.any():
        strange[has] = strangeness(novelty, signs.views[has])
    for goal in np.unique(signs.goal):
        rows = np.flatnonzero(signs.goal == goal)
        for i in range(len(rows)):
            recent = rows[max(0, i + 1 - VIEW_POOL) : i + 1]
            values[rows[i], -1] = strange[recent].mean()
    return Values(values=values, goal=signs.goal, skills=signs.skills)


def read_values(trail: Trail, novelty: Novelty | None) -> Values:
    """What a reader makes of a trail."""
    return compare_views(read_signs(trail), novelty)


def grade(values: Values, calibration: Calibration) -> list[Reading]:
    """The reading of every chunk of an episode."""
    grader, at, readings = Grader(calibration), -1, []
    for row, number in zip(values.values, values.goal, strict=True):
        if number != at:
            at = number
            grader.reset()
        readings.append(grader.step(row, values.skills[at]))
    return readings


def largest_scores(values: Values, calibration: Calibration) -> tuple[float, float]:
    """The scores of an episode, of all and of acting: the largest of its chunks."""
    readings = grade(values, calibration)
    return (
        max((r.score for r in readings), default=0.0),
        max((r.acting_score for r in readings), default=0.0),
    )


def fit_bands(episodes: Sequence[Values]) -> dict[str, Band]:
    """Bands of each skill that was seen often enough, and one for all others."""
    by_skill: dict[str, list[Array]] = {ANY_SKILL: []}
    for episode in episodes:
        for skill, maxima in episode.goal_maxima():
            by_skill[ANY_SKILL].append(maxima)
            by_skill.setdefault(skill, []).append(maxima)
    return {
        skill: _band(np.array(maxima))
        for skill, maxima in by_skill.items()
        if skill == ANY_SKILL or len(maxima) >= LEAST_GOALS
    }


def _band(maxima: Array) -> Band:
    usual, high = np.quantile(maxima, (0.5, 0.9), axis=0)
    width = np.maximum(high - usual, _WIDTHS)
    return Band(goals=len(maxima), usual=_short(usual), width=_short(width))


def fit_calibration(
    trails: Sequence[Trail],
    config: FitConfig | None = None,
    *,
    made_by: str = "",
) -> Calibration:
    """A calibration from the successes among some trails of one policy.

    Each success is scored with the views and bands of the other folds, so that the
    maxima are those of episodes that were not learned from.

    Raises:
        ConfigError: too few successes, or trails of several policies.
    """
    config = config or FitConfig()
    good = successes(trails)
    _check(trails, good, config)
    signs = [read_signs(trail) for trail in good]
    return fit_signs(signs, blank_calibration(trails, config, made_by))


def successes(trails: Sequence[Trail]) -> list[Trail]:
    """The trails that a calibration learns from."""
    return [t for t in trails if t.head.record.success and len(t)]


def fit_signs(signs: Sequence[Signs], blank: Calibration) -> Calibration:
    """Fill in bands, novelty and maxima.

    Args:
        signs: of the successes.
        blank: a calibration with all the rest.
    """
    folds = [np.arange(len(signs)) % FOLDS == f for f in range(FOLDS)]
    views = [each.seen() for each in signs]
    values: list[Values | None] = [None] * len(signs)
    for fold in folds:
        novelty = _novelty([v for v, out in zip(views, fold, strict=True) if not out])
        for i in np.flatnonzero(fold).tolist():
            values[i] = compare_views(signs[i], novelty)
    known = [v for v in values if v is not None]
    maxima: list[tuple[float, float]] = []
    for fold in folds:
        bands = fit_bands([v for v, out in zip(known, fold, strict=True) if not out])
        judge = msgspec.structs.replace(blank, bands=bands)
        maxima += [largest_scores(known[i], judge) for i in np.flatnonzero(fold)]
    every, acting = np.sort(np.array(maxima), axis=0).T
    return msgspec.structs.replace(
        blank,
        bands=fit_bands(known),
        novelty=_novelty(views),
        maxima=_short(every),
        acting_maxima=_short(acting),
    )


def _novelty(views: list[Array]) -> Novelty | None:
    seen = [v for v in views if len(v)]
    return fit_novelty(seen) if len(seen) >= 2 else None


def _check(trails: Sequence[Trail], good: Sequence[Trail], config: FitConfig) -> None:
    whose = {(t.head.policy, t.head.weights) for t in trails}
    if len(whose) > 1:
        raise ConfigError(
            f"trails of several policies or weights: {', '.join(map(str, whose))}"
        )
    least = max(LEAST_SUCCESSES, round(1 / config.alpha) - 1)
    if len(good) < least:
        raise ConfigError(
            f"{len(good)} successes of {len(trails)} episodes; to promise "
            f"{config.alpha:g} takes {least} or more: play more with --episodes"
        )


def blank_calibration(
    trails: Sequence[Trail], config: FitConfig, made_by: str
) -> Calibration:
    """One without bands and maxima of its own yet."""
    seeds = [t.head.record.seed for t in trails]
    no_maxima = (0.0,) * round(1 / config.alpha)
    none = Band(goals=0, usual=(0.0,) * len(COLUMNS), width=(1.0,) * len(COLUMNS))
    return Calibration(
        policy=trails[0].head.policy,
        weights=trails[0].head.weights,
        data=_digest(trails),
        seeds=(min(seeds), max(seeds)),
        episodes=len(trails),
        maxima=no_maxima,
        acting_maxima=no_maxima,
        alpha=config.alpha,
        slow_alpha=config.slow_alpha,
        k=config.k,
        n=config.n,
        columns=COLUMNS,
        bands={ANY_SKILL: none},
        novelty=None,
        made_by=made_by,
        version=__version__,
    )


def _digest(trails: Sequence[Trail]) -> str:
    """One hash over all that the trails hold."""
    digest = hashlib.sha256()
    for trail in trails:
        digest.update(msgspec.json.encode(trail.head))
        arrays: Mapping[str, np.ndarray] = trail.arrays
        for name in sorted(arrays):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()


def _short(values: Array) -> tuple[float, ...]:
    return tuple(float(f"{v:.6g}") for v in values)
