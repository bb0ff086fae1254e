"""Centre of mass, capture point and support polygon in the base frame B."""

from __future__ import annotations

from typing import Final

import numpy as np

from bidden.core.messages import Array

from . import kernels
from .kernels import contiguous
from .model import load_model

GRAVITY: Final = 9.81  # [m/s^2]
CONTACT_HEIGHT: Final = 0.015  # [m] soles lower than this carry weight; tuned


class Balance:
    """Balance of the whole body; holds constants only."""

    def __init__(self) -> None:
        links = load_model().links
        names = [link.name for link in links]
        mass = np.array([link.mass for link in links])
        self.mass = float(mass.sum())  # [kg]
        self._share = mass / self.mass
        self._com = np.array([link.com for link in links])
        self._axis = np.array([link.axis for link in links[1:]])
        # What each joint carries, as shares of the body's mass, (29, 30)
        carried = np.eye(len(links))
        for i, link in reversed(list(enumerate(links[1:], start=1))):
            carried[names.index(link.parent)] += carried[i]
        self._carried = (carried * self._share)[1:]

    def com(self, X: Array) -> Array:
        """Centre of mass at link poses `X`, in the frame of `X`, (..., 3)."""
        p = X[..., :3, :3] @ self._com[..., None]
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
        com, velocity = kernels.com_motion(
            contiguous(X_PL),
            self._share,
            self._com,
            self._axis,
            self._carried,
            *(contiguous(a) for a in (dq, R_BP, gyro, base)),
        )
        return com, velocity

    def capture_margin(
        self,
        X_PL: Array,
        dq: Array,
        *,
        X_BP: Array,
        gyro: Array,
        base: Array,
        soles: Array,
    ) -> float:
        """Signed distance of the capture point to the hull of `soles`, (2, N, 3) [m].

        The other arguments are those of `com_motion`, with the pose of the pelvis.
        """
        arrays = (X_PL, dq, X_BP, gyro, base, soles.reshape(-1, 3))
        margin = kernels.capture_margin(
            *(contiguous(a) for a in arrays),
            self._share,
            self._com,
            self._axis,
            self._carried,
            GRAVITY,
        )
        return float(margin)


def capture_point(com: Array, velocity: Array) -> Array:
    """Where a foot must stand to come to rest: x + v / omega [m], (2,)."""
    point: Array = kernels.capture_point(contiguous(com), contiguous(velocity), GRAVITY)
    return point


def standing_points(soles: Array) -> Array:
    """Points of `soles` (2, N, 3) that belong to a foot on the floor, (M, 2)."""
    standing = soles[..., 2].min(axis=1) <= CONTACT_HEIGHT
    points: Array = soles[standing].reshape(-1, 3)[:, :2]
    return points


def polygon_margin(points: Array, x: Array) -> float:
    """Signed distance from `x` to the edge of the hull of `points` [m], inside > 0.

    No points give 0; a number that is not finite gives nan.
    """
    return float(kernels.polygon_margin(contiguous(points), float(x[0]), float(x[1])))
