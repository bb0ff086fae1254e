"""Centre of mass, capture point and support polygon in the base frame B."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from bidden.core.messages import Array

from .model import load_model

GRAVITY: Final = 9.81  # [m/s^2]
CONTACT_HEIGHT: Final = 0.015  # [m] soles lower than this carry weight; tuned
_TINY: Final = 1e-9


class Balance:
    """Balance of the whole body; holds constants only."""

    def __init__(self) -> None:
        links = load_model().links
        names = [link.name for link in links]
        mass = np.array([link.mass for link in links])
        self.mass = float(mass.sum())  # [kg]
        self._share = mass / self.mass
        self._com = np.array([link.com for link in links])[:, :, None]
        self._axis = np.array([link.axis for link in links])[1:, :, None]
        # What each joint carries, as shares of the body's mass, (29, 30)
        carried = np.eye(len(links))
        for i, link in reversed(list(enumerate(links[1:], start=1))):
            carried[names.index(link.parent)] += carried[i]
        self._carried = (carried * self._share)[1:]
        self._weight = self._carried.sum(axis=1)[:, None]

    def com(self, X: Array) -> Array:
        """Centre of mass at link poses `X`, in the frame of `X`, (..., 3)."""
        p = X[..., :3, :3] @ self._com
        com: Array = self._share @ (p[..., 0] + X[..., :3, 3])
        return com

    def com_motion(
        self, X_PL: Array, dq: Array, *, R_BP: Array, gyro: Array, base: Array
    ) -> tuple[Array, Array]:
        """Centre of mass in P [m], and its velocity over the ground, axes of B [m/s].

        Args:
            X_PL: link poses in the pelvis frame, (30, 4, 4).
            dq: joint velocities [rad/s], (29,).
            R_BP: attitude of the pelvis.
            gyro: angular velocity of the pelvis, pelvis frame [rad/s].
            base: vx, vy [m/s] of the base and wz (unused), axes of B.
        """
        R, p = X_PL[:, :3, :3], X_PL[:, :3, 3]
        centres = (R @ self._com)[:, :, 0] + p
        com: Array = self._share @ centres
        turn = (R[1:] @ self._axis)[:, :, 0] * dq[:, None]
        lever = self._carried @ centres - self._weight * p[1:]
        # The sum of turn x lever, and gyro x com, from one small matrix each
        m = turn.T @ lever
        (wx, wy, wz), (cx, cy, cz) = gyro.tolist(), com.tolist()
        rate = np.array(
            [
                m[1, 2] - m[2, 1] + wy * cz - wz * cy,
                m[2, 0] - m[0, 2] + wz * cx - wx * cz,
                m[0, 1] - m[1, 0] + wx * cy - wy * cx,
            ]
        )
        v: Array = R_BP @ rate
        v[:2] += base[:2]
        return com, v


def capture_point(com: Array, velocity: Array) -> Array:
    """Where a foot must stand to come to rest: x + v / omega [m], (2,)."""
    height = max(float(com[2]), 0.1)
    point: Array = com[:2] + velocity[:2] * np.sqrt(height / GRAVITY)
    return point


def standing_points(soles: Array) -> Array:
    """Points of `soles` (2, N, 3) that belong to a foot on the floor, (M, 2)."""
    standing = soles[..., 2].min(axis=1) <= CONTACT_HEIGHT
    points: Array = soles[standing].reshape(-1, 3)[:, :2]
    return points


def polygon_margin(points: Array, x: Array) -> float:
    """Signed distance from `x` to the edge of the hull of `points` [m], inside > 0.

    No points give 0; a number that is not finite gives nan. In plain floats: faster
    than arrays for so few.
    """
    (px, py), rows = x.tolist(), points.tolist()
    if not math.isfinite(px + py + sum(a + b for a, b in rows)):
        return math.nan
    corners = _hull([(a, b) for a, b in rows])
    inside, outside = math.inf, math.inf
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        ex, ey, rx, ry = bx - ax, by - ay, px - ax, py - ay
        length = math.hypot(ex, ey)
        along = rx * ex + ry * ey
        if length > _TINY:
            inside = min(inside, (ex * ry - ey * rx) / length)
        u = min(max(along / max(length * length, _TINY * _TINY), 0.0), 1.0)
        outside = min(outside, math.hypot(rx - u * ex, ry - u * ey))
    if len(corners) > 2 and inside >= 0.0:
        return inside
    return -outside if corners else 0.0


def _hull(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Corners of the convex hull, anticlockwise (Andrew's monotone chain)."""
    points = sorted(set(points))
    if len(points) < 3:
        return points
    corners: list[tuple[float, float]] = []
    for way in (points, points[-2::-1]):
        kept = max(len(corners), 1)
        for x, y in way:
            while len(corners) > kept:
                (ax, ay), (bx, by) = corners[-2], corners[-1]
                if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0.0:
                    break
                corners.pop()
            corners.append((x, y))
    return corners[:-1]
