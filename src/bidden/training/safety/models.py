"""Fits the additive models of `safety.foresight.risk`."""

from __future__ import annotations

from typing import Final

import numpy as np

from bidden.core.messages import Array
from bidden.safety.foresight.risk import ChanceData

from .fit import fit_isotonic, fit_logistic

FOLDS: Final = 5
_QUANTILES: Final = (0.005, 0.1, 0.3, 0.5, 0.7, 0.9, 0.995)


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
