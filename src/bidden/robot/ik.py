"""Inverse kinematics of one arm, in the torso frame T.

Each iteration solves a small box-constrained least-squares problem: reach the grip
pose, stay near the ready posture, keep inside the joint range and the joint speed.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from bidden.core.messages import Array

from . import g1
from .kinematics import TORSO
from .model import cross_matrix, load_model, rotation_from_quat

POSITION_WEIGHT: Final = 1.0
ORIENTATION_WEIGHT: Final = 0.12  # [m/rad] what one radian counts as; tuned, 0.1-0.15
POSTURE_WEIGHT: Final = 2e-3  # [m/rad] of the prototype in g1.md: costs < 0.1 mm
DAMPING: Final = 1e-4  # of the prototype; bounds the step near singular postures
LIMIT_MARGIN: Final = 0.05  # [rad] kept from the joint range; the shield's margin
JOINT_SPEED: Final = 3.0  # [rad/s], of the prototype; `safety.limits` holds the same
CONTROL_PERIOD: Final = 0.02  # [s]
_BOX_ROUNDS: Final = 4


class ArmIK:
    """Joint targets of one arm that bring its grip point to a pose. Constants only.

    Args:
        hand: 0 right, 1 left.
        max_step: largest change of a joint in one call [rad].
    """

    def __init__(
        self, hand: int, *, max_step: float = JOINT_SPEED * CONTROL_PERIOD
    ) -> None:
        first = TORSO if hand == 1 else TORSO + 7
        links = load_model().links[first + 1 : first + 8]
        K = np.array([cross_matrix(np.array(link.axis)) for link in links])
        self._R = np.array([rotation_from_quat(link.quat_wxyz) for link in links])
        self._RK, self._RKK = self._R @ K, self._R @ K @ K
        self._p = np.array([link.position for link in links])
        self._axis = np.array([link.axis for link in links])[:, :, None]
        self.lower = np.array([link.lower for link in links]) + LIMIT_MARGIN
        self.upper = np.array([link.upper for link in links]) - LIMIT_MARGIN
        self.ready = g1.READY_ARMS[g1.ARM_IN_COMMAND[hand]].copy()
        self.max_step = max_step

    def pose(self, q7: Array) -> Array:
        """Grip pose X_TG, (4, 4)."""
        return self._chain(q7)[1]

    def jacobian(self, q7: Array) -> Array:
        """Velocity of the grip point, then its turning rate, in T per joint, (6, 7)."""
        X, X_TG = self._chain(q7)
        return self._jacobian(X, X_TG)

    def solve(self, X_TG: Array, q7: Array, *, iterations: int = 2) -> Array:
        """Joint targets one control step nearer to the grip pose `X_TG`, (7,)."""
        low = np.minimum(np.maximum(self.lower, q7 - self.max_step), self.upper)
        high = np.maximum(np.minimum(self.upper, q7 + self.max_step), self.lower)
        q = np.clip(q7, low, high)
        for _ in range(iterations):
            X, X_now = self._chain(q)
            J = self._jacobian(X, X_now)
            J[3:] *= ORIENTATION_WEIGHT
            e = np.empty(6)
            e[:3] = X_TG[:3, 3] - X_now[:3, 3]
            e[3:] = ORIENTATION_WEIGHT * rotation_error(X_TG[:3, :3], X_now[:3, :3])
            H = J.T @ J
            H.flat[::8] += DAMPING + POSTURE_WEIGHT**2
            g = J.T @ e + POSTURE_WEIGHT**2 * (self.ready - q)
            q = np.clip(q + _box_step(H, g, low - q, high=high - q), low, high)
        return q

    def _chain(self, q7: Array) -> tuple[Array, Array]:
        """Link poses in T, (7, 4, 4), and the grip pose."""
        s, c = np.sin(q7)[:, None, None], (1.0 - np.cos(q7))[:, None, None]
        X = np.zeros((7, 4, 4))
        X[:, 3, 3] = 1.0
        X[:, :3, :3] = self._R + s * self._RK + c * self._RKK
        X[:, :3, 3] = self._p
        for i in range(1, 7):
            X[i] = X[i - 1] @ X[i]
        X_TG = X[6].copy()
        X_TG[:3, 3] += g1.GRIP_POINT * X_TG[:3, 0]
        return X, X_TG

    def _jacobian(self, X: Array, X_TG: Array) -> Array:
        z = (X[:, :3, :3] @ self._axis)[:, :, 0].T
        r = X_TG[:3, 3, None] - X[:, :3, 3].T
        J = np.empty((6, 7))
        J[0] = z[1] * r[2] - z[2] * r[1]
        J[1] = z[2] * r[0] - z[0] * r[2]
        J[2] = z[0] * r[1] - z[1] * r[0]
        J[3:] = z
        return J


def rotation_error(R_to: Array, R_from: Array) -> Array:
    """Rotation vector that turns `R_from` to `R_to`, in the common frame, (3,)."""
    R = R_to @ R_from.T
    v = np.array([R[2, 1] - R[1, 2], R[0, 2] - R[2, 0], R[1, 0] - R[0, 1]])
    s, c = float(np.sqrt(v @ v)), float(R[0, 0] + R[1, 1] + R[2, 2]) - 1.0
    angle = float(np.arctan2(s, c))
    if s > 1e-6:
        v *= angle / s
        return v
    if c > 0:
        return 0.5 * v
    # Half a turn: the axis is the largest column of R + I.
    columns = R + np.eye(3)
    axis = columns[:, int(np.argmax(np.diag(columns)))]
    turned: Array = axis * (angle / np.linalg.norm(axis))
    return turned


def _box_step(H: Array, g: Array, low: Array, *, high: Array) -> Array:
    """Minimise x'Hx/2 - g'x inside a box by pinning what leaves it."""
    x = np.linalg.solve(H, g)
    pinned = np.zeros(len(g), dtype=bool)
    for _ in range(_BOX_ROUNDS):
        outside = ~((x >= low - 1e-12) & (x <= high + 1e-12))
        if not outside.any():
            break
        pinned |= outside
        x = np.where(pinned, np.clip(x, low, high), 0.0)
        free = ~pinned
        if not free.any():
            break
        x[free] = np.linalg.solve(
            H[np.ix_(free, free)], g[free] - H[np.ix_(free, pinned)] @ x[pinned]
        )
    return x
