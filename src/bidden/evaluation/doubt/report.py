"""How well doubt foretells failure, and whether its promises hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from bidden.brain.policy.uncertainty import Calibration
from bidden.evaluation.household.report import Rate, rate
from bidden.evaluation.statistics import auroc, auroc_interval
from bidden.safety import Limits

from .fit import (
    FitConfig,
    blank_calibration,
    compare_views,
    fit_signs,
    grade,
    largest_scores,
    read_signs,
    read_values,
    successes,
)
from .trail import Trail
from .weakness import POLICY_WEAKNESSES, VIEW_WEAKNESSES

ALARM: Final = 0.05  # share of successes at which the failure score is an alarm
EARLY_CHUNKS: Final = 50  # the first 10 s of an episode
GROUPS: Final = ("nominal", "unseen", "view", "policy")


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """One episode with its scores; one line of the file of scores."""

    seed: int
    group: str  # one of GROUPS
    weakness: str
    strength: float
    skill: str
    failed: bool
    cause: str
    score: float  # largest of all chunks
    early: float  # largest of the first 10 s
    uncertainty: float  # rank of the score
    acting: float  # rank of the score without the signals of progress
    worst: str  # the signal that made it
    velocity: float  # largest wished speed over its limit: the peer's check
    seconds: float  # from the first chunk to the last
    alarm_s: float | None  # when uncertainty passed the bound of `ALARM`


class Separation(msgspec.Struct, frozen=True, kw_only=True):
    """How well scores tell failures from successes."""

    episodes: int
    failures: int
    auroc: float | None
    ci95: tuple[float, float]
    auroc_first_10s: float | None
    velocity_auroc: float | None


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """A promised rate of false alarms and the measured one."""

    promised: float
    held_out: Rate  # successes that were not learned from
    cross_validated: Rate  # all successes, each judged by others


def group_of(trail: Trail) -> str:
    """What was changed in an episode."""
    if trail.head.weakness in VIEW_WEAKNESSES:
        return "view"
    if trail.head.weakness in POLICY_WEAKNESSES:
        return "policy"
    named = {tuple(n.split()) for n in trail.head.record.named.values()}
    from bidden.adapters.sim.scene.catalog import HELD_OUT_PAIRS

    return "unseen" if named & HELD_OUT_PAIRS else "nominal"


def score_trail(trail: Trail, calibration: Calibration) -> Scored:
    """The scores of one episode."""
    values = read_values(trail, calibration.novelty)
    readings = grade(values, calibration)
    scores = [reading.score for reading in readings]
    top = int(np.argmax(scores)) if scores else 0
    record, stamps = trail.head.record, trail.arrays["stamp_ns"]
    alarms = [i for i, r in enumerate(readings) if not r.uncertainty < 1 - ALARM]
    return Scored(
        seed=record.seed,
        group=group_of(trail),
        weakness=trail.head.weakness,
        strength=trail.head.strength,
        skill=record.skill,
        failed=not record.success,
        cause=record.cause,
        score=round(max(scores, default=0.0), 4),
        early=round(max(scores[:EARLY_CHUNKS], default=0.0), 4),
        uncertainty=round(max((r.uncertainty for r in readings), default=0.0), 4),
        acting=round(max((r.acting for r in readings), default=0.0), 4),
        worst=readings[top].worst if readings else "",
        velocity=round(speed_share(trail), 4),
        seconds=float(stamps[-1] - stamps[0]) * 1e-9 if len(trail) else 0.0,
        alarm_s=float(stamps[alarms[0]] - stamps[0]) * 1e-9 if alarms else None,
    )


def speed_share(trail: Trail) -> float:
    """The velocity check that others ship: largest wished speed over its limit."""
    if not len(trail):
        return 0.0
    limits, actions = Limits(), trail.arrays["actions"].astype(float)
    period = trail.arrays["period_s"].astype(float)[:, None]
    top = [limits.base_forward, limits.base_sideways, limits.base_turn]
    base = np.abs(actions[:, :, :3]) / np.array(top)
    hand = np.linalg.norm(actions[:, :, 3:6], axis=2) / period / limits.hand_speed
    return float(max(base.max(), hand.max()))


def separate(scored: Sequence[Scored]) -> Separation:
    """How well the scores of some episodes tell failures."""
    failed = [s.failed for s in scored]
    scores = [s.score for s in scored]
    low, high = auroc_interval(scores, failed)
    return Separation(
        episodes=len(scored),
        failures=sum(failed),
        auroc=_round(auroc(scores, failed)),
        ci95=(round(low, 3), round(high, 3)),
        auroc_first_10s=_round(auroc([s.early for s in scored], failed)),
        velocity_auroc=_round(auroc([s.velocity for s in scored], failed)),
    )


class Ranks(msgspec.Struct, frozen=True, kw_only=True):
    """Largest ranks of one success."""

    uncertainty: float
    acting: float


def cross_validated_ranks(
    trails: Sequence[Trail], config: FitConfig, *, folds: int = 5
) -> list[Ranks]:
    """Largest ranks of every success, each by a calibration made without its fold."""
    good = successes(trails)
    signs = [read_signs(trail) for trail in good]
    blank = blank_calibration(good, config, "")
    order = np.random.default_rng(0).permutation(len(good))
    ranks = []
    for k in range(folds):
        out = set(order[k::folds].tolist())
        made = fit_signs([s for i, s in enumerate(signs) if i not in out], blank)
        for i in sorted(out):
            values = compare_views(signs[i], made.novelty)
            score, acting = largest_scores(values, made)
            ranks.append(
                Ranks(uncertainty=made.uncertainty(score), acting=made.acting(acting))
            )
    return ranks


def keep_promises(
    calibration: Calibration, held_out: Sequence[Ranks], crossed: Sequence[Ranks]
) -> dict[str, Promise]:
    """Promised and measured rates of false alarms.

    Args:
        calibration: what is promised.
        held_out: largest ranks of successes that were not learned from.
        crossed: those of all successes, by `cross_validated_ranks`.
    """

    def promise(name: str, alpha: float) -> Promise:
        measured = (
            _over([getattr(r, name) for r in ranks], 1 - alpha)
            for ranks in (held_out, crossed)
        )
        one, two = measured
        return Promise(promised=alpha, held_out=one, cross_validated=two)

    return {
        "held": promise("acting", calibration.alpha),
        "slowed": promise("acting", calibration.slow_alpha),
        "failure_alarm": promise("uncertainty", ALARM),
        "failure_warning": promise("uncertainty", calibration.slow_alpha),
    }


def _over(ranks: Sequence[float], bound: float) -> Rate:
    return rate(sum(not r < bound for r in ranks), len(ranks))


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
