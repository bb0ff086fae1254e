"""Promises from successes alone: pooling, persistence, ranks and bounds.

Conformal prediction: when a new episode is drawn like the calibration episodes, the
chance that its largest score passes the bound is at most alpha, whatever the scores'
distribution is. The unit is a whole episode, as the steps of one are not independent.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np

from bidden.core.messages import Array


@dataclass(slots=True, kw_only=True)
class Persistence:
    """How much `k` of the last `n` values reached; 0 until there are `k`."""

    k: int
    n: int
    _last: deque[float] = field(default_factory=deque)

    def reset(self) -> None:
        """Forget the values before."""
        self._last.clear()

    def step(self, value: float) -> float:
        """Take one value (NaN counts as infinite); the k-th largest of the last n."""
        self._last.append(value if value >= -math.inf else math.inf)
        if len(self._last) > self.n:
            self._last.popleft()
        if len(self._last) < self.k:
            return 0.0
        return sorted(self._last, reverse=True)[self.k - 1]


@dataclass(slots=True)
class Pool:
    """Trailing means of several signals, each over its own number of values."""

    counts: tuple[int, ...]
    _last: deque[Array] = field(default_factory=deque)

    def reset(self) -> None:
        """Forget the values before."""
        self._last.clear()

    def step(self, values: Array) -> Array:
        """Take one vector (K,); the mean of each signal over its window, (K,)."""
        self._last.append(values)
        if len(self._last) > max(self.counts):
            self._last.popleft()
        past = np.array(self._last)
        return np.array([past[-n:, k].mean() for k, n in enumerate(self.counts)])


def conformal_bound(maxima: Array, alpha: float) -> float:
    """The bound that a new success passes with a chance of at most alpha.

    Args:
        maxima: largest score of each calibration episode, (N,).
        alpha: promised rate, within 0 and 1.

    Returns:
        Infinity when there are too few episodes for so small a rate.
    """
    n = len(maxima)
    k = math.ceil((n + 1) * (1 - alpha) - 1e-9)
    if not 1 <= k <= n:
        return math.inf
    return float(np.sort(maxima)[k - 1])


def rank(score: float, maxima: Array) -> float:
    """Share of successful episodes that never got as bad as this, 0..1.

    One less the conformal p-value, so that `rank > 1 - alpha` and "above the bound of
    alpha" are the same.

    Args:
        score: the present one; NaN counts as worse than all.
        maxima: largest score of each calibration episode, ascending, (N,).
    """
    n = len(maxima)
    if not score >= -math.inf:
        return n / (n + 1)
    below = int(np.searchsorted(maxima, score, side="left"))
    return below / (n + 1)
