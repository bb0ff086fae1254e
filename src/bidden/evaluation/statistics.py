"""Counts with their confidence."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

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


def auroc(scores: Sequence[float], labels: Sequence[bool]) -> float | None:
    """Chance that a labelled one scores above another; ties count half.

    None when all have the same label.
    """
    s, y = np.asarray(scores, float), np.asarray(labels, bool)
    above, below = s[y], s[~y]
    if not len(above) or not len(below):
        return None
    wins = above[:, None] > below[None]
    ties = above[:, None] == below[None]
    return float(np.mean(wins + 0.5 * ties))


def auroc_interval(
    scores: Sequence[float], labels: Sequence[bool], *, draws: int = 2000
) -> tuple[float, float]:
    """95 % interval of `auroc` by drawing the episodes again; (0, 1) when unknown."""
    rng = np.random.default_rng(0)
    s, y = np.asarray(scores, float), np.asarray(labels, bool)
    found = []
    for _ in range(draws):
        i = rng.integers(0, len(s), len(s)) if len(s) else np.array([], int)
        value = auroc(s[i].tolist(), y[i].tolist())
        if value is not None:
            found.append(value)
    if not found:
        return 0.0, 1.0
    low, high = np.quantile(found, (0.025, 0.975))
    return float(low), float(high)
