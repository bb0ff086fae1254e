"""How far a view is from those of the episodes that went well.

A view is 108 numbers; the distance is Mahalanobis' in their main directions, plus what
these directions cannot explain.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from bidden.core.messages import Array

from .views import GRID, Glimpse

CELLS: Final = 5  # of a side; coarser than a glimpse, or every room were a new one
_STATISTICS: Final = 8  # numbers of the whole picture, before those of the cells
VIEW_NUMBERS: Final = _STATISTICS + 4 * CELLS**2  # colour and nearness of each cell
_STRESS: Final = 2.0  # weight of these against single cells
_AXES: Final = 20  # main directions
_FLOOR: Final = 1e-3  # least deviation of a number, so that constants do not explode


class Novelty(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the views of successful episodes are like."""

    mean: tuple[float, ...]  # (D,)
    scale: tuple[float, ...]  # standard deviation, (D,)
    axes: tuple[tuple[float, ...], ...]  # main directions of what is scaled, (Q, D)
    variances: tuple[float, ...]  # along the axes, (Q,)
    rest: float  # mean square of what the axes leave, per number

    def __post_init__(self) -> None:
        d, q = len(self.mean), len(self.axes)
        if len(self.scale) != d or any(len(axis) != d for axis in self.axes):
            raise ValueError(f"mean, scale and axes must all have {d} numbers")
        if len(self.variances) != q:
            raise ValueError(f"{q} axes need {q} variances")
        if not (min(self.scale) > 0 and self.rest > 0 and min(self.variances) >= 0):
            raise ValueError("scale and rest must be above 0, variances at least 0")

    def distance(self, views: Array) -> Array:
        """Mean squared deviations in units of what is usual, (N,) from (N, D)."""
        z = (views - np.array(self.mean)) / np.array(self.scale)
        along = z @ np.array(self.axes).T
        usual = np.sum(along**2 / (np.array(self.variances) + self.rest), -1)
        left = np.maximum(np.sum(z**2, -1) - np.sum(along**2, -1), 0.0)
        dims = len(self.mean)
        q = len(self.axes)
        share: Array = 0.5 * usual / q + 0.5 * left / (self.rest * (dims - q))
        return np.sqrt(share)


def describe(view: Glimpse) -> Array:
    """The numbers of a view, (108,)."""
    rgb = view.rgb.astype(np.float64) / 255
    size = GRID // CELLS
    block = (CELLS, size, CELLS, size)
    colour = rgb.reshape(*block, 3).mean((1, 3))
    near = (view.near.astype(np.float64) / 255).reshape(block).mean((1, 3))
    edges, grain = np.log(view.edges + 0.3), np.log(view.grain + 0.3)
    whole = [
        view.dark,
        view.bright,
        edges,
        grain,
        grain - edges,
        view.holes,
        rgb.mean(2).std(),
        rgb.std(2).mean(),
    ]
    return np.concatenate([whole, colour.ravel(), near.ravel()])


def fit_novelty(episodes: list[Array], *, axes: int = _AXES) -> Novelty:
    """Learn what views are usual; every episode counts alike.

    Args:
        episodes: views of each episode, (steps, D); at least two episodes.
        axes: main directions to keep.
    """
    X = np.vstack(episodes)
    weight = np.concatenate([np.full(len(e), 1 / len(e)) for e in episodes])
    weight /= weight.sum()
    mean = weight @ X
    scale = np.sqrt(weight @ (X - mean) ** 2) + _FLOOR
    scale[:_STATISTICS] /= _STRESS
    Z = (X - mean) / scale * np.sqrt(weight)[:, None]
    _, s, directions = np.linalg.svd(Z, full_matrices=False)
    q = min(axes, len(s) - 1)
    return Novelty(
        mean=_short(mean),
        scale=_short(scale),
        axes=tuple(_short(v) for v in directions[:q]),
        variances=_short(s[:q] ** 2),
        rest=float(np.sum(s[q:] ** 2) / (len(s) - q)) + 1e-6,
    )


def _short(values: Array) -> tuple[float, ...]:
    """Six digits are plenty, and make a small file."""
    return tuple(float(f"{v:.6g}") for v in values)
