"""Centre of mass, capture point and support polygon in the base frame B."""

from __future__ import annotations

from typing import Final

import numpy as np

from bidden.core.messages import Array

from .model import load_model

GRAVITY: Final = 9.81  # [m/s^2]
CONTACT_HEIGHT: Final = 0.015  # [m] soles lower than this carry weight; tuned
_STEP: Final = 1e-6  # [s] of the finite difference along the joint velocities
_TINY: Final = 1e-9


class Balance:
    """Balance of the whole body; holds constants only."""

    def __init__(self) -> None:
        links = load_model().links
        mass = np.array([link.mass for link in links])
        self.mass = float(mass.sum())  # [kg]
        self._share = mass / self.mass
        self._com = np.array([link.com for link in links])[:, :, None]

    def com(self, X: Array) -> Array:
        """Centre of mass at link poses `X`, in the frame of `X`, (..., 3)."""
        p = X[..., :3, :3] @ self._com
        com: Array = self._share @ (p[..., 0] + X[..., :3, 3])
        return com

    def com_velocity(
        self, X_PL: Array, X_PL_next: Array, *, R_BP: Array, gyro: Array, base: Array
    ) -> Array:
        """Velocity of the centre of mass over the ground, axes of B [m/s], (3,).

        Args:
            X_PL: link poses in the pelvis frame.
            X_PL_next: the same after `step_along` of the joint velocities.
            R_BP: attitude of the pelvis.
            gyro: angular velocity of the pelvis, pelvis frame [rad/s].
            base: vx, vy [m/s] of the base and wz (unused), axes of B.
        """
        c = self.com(X_PL)
        rate = (self.com(X_PL_next) - c) / _STEP
        rate += (
            gyro[1] * c[2] - gyro[2] * c[1],
            gyro[2] * c[0] - gyro[0] * c[2],
            gyro[0] * c[1] - gyro[1] * c[0],
        )
        v: Array = R_BP @ rate
        v[:2] += base[:2]
        return v


def step_along(q: Array, dq: Array) -> Array:
    """Joint positions a tiny time later, for `Balance.com_velocity`."""
    stepped: Array = q + _STEP * dq
    return stepped


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

    The distance is the least gap to a supporting line over all directions. The least
    one is square to a pair of points (an edge) or points from a corner to `x`.
    """
    edges = (points[:, None] - points[None]).reshape(-1, 2)
    normals = np.concatenate([edges[:, ::-1] * (1.0, -1.0), x - points])
    length = np.sqrt(np.einsum("ij,ij->i", normals, normals))
    normals = normals[length > _TINY] / length[length > _TINY, None]
    reach = (normals @ points.T).max(axis=1) - normals @ x
    return float(reach.min()) if len(reach) else 0.0
