"""Small fits in numpy: logistic with signs, isotonic steps, calibration errors."""

from __future__ import annotations

from typing import Final

import numpy as np

from bidden.core.messages import Array

_ROUNDS: Final = 4000
_STEPS_LEAST: Final = 12  # samples under one step of the isotonic curve


def fit_logistic(
    x: Array, y: Array, *, ridge: float, signs: Array | None = None
) -> tuple[Array, float]:
    """Weights and bias of a logistic model, by accelerated projected gradient.

    Args:
        x: inputs, (N, D), of size about 1.
        y: labels 0 or 1, (N,); weights are even.
        ridge: penalty on the squared weights, per sample.
        signs: +1 or -1 where a weight must have that sign, 0 where it is free, (D,).
    """
    n, d = x.shape
    X = np.column_stack([x, np.ones(n)])
    rate = 1.0 / (0.25 * np.linalg.norm(X, 2) ** 2 / n + ridge)
    signs = np.append(np.zeros(d) if signs is None else signs, 0.0)
    low = np.where(signs > 0, 0.0, -np.inf)
    high = np.where(signs < 0, 0.0, np.inf)
    w = np.zeros(d + 1)
    w[-1] = np.log((y.mean() + 1e-6) / (1 - y.mean() + 1e-6))
    ahead, t = w.copy(), 1.0
    keep = np.append(np.full(d, ridge), 0.0)
    for _ in range(_ROUNDS):
        p = 1.0 / (1.0 + np.exp(-np.clip(X @ ahead, -40, 40)))
        step = ahead - rate * (X.T @ (p - y) / n + keep * ahead)
        step = np.minimum(np.maximum(step, low), high)
        faster = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * t * t))
        ahead = step + (t - 1.0) / faster * (step - w)
        w, t = step, faster
    return w[:-1], float(w[-1])


def fit_isotonic(score: Array, y: Array) -> tuple[Array, Array]:
    """A rising curve of probability over score: knots (K,) and values (K,)."""
    order = np.argsort(score, kind="stable")
    groups = [
        [float(y[part].mean()), float(len(part)), float(score[part].mean())]
        for part in np.array_split(order, max(1, len(order) // _STEPS_LEAST))
    ]
    pooled: list[list[float]] = []
    for mean, count, at in groups:
        pooled.append([mean, count, at])
        while len(pooled) > 1 and pooled[-2][0] >= pooled[-1][0]:
            m2, n2, a2 = pooled.pop()
            m1, n1, a1 = pooled.pop()
            n = n1 + n2
            pooled.append([(m1 * n1 + m2 * n2) / n, n, (a1 * n1 + a2 * n2) / n])
    value = np.array([(m * n + 0.1) / (n + 0.5) for m, n, _ in pooled])
    return np.array([a for _, _, a in pooled]), np.maximum.accumulate(value)


def calibration(
    p: Array, y: Array, *, bins: int = 10
) -> tuple[float, list[list[float]]]:
    """Expected calibration error, and per bin: mean p, share of y, samples."""
    which = np.minimum((p * bins).astype(int), bins - 1)
    rows, error = [], 0.0
    for k in range(bins):
        mine = which == k
        if not mine.any():
            continue
        said, was = float(p[mine].mean()), float(y[mine].mean())
        rows.append([said, was, float(mine.sum())])
        error += float(mine.mean()) * abs(said - was)
    return error, rows


def auroc(score: Array, y: Array) -> float:
    """Chance that a positive scores above a negative."""
    order = np.argsort(score, kind="stable")
    rank = np.empty(len(score))
    rank[order] = np.arange(1, len(score) + 1)
    positive = y > 0.5
    n, m = int(positive.sum()), int((~positive).sum())
    if n == 0 or m == 0:
        return float("nan")
    return float((rank[positive].sum() - n * (n + 1) / 2) / (n * m))
