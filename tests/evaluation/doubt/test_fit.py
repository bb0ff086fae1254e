"""Calibrations come from successes alone, and keep what they promise."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from bidden.brain.policy.uncertainty.meter import Reader
from bidden.core.errors import ConfigError
from bidden.evaluation.doubt.fit import (
    FitConfig,
    fit_calibration,
    largest_scores,
    read_values,
)
from bidden.evaluation.doubt.trail import Trail

AT_MOST = FitConfig(alpha=0.05)


@pytest.fixture
def trails(trail_of: Any) -> list[Trail]:
    return [trail_of(seed=700_000 + k) for k in range(40)]


def test_failures_are_not_learned_from(trails: list[Trail], trail_of: Any) -> None:
    bad = [trail_of(seed=5 + k, success=False, noise=1.0) for k in range(5)]
    alone, mixed = (
        fit_calibration(trails, AT_MOST),
        fit_calibration(trails + bad, AT_MOST),
    )
    assert mixed.bands == alone.bands
    assert mixed.maxima == alone.maxima
    assert (mixed.episodes, len(mixed.maxima)) == (45, 40)
    assert mixed.data != alone.data  # but the hash is of all


def test_what_is_worse_than_all_successes_ranks_highest(
    trails: list[Trail], trail_of: Any
) -> None:
    made = fit_calibration(trails, AT_MOST)
    wild = read_values(trail_of(seed=9, noise=3.0), made.novelty)
    every, acting = largest_scores(wild, made)
    assert made.uncertainty(every) > 0.97
    assert made.acting(acting) > 0.97


def test_held_out_successes_alarm_as_promised(
    trails: list[Trail], trail_of: Any
) -> None:
    """Of 80 new episodes like these, about one in five passes the bound of 0.2."""
    made = fit_calibration(trails, AT_MOST)
    ranks = []
    for k in range(80):
        values = read_values(trail_of(seed=710_000 + k), made.novelty)
        ranks.append(made.acting(largest_scores(values, made)[1]))
    assert np.mean(np.array(ranks) >= 0.8) == pytest.approx(0.2, abs=0.13)
    assert np.mean(np.array(ranks) >= 0.95) <= 0.15


def test_values_are_those_that_the_watch_sees(trails: list[Trail]) -> None:
    """The short cut of the fit and the reader of the run time agree."""
    made, trail = fit_calibration(trails, AT_MOST), trails[3]
    reader = Reader(made.novelty)
    reader.reset(trail.goals()[0])
    live = [reader.step(s.chunk, s.observation, s.view) for s in trail.steps()]
    assert np.allclose(live, read_values(trail, made.novelty).values)
    assert np.ptp(np.array(live)[:, -1]) > 0


def test_too_few_successes_are_refused(trails: list[Trail]) -> None:
    with pytest.raises(ConfigError, match="10 successes of 10 episodes"):
        fit_calibration(trails[:10], AT_MOST)
    with pytest.raises(ConfigError, match=r"to promise 0\.01 takes 99 or more"):
        fit_calibration(trails, FitConfig(alpha=0.01))


def test_trails_of_two_policies_are_refused(trails: list[Trail]) -> None:
    other = Trail(
        head=msgspec.structs.replace(trails[0].head, weights="v"),
        arrays=trails[0].arrays,
    )
    with pytest.raises(ConfigError, match="several policies or weights"):
        fit_calibration([*trails, other], AT_MOST)


def test_the_same_trails_make_the_same_file(trails: list[Trail]) -> None:
    assert fit_calibration(trails, AT_MOST) == fit_calibration(trails, AT_MOST)


def test_a_rare_skill_has_no_band_of_its_own(trails: list[Trail]) -> None:
    assert set(fit_calibration(trails, AT_MOST).bands) == {"", "walk_to"}
    assert fit_calibration(trails, AT_MOST).band("wave").goals == 40
