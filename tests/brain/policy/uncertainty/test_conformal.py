"""The promise holds for any distribution; ranks, bounds and windows agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidden.brain.policy.uncertainty.conformal import (
    Persistence,
    Pool,
    conformal_bound,
    rank,
)


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_false_alarms_are_as_promised(alpha: float) -> None:
    """A heavy tail, calibrated anew each time: the mean rate is the promised one."""
    rng = np.random.default_rng(0)
    rates = []
    for _ in range(400):
        maxima = rng.standard_cauchy(79) ** 2
        bound = conformal_bound(maxima, alpha)
        rates.append(np.mean(rng.standard_cauchy(200) ** 2 > bound))
    assert np.mean(rates) == pytest.approx(alpha, abs=0.01)


def test_too_few_episodes_promise_nothing() -> None:
    assert conformal_bound(np.arange(18.0), 0.05) == np.inf
    assert conformal_bound(np.arange(19.0), 0.05) == 18


@given(
    st.lists(st.floats(0, 10), min_size=20, max_size=60),
    st.floats(0, 12),
    st.sampled_from([0.05, 0.1, 0.2, 0.5]),
)
def test_rank_and_bound_fire_together(
    maxima: list[float], score: float, alpha: float
) -> None:
    ordered = np.sort(maxima)
    above = score > conformal_bound(ordered, alpha)
    assert above == (rank(score, ordered) >= 1 - alpha - 1e-12)


def test_nan_is_worse_than_all() -> None:
    assert rank(np.nan, np.arange(19.0)) == 0.95
    assert rank(np.inf, np.arange(19.0)) == 0.95
    assert rank(-1.0, np.arange(19.0)) == 0


def test_persistence_needs_k_of_n() -> None:
    over = Persistence(k=3, n=5)
    assert [over.step(v) for v in (9.0, 9.0, 0.0, 0.0, 5.0)] == [0, 0, 0, 0, 5]
    assert over.step(1.0) == 1  # one nine has left the window
    over.reset()
    assert over.step(9.0) == 0


def test_persistence_counts_nan_as_no_proof_of_calm() -> None:
    over = Persistence(k=2, n=3)
    over.step(np.nan)
    over.step(0.0)
    assert over.step(np.nan) == np.inf


def test_pool_is_a_trailing_mean_of_each() -> None:
    pool = Pool((1, 2, 10))
    pool.step(np.array([1.0, 1.0, 1.0]))
    assert pool.step(np.array([4.0, 4.0, 4.0])).tolist() == [4, 2.5, 2.5]
    assert pool.step(np.array([1.0, 1.0, 1.0])).tolist() == [1, 2.5, 2]
    pool.reset()
    assert pool.step(np.array([7.0, 7.0, 7.0])).tolist() == [7, 7, 7]
