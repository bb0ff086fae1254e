"""Wilson's interval against published values."""

import numpy as np
import pytest

from bidden.evaluation.statistics import auroc, auroc_interval, wilson


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, table 1
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (20, 20, 0.8389, 1.0),
    ],
)
def test_wilson_agrees_with_newcombe(
    successes: int, trials: int, low: float, high: float
) -> None:
    assert wilson(successes, trials) == pytest.approx((low, high), abs=5e-5)


def test_nothing_tried_says_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_more_successes_than_trials_is_refused() -> None:
    with pytest.raises(ValueError, match="3 successes in 2 trials"):
        wilson(3, 2)


def test_auroc_counts_pairs() -> None:
    assert auroc([1, 2, 3, 4], [False, False, True, True]) == 1
    assert auroc([1, 2, 3, 4], [True, True, False, False]) == 0
    assert auroc([1, 1, 1], [True, False, False]) == 0.5
    assert auroc([1, 3, 2], [False, True, True]) == 1
    assert auroc([3, 1, 2], [False, True, True]) == 0
    assert auroc([1, 2], [True, True]) is None
    assert auroc([], []) is None


def test_auroc_interval_holds_the_value_and_shrinks() -> None:
    rng = np.random.default_rng(0)

    def interval(n: int) -> tuple[float, float]:
        labels = np.arange(n) % 2 == 0
        scores = rng.normal(size=n) + labels
        return auroc_interval(scores.tolist(), labels.tolist(), draws=300)

    small, large = interval(20), interval(400)
    assert small[0] < 0.76 < small[1]
    assert large[0] < 0.76 < large[1]
    assert large[1] - large[0] < small[1] - small[0]
    assert auroc_interval([], []) == (0, 1)
