"""Figures of the failure score on trails whose outcome we choose."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bidden.evaluation.doubt.fit import FitConfig, fit_calibration
from bidden.evaluation.doubt.report import (
    Ranks,
    cross_validated_ranks,
    group_of,
    keep_promises,
    score_trail,
    separate,
    speed_share,
)
from bidden.evaluation.doubt.trail import Trail

AT_MOST = FitConfig(alpha=0.05)


@pytest.fixture
def trails(trail_of: Any) -> list[Trail]:
    return [trail_of(seed=700_000 + k) for k in range(25)]


def test_wild_failures_score_above_calm_successes(
    trails: list[Trail], trail_of: Any
) -> None:
    made = fit_calibration(trails, AT_MOST)
    calm = [score_trail(trail_of(seed=800 + k), made) for k in range(6)]
    wild = [
        score_trail(trail_of(seed=k, success=False, noise=3.0, steps=60), made)
        for k in range(4)
    ]
    found = separate([*calm, *wild])
    assert (found.episodes, found.failures) == (10, 4)
    assert found.auroc == 1
    assert found.auroc_first_10s == 1
    assert found.ci95[1] == 1
    assert all(s.alarm_s is not None and s.alarm_s < s.seconds for s in wild)
    assert wild[0].worst in ("jump", "disagreement", "drag", "reversal")


def test_without_failures_nothing_is_separated(trails: list[Trail]) -> None:
    made = fit_calibration(trails, AT_MOST)
    found = separate([score_trail(t, made) for t in trails])
    assert (found.auroc, found.velocity_auroc, found.ci95) == (None, None, (0, 1))
    assert separate([]).episodes == 0


def test_an_episode_without_chunks_scores_nothing(trails: list[Trail]) -> None:
    empty = Trail(head=trails[0].head, arrays={"stamp_ns": np.zeros(0, np.int64)})
    scored = score_trail(empty, fit_calibration(trails, AT_MOST))
    assert (scored.score, scored.velocity, scored.alarm_s) == (0, 0, None)


def test_the_velocity_check_is_a_share_of_the_limit(trail_of: Any) -> None:
    trail = trail_of(noise=0.0)
    actions = trail.arrays["actions"].copy()
    actions[3, 2, 2] = -0.45  # rad/s of 0.9
    assert speed_share(replace(trail, arrays={**trail.arrays, "actions": actions})) == (
        pytest.approx(0.5)
    )
    actions[5, 1, 3:6] = 0.09  # m in 0.1 s: 1.56 m/s of 1 m/s
    assert speed_share(replace(trail, arrays={**trail.arrays, "actions": actions})) == (
        pytest.approx(0.9 * np.sqrt(3))
    )


@pytest.mark.parametrize(
    ("weakness", "named", "group"),
    [
        ("noise", {}, "policy"),
        ("dark", {}, "view"),
        ("", {"object": "red ball"}, "unseen"),
        ("", {"object": "red cube"}, "nominal"),
        ("", {"landmark": "door"}, "nominal"),
    ],
)
def test_groups(
    trail_of: Any, weakness: str, named: dict[str, str], group: str
) -> None:
    import msgspec

    trail = trail_of(weakness=weakness)
    record = msgspec.structs.replace(trail.head.record, named=named)
    head = msgspec.structs.replace(trail.head, record=record)
    assert group_of(replace(trail, head=head)) == group


def test_promises_are_counted(trails: list[Trail]) -> None:
    made = fit_calibration(trails, AT_MOST)
    crossed = cross_validated_ranks(trails, AT_MOST, folds=5)
    assert len(crossed) == 25
    ranks = [Ranks(uncertainty=0.0, acting=a) for a in (0.1, 0.85, 0.96, float("nan"))]
    found = keep_promises(made, ranks, crossed)
    assert (found["held"].promised, found["slowed"].promised) == (0.05, 0.2)
    assert found["failure_alarm"].held_out.success == 0
    assert found["held"].held_out.success == 0.5  # no number is an alarm
    assert found["slowed"].held_out.success == 0.75
    assert found["slowed"].cross_validated.n == 25
