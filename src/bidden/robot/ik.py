"""Inverse kinematics of the arms, in the torso frame T.

Each iteration solves a small box-constrained least-squares problem: reach the grip
pose, stay near the ready posture, keep inside the joint range and the joint speed.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Final

import numpy as np

from bidden.core.messages import Array

from . import g1
from .kinematics import TORSO
from .model import Link, cross_matrix, load_model, rotation_from_quat

POSITION_WEIGHT: Final = 1.0
ORIENTATION_WEIGHT: Final = 0.12  # [m/rad] what one radian counts as; tuned, 0.1-0.15
POSTURE_WEIGHT: Final = 2e-3  # [m/rad] of the prototype in g1.md: costs < 0.1 mm
DAMPING: Final = 1e-4  # of the prototype; bounds the step near singular postures
LIMIT_MARGIN: Final = 0.05  # [rad] kept from the joint range; the shield's margin
JOINT_SPEED: Final = 3.0  # [rad/s], of the prototype; `safety.limits` holds the same
CONTROL_PERIOD: Final = 0.02  # [s]
_BOX_ROUNDS: Final = 4
_SLACK: Final = 1e-12  # [rad] past a bound that counts as inside


class ArmIK:
    """Joint targets that bring grip points to poses. Constants only.

    One arm's joints are (7,); with both hands every array has one more dimension in
    front, (2, 7), in the order of `hands`: both cost little more than one.

    Args:
        hands: 0 right, 1 left, or both.
        max_step: largest change of a joint in one call [rad].
    """

    def __init__(
        self,
        hands: int | tuple[int, ...],
        *,
        max_step: float = JOINT_SPEED * CONTROL_PERIOD,
    ) -> None:
        several = (hands,) if isinstance(hands, int) else hands
        arms = [_arm_links(hand) for hand in several]
        K = np.array([[cross_matrix(np.array(k.axis)) for k in arm] for arm in arms])
        R = np.array([[rotation_from_quat(k.quat_wxyz) for k in arm] for arm in arms])
        p = np.array([[k.position for k in arm] for arm in arms])
        axis = np.array([[k.axis for k in arm] for arm in arms])[..., None]
        lower = np.array([[k.lower for k in arm] for arm in arms]) + LIMIT_MARGIN
        upper = np.array([[k.upper for k in arm] for arm in arms]) - LIMIT_MARGIN
        ready = np.array([g1.READY_ARMS[g1.ARM_IN_COMMAND[hand]] for hand in several])
        first = 0 if isinstance(hands, int) else slice(None)
        self._R, self._RK, self._RKK = R[first], (R @ K)[first], (R @ K @ K)[first]
        self._p, self._axis = p[first], axis[first]
        self.lower, self.upper, self.ready = lower[first], upper[first], ready[first]
        self.max_step = max_step
        self._damping = (DAMPING + POSTURE_WEIGHT**2) * np.eye(7)

    def pose(self, q7: Array) -> Array:
        """Grip pose X_TG, (..., 4, 4)."""
        return self._chain(q7)[1]

    def jacobian(self, q7: Array) -> Array:
        """Velocity of the grip point, then its turning rate, per joint, (..., 6, 7)."""
        X, X_TG = self._chain(q7)
        return self._jacobian(X, X_TG)

    def solve(self, X_TG: Array, q7: Array, *, iterations: int = 2) -> Array:
        """Joint targets one control step nearer to the grip pose `X_TG`, (..., 7)."""
        low = np.minimum(np.maximum(self.lower, q7 - self.max_step), self.upper)
        high = np.maximum(np.minimum(self.upper, q7 + self.max_step), self.lower)
        q: Array = np.minimum(np.maximum(q7, low), high)
        e = np.empty((*q.shape[:-1], 6))
        for _ in range(iterations):
            X, X_now = self._chain(q)
            J = self._jacobian(X, X_now)
            J[..., 3:, :] *= ORIENTATION_WEIGHT
            e[..., :3] = X_TG[..., :3, 3] - X_now[..., :3, 3]
            turn = rotation_error(X_TG[..., :3, :3], X_now[..., :3, :3])
            e[..., 3:] = ORIENTATION_WEIGHT * turn
            Jt = J.swapaxes(-1, -2)
            g = (Jt @ e[..., None])[..., 0] + POSTURE_WEIGHT**2 * (self.ready - q)
            step = _box_step(Jt @ J + self._damping, g, low - q, high=high - q)
            q = np.minimum(np.maximum(q + step, low), high)
        return q

    def _chain(self, q7: Array) -> tuple[Array, Array]:
        """Link poses in T, (..., 7, 4, 4), and the grip pose."""
        s, c = np.sin(q7)[..., None, None], (1.0 - np.cos(q7))[..., None, None]
        X = np.zeros((*q7.shape, 4, 4))
        X[..., 3, 3] = 1.0
        X[..., :3, :3] = self._R + s * self._RK + c * self._RKK
        X[..., :3, 3] = self._p
        for above in _ABOVE:  # each round joins chains twice as long
            X[..., above, :, :] = X[..., : -above.start, :, :] @ X[..., above, :, :]
        X_TG = X[..., 6, :, :].copy()
        X_TG[..., :3, 3] += g1.GRIP_POINT * X_TG[..., :3, 0]
        return X, X_TG

    def _jacobian(self, X: Array, X_TG: Array) -> Array:
        z = (X[..., :3, :3] @ self._axis)[..., 0].swapaxes(-1, -2)
        r = X_TG[..., :3, 3, None] - X[..., :3, 3].swapaxes(-1, -2)
        J = np.empty((*z.shape[:-2], 6, 7))
        J[..., 3:, :] = z
        for i, (k, m) in enumerate(_CROSS):
            J[..., i, :] = z[..., k, :] * r[..., m, :] - z[..., m, :] * r[..., k, :]
        return J


_ABOVE: Final = (slice(1, None), slice(2, None), slice(4, None))
_CROSS: Final = ((1, 2), (2, 0), (0, 1))


def _arm_links(hand: int) -> tuple[Link, ...]:
    first = TORSO if hand == 1 else TORSO + 7
    return load_model().links[first + 1 : first + 8]


def rotation_error(R_to: Array, R_from: Array) -> Array:
    """Rotation vector that turns `R_from` to `R_to`, in the common frame, (..., 3)."""
    R = R_to @ R_from.swapaxes(-1, -2)
    if R.ndim == 2:
        return np.array(_rotation_vector(R))
    flat = R.reshape(-1, 3, 3)
    return np.array([_rotation_vector(one) for one in flat]).reshape(R.shape[:-1])


def _rotation_vector(R: Array) -> list[float]:
    """Axis times angle of one rotation, in plain floats: faster for so few."""
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = R.tolist()
    v = [zy - yz, xz - zx, yx - xy]
    s, c = math.sqrt(v[0] ** 2 + v[1] ** 2 + v[2] ** 2), xx + yy + zz - 1.0
    angle = math.atan2(s, c)
    if s > 1e-6:
        return [angle / s * part for part in v]
    if c > 0:
        return [0.5 * part for part in v]
    # Half a turn: the axis is the largest column of R + I.
    columns = R + np.eye(3)
    axis = columns[:, int(np.argmax(np.diag(columns)))]
    turned: list[float] = (axis * (angle / np.linalg.norm(axis))).tolist()
    return turned


@cache
def _eye(size: int) -> Array:
    return np.eye(size)


def _box_step(H: Array, g: Array, low: Array, *, high: Array) -> Array:
    """Minimise x'Hx/2 - g'x inside a box by pinning what leaves it, (..., J)."""
    x: Array = np.linalg.solve(H, g[..., None])[..., 0]
    inside = (x >= low - _SLACK) & (x <= high + _SLACK)
    if inside.all():
        return x
    free = np.ones(g.shape, dtype=bool)
    for _ in range(_BOX_ROUNDS):
        free &= inside
        x = np.where(free, 0.0, np.minimum(np.maximum(x, low), high))
        # Pinned rows say x = x; free rows see what is pinned on the other side.
        A = np.where(free[..., None] & free[..., None, :], H, _eye(g.shape[-1]))
        b = np.where(free, g - (H @ x[..., None])[..., 0], x)
        x = np.linalg.solve(A, b[..., None])[..., 0]
        inside = (x >= low - _SLACK) & (x <= high + _SLACK)
        if inside.all():
            break
    return x
