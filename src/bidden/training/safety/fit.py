"""Fits of the additive models of `safety.foresight.risk`, in numpy."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from bidden.core.messages import Array
from bidden.safety.foresight.risk import ChanceData

FOLDS: Final = 5
_QUANTILES: Final = (0.005, 0.1, 0.3, 0.5, 0.7, 0.9, 0.995)
_ROUNDS: Final = 800
_NEWTON_ROUNDS: Final = 25
_BATCH, _RATE, _DECAY = 256, 5e-3, 1e-4  # of the network's training
_WINDOWS, _TUNE_RATE = 256, 2e-3  # of its tuning by windows
_SOFT: Final = 0.5  # log-odds under the highest score of a window that still count
_STEPS_LEAST: Final = 12  # samples under one step of the isotonic curve


def fit_logistic(
    x: Array, y: Array, *, ridge: float, signs: Array | None = None
) -> tuple[Array, float]:
    """Weights and bias of a logistic model.

    Args:
        x: inputs, (N, D), of size about 1.
        y: labels 0 or 1, (N,).
        ridge: penalty on the squared weights, per sample.
        signs: +1 or -1 where a weight must have that sign, 0 where it is free, (D,).
    """
    X = np.column_stack([x, np.ones(len(x))])
    keep = np.append(np.full(x.shape[1], ridge), 0.0)
    w: Array = np.zeros(len(keep))
    w[-1] = np.log((y.mean() + 1e-6) / (1 - y.mean() + 1e-6))
    if signs is None:
        w = _by_newton(X, y, keep, start=w)
    else:
        w = _by_gradient(X, y, keep, signs=np.append(signs, 0.0), start=w)
    return w[:-1], float(w[-1])


def _by_newton(X: Array, y: Array, keep: Array, *, start: Array) -> Array:
    w = start
    for _ in range(_NEWTON_ROUNDS):
        p = _chance(X @ w)
        H = (X.T * (p * (1.0 - p))) @ X / len(y) + np.diag(keep + 1e-9)
        step = np.linalg.solve(H, X.T @ (p - y) / len(y) + keep * w)
        w = w - step
        if not np.abs(step).max() > 1e-4:
            break
    return w


def _by_gradient(
    X: Array, y: Array, keep: Array, *, signs: Array, start: Array
) -> Array:
    """Accelerated, projected on the signs."""
    low = np.where(signs > 0, 0.0, -np.inf)
    high = np.where(signs < 0, 0.0, np.inf)
    rate = 1.0 / (0.25 * np.linalg.norm(X, 2) ** 2 / len(y) + keep.max())
    w, ahead, t = start, start.copy(), 1.0
    for _ in range(_ROUNDS):
        slope = X.T @ (_chance(X @ ahead) - y) / len(y) + keep * ahead
        step = np.minimum(np.maximum(ahead - rate * slope, low), high)
        faster = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * t * t))
        ahead = step + (t - 1.0) / faster * (step - w)
        w, t = step, faster
    return w


def _chance(score: Array) -> Array:
    p: Array = 1.0 / (1.0 + np.exp(-np.clip(score, -40, 40)))
    return p


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


def spread_knots(x: Array, y: Array) -> Array:
    """Knots for each input, where positives and negatives lie, (D, K)."""
    sides = [x[y > 0.5], x[y < 0.5]]
    at = [np.quantile(side, _QUANTILES, axis=0) for side in sides if len(side)]
    rows = np.sort(np.mean(at, axis=0).T, axis=1)
    least = 1e-3 * np.maximum(rows[:, -1:] - rows[:, :1], 1e-3)
    knots: Array = rows + least * np.arange(rows.shape[1])
    return knots


def pieces(x: Array, knots: Array) -> Array:
    """How far each input is along each of its pieces, (N, D * (K - 1))."""
    share = (x[:, :, None] - knots[:, :-1]) / np.diff(knots, axis=1)
    return np.clip(share, 0.0, 1.0).reshape(len(x), -1)


def fit_chance(
    x: Array,
    y: Array,
    *,
    inputs: tuple[str, ...],
    knots: Array,
    group: Array,
    ridge: float,
    signs: Array | None = None,
) -> tuple[ChanceData, Array]:
    """A model of P(y | x), and the scores that it gave when it had not seen the row.

    Args:
        x: inputs, (N, D).
        y: labels, (N,).
        inputs: their names.
        knots: of each input, (D, K).
        group: rows of one group are left out together, (N,).
        ridge: see `fit_logistic`.
        signs: which way each input may push, (D,).
    """
    X = pieces(x, knots)
    per = knots.shape[1] - 1
    all_signs = None if signs is None else np.repeat(signs, per)
    fold = np.unique(group, return_inverse=True)[1] % FOLDS
    blind = np.zeros(len(y))
    for k in range(FOLDS):
        w, b = fit_logistic(X[fold != k], y[fold != k], ridge=ridge, signs=all_signs)
        blind[fold == k] = X[fold == k] @ w + b
    w, b = fit_logistic(X, y, ridge=ridge, signs=all_signs)
    at, curve = fit_isotonic(blind, y)
    data = ChanceData(
        inputs=inputs,
        knots=tuple(tuple(np.round(row, 5).tolist()) for row in knots),
        weights=tuple(tuple(np.round(row, 4).tolist()) for row in w.reshape(-1, per)),
        bias=round(b, 4),
        curve_at=tuple(np.round(at, 4).tolist()),
        curve=tuple(np.round(curve, 5).tolist()),
        figures={},
    )
    return data, blind


def fit_net(
    x: Array, y: Array, *, sizes: tuple[int, int], epochs: int, seed: int
) -> tuple[list[Array], list[Array]]:
    """Weights and biases of a tanh network for log-odds, by Adam.

    Args:
        x: inputs of spread 1, (N, D).
        y: labels 0 or 1, (N,).
        sizes: units of the hidden layers.
        epochs: passes over the rows; the rate falls to zero over them.
        seed: of the first weights and of the order.
    """
    r = np.random.default_rng(seed)
    shape = (x.shape[1], *sizes, 1)
    weights: list[Array] = [r.normal(0, a**-0.5, (a, b)) for a, b in pairwise(shape)]
    values = [v.astype(x.dtype) for v in (*weights, *(np.zeros(b) for b in shape[1:]))]
    batches = max(1, len(x) // _BATCH)
    adam = _Adam(values, rate=_RATE, steps=epochs * batches)
    for _ in range(epochs):
        for rows in np.array_split(r.permutation(len(x)), batches):
            layers = _forward(values, x[rows])
            d = (_chance(layers[-1][:, 0]) - y[rows]) / len(rows)
            adam.step(_backward(values, layers, d))
    return values[:3], values[3:]


def tune_net(
    net: tuple[list[Array], list[Array]],
    views: Sequence[Array],
    y: Array,
    *,
    starts: Array,
    epochs: int,
    seed: int,
) -> None:
    """Goes on fitting a network, by the highest score of each window of rows.

    An alarm is one tick over the bound, so what counts of a run is its highest score
    while an alarm is in time. The highest is taken softly.

    Args:
        net: weights and biases, changed in place.
        views: the same inputs as they are and, say, mirrored, each (N, D).
        y: label 0 or 1 of each window, (W,).
        starts: the first row of each window, and N, (W + 1,).
        epochs: passes over the windows; the rate falls to zero over them.
        seed: of the order.
    """
    r, values = np.random.default_rng(seed), [*net[0], *net[1]]
    batches = max(1, len(y) // _WINDOWS)
    adam = _Adam(values, rate=_TUNE_RATE, steps=epochs * batches)
    for _ in range(epochs):
        for some in np.array_split(r.permutation(len(y)), batches):
            x = views[int(r.integers(len(views)))]
            count = (starts[some + 1] - starts[some]).astype(int)
            rows = np.concatenate(
                [np.arange(starts[k], starts[k + 1]) for k in some.tolist()]
            )
            at = np.append(0, np.cumsum(count))[:-1]
            layers = _forward(values, x[rows])
            score = layers[-1][:, 0] / _SOFT
            top = np.maximum.reduceat(score, at)
            share = np.exp(score - np.repeat(top, count))
            total = np.add.reduceat(share, at)
            peak = _SOFT * (top + np.log(total))
            d = (_chance(peak) - y[some]) / len(some)
            adam.step(_backward(values, layers, share * np.repeat(d / total, count)))


class _Adam:
    """Steps down the slopes, ever smaller ones; changes the values in place."""

    def __init__(self, values: list[Array], *, rate: float, steps: int) -> None:
        self._values, self._rate, self._steps = values, rate, steps
        self._mean, self._square = [0 * v for v in values], [0 * v for v in values]
        self._count = 0

    def step(self, slopes: list[Array]) -> None:
        self._count += 1
        n = self._count
        rate = 0.5 * self._rate * (1.0 + np.cos(np.pi * n / self._steps)) + 1e-5
        for k, slope in enumerate(slopes):
            self._mean[k] += 0.1 * (slope - self._mean[k])
            self._square[k] += 0.001 * (slope * slope - self._square[k])
            spread = np.sqrt(self._square[k] / (1.0 - 0.999**n)) + 1e-8
            self._values[k] -= (
                rate * (self._mean[k] / (1.0 - 0.9**n)) / spread
            ).astype(self._values[k].dtype)


def _forward(values: list[Array], x: Array) -> tuple[Array, Array, Array, Array]:
    """Inputs, both hidden layers, and log-odds (N, 1)."""
    w, b = values[:3], values[3:]
    one = np.tanh(x @ w[0] + b[0])
    two = np.tanh(one @ w[1] + b[1])
    return x, one, two, two @ w[2] + b[2]


def _backward(
    values: list[Array], layers: tuple[Array, Array, Array, Array], d: Array
) -> list[Array]:
    """Slopes of three weights and three biases, from those of the log-odds (N,)."""
    w, (x, one, two, _) = values[:3], layers
    d = d[:, None].astype(x.dtype)
    d_two = (d @ w[2].T) * (1.0 - two * two)
    d_one = (d_two @ w[1].T) * (1.0 - one * one)
    slopes = [x.T @ d_one, one.T @ d_two, two.T @ d]
    slopes = [s + _DECAY * v for s, v in zip(slopes, w, strict=True)]
    return [*slopes, d_one.sum(0), d_two.sum(0), d.sum(0)]
