"""Scattered points of a plan as few upright rectangles that cover them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bidden.core.messages import Array

Rows = NDArray[np.intp]
_YAWS: Final = np.linspace(0.0, np.pi / 2, 18, endpoint=False)  # tried first, 5 degrees
_FINE: Final = np.linspace(-1.0, 1.0, 5) * (np.pi / 2 / 18)
_AXES: Final = np.stack([np.cos(_YAWS), np.sin(_YAWS)], axis=1)  # (18, 2)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rectangle:
    """Some points and the least rectangle around them."""

    rows: Rows  # which of the points
    centre: Array  # [m], (2,)
    half: Array  # [m], the longer side first, (2,)
    yaw: float  # [rad] of the longer side

    def spare(self, cell_m: float) -> float:
        """Covered area that no point accounts for [m^2]; each stands for one cell."""
        area = float((2 * self.half[0] + cell_m) * (2 * self.half[1] + cell_m))
        return area - len(self.rows) * cell_m * cell_m

    def contains(self, xy: Array, margin: float) -> NDArray[np.bool_]:
        """Which of the points (N, 2) are inside, with a margin [m] around."""
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        local = (xy - self.centre) @ np.array([[c, -s], [s, c]])
        inside: NDArray[np.bool_] = (np.abs(local) <= self.half + margin).all(axis=1)
        return inside


def fit_rectangles(
    xy: Array, most: int, *, cell_m: float, gap_m: float, spare_m2: float
) -> list[Rectangle]:
    """At most `most` rectangles around points (N, 2), split where they are apart.

    Args:
        xy: points of a plan, about one for each occupied cell [m], (N, 2).
        most: splitting ends there; rectangles then cover more than they must.
        cell_m: side of a cell.
        gap_m: points farther apart than this along a rectangle are two things.
        spare_m2: a rectangle may cover this much that nothing accounts for.
    """
    if not len(xy):
        return []
    found = [_rectangle(xy, np.arange(len(xy)))]
    done: list[Rectangle] = []
    while found and len(found) + len(done) < most:
        found.sort(key=lambda one: one.spare(cell_m))
        one = found.pop()
        parts = _split(xy, one, gap_m, is_wasteful=one.spare(cell_m) > spare_m2)
        if parts is None:
            done.append(one)
        else:
            found += [_rectangle(xy, rows) for rows in parts]
    return done + found


def _rectangle(xy: Array, rows: Rows) -> Rectangle:
    points = xy[rows]
    low, high, best = _spans(points, _AXES)
    yaws = _YAWS[best] + _FINE
    axes = np.stack([np.cos(yaws), np.sin(yaws)], axis=1)
    low, high, best = _spans(points, axes)
    yaw, half = float(yaws[best]), 0.5 * (high - low)
    c, s = axes[best]
    centre = np.array([[c, -s], [s, c]]) @ (0.5 * (high + low))
    if half[1] > half[0]:
        half, yaw = half[::-1], yaw + np.pi / 2
    return Rectangle(rows=rows, centre=centre, half=half, yaw=yaw)


def _spans(points: Array, axes: Array) -> tuple[Array, Array, int]:
    """Extent along and across the axis of least area, and which axis that is."""
    along = points @ axes.T
    across = points @ np.stack([-axes[:, 1], axes[:, 0]])
    both = np.stack([along, across])
    low, high = both.min(axis=1), both.max(axis=1)
    size = high - low + 0.02  # so that a line prefers the axis that it lies along
    best = int(np.argmin(size[0] * size[1]))
    return low[:, best], high[:, best], best


def _split(
    xy: Array, one: Rectangle, gap_m: float, *, is_wasteful: bool
) -> tuple[Rows, Rows] | None:
    """Two parts: at the widest gap of a side, else in the middle if wasteful."""
    c, s = np.cos(one.yaw), np.sin(one.yaw)
    local = (xy[one.rows] - one.centre) @ np.array([[c, -s], [s, c]])
    for side in (0, 1):
        value = np.sort(local[:, side])
        steps = np.diff(value)
        if len(steps) and steps.max() > gap_m:
            k = int(np.argmax(steps))
            first = local[:, side] <= value[k]
            return one.rows[first], one.rows[~first]
    if not (is_wasteful and one.half[0] > gap_m):
        return None
    first = local[:, 0] <= 0.0
    return one.rows[first], one.rows[~first]
