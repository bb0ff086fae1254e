"""Counts with their confidence."""

from __future__ import annotations

import math

_Z95 = 1.959964  # two-sided 95 % quantile of the normal distribution


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a rate; (0, 1) when nothing was tried."""
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes in {trials} trials")
    if trials == 0:
        return 0.0, 1.0
    rate, z2 = successes / trials, _Z95**2 / trials
    middle = (rate + z2 / 2) / (1 + z2)
    half = _Z95 * math.sqrt(rate * (1 - rate) / trials + z2 / (4 * trials)) / (1 + z2)
    return max(0.0, middle - half), min(1.0, middle + half)
