"""Inverse kinematics of the arms, in the torso frame T.

Each iteration solves a small box-constrained least-squares problem: reach the grip
pose, stay near the ready posture, keep inside the joint range and the joint speed.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bidden.core.messages import Array

from . import g1
from .ik_kernels import jacobian, rotation_vector, solve_arms
from .kernels import chain, contiguous
from .kinematics import TORSO, grip_poses
from .model import Link, cross_matrix, load_model, rotation_from_quat

ORIENTATION_WEIGHT: Final = 0.12  # [m/rad] what one radian counts as; tuned, 0.1-0.15
POSTURE_WEIGHT: Final = 2e-3  # [m/rad] of the prototype in g1.md: costs < 0.1 mm
DAMPING: Final = 1e-4  # of the prototype; bounds the step near singular postures
LIMIT_MARGIN: Final = 0.05  # [rad] kept from the joint range; the shield's margin
JOINT_SPEED: Final = 3.0  # [rad/s], of the prototype; `safety.limits` holds the same
CONTROL_PERIOD: Final = 0.02  # [s]


class ArmIK:
    """Joint targets that bring grip points to poses. Constants only.

    One arm's joints are (7,); with both hands every array has one more dimension in
    front, (2, 7), in the order of `hands`: each arm is solved by itself.

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
        axis = np.array([[k.axis for k in arm] for arm in arms])
        lower = np.array([[k.lower for k in arm] for arm in arms]) + LIMIT_MARGIN
        upper = np.array([[k.upper for k in arm] for arm in arms]) - LIMIT_MARGIN
        ready = np.array([g1.READY_ARMS[g1.ARM_IN_COMMAND[hand]] for hand in several])
        first = 0 if isinstance(hands, int) else slice(None)
        self.lower, self.upper, self.ready = lower[first], upper[first], ready[first]
        self.max_step = max_step
        # What the compiled loops take, one row for each arm
        self._parts = [
            contiguous(part)
            for part in (R, R @ K, R @ K @ K, p, axis, lower, upper, ready)
        ]
        self._all = np.ones(len(several), dtype=bool)
        self._scalars = np.array(
            [max_step, g1.GRIP_POINT, ORIENTATION_WEIGHT, POSTURE_WEIGHT, DAMPING]
        )

    def pose(self, q7: Array) -> Array:
        """Grip pose X_TG, (..., 4, 4)."""
        tips = [X[7] for X in self._links(q7)]
        return grip_poses(np.array(tips)).reshape(*q7.shape[:-1], 4, 4)

    def jacobian(self, q7: Array) -> Array:
        """Velocity of the grip point, then its turning rate, per joint, (..., 6, 7)."""
        found = [
            jacobian(X, axis, grip_poses(X[7]))
            for X, axis in zip(self._links(q7), self._parts[4], strict=True)
        ]
        return np.array(found).reshape(*q7.shape[:-1], 6, 7)

    def _links(self, q7: Array) -> list[Array]:
        """Poses of the torso and the links in T, (8, 4, 4), arm by arm."""
        return [
            chain(contiguous(q)[None], *arm, np.arange(7))[0]
            for q, *arm in zip(q7.reshape(-1, 7), *self._parts[:4], strict=True)
        ]

    def solve(
        self,
        X_TG: Array,
        q7: Array,
        *,
        iterations: int = 2,
        used: NDArray[np.bool_] | None = None,
    ) -> Array:
        """Joint targets one control step nearer to the grip pose `X_TG`, (..., 7).

        All arms move, or only those that are `used`; the others stay where they are.
        """
        q: Array = solve_arms(
            contiguous(X_TG).reshape(-1, 4, 4),
            contiguous(q7).reshape(-1, 7),
            self._all if used is None else used,
            *self._parts,
            self._scalars,
            iterations,
        )
        return q.reshape(q7.shape)


def _arm_links(hand: int) -> tuple[Link, ...]:
    first = TORSO if hand == 1 else TORSO + 7
    return load_model().links[first + 1 : first + 8]


def rotation_error(R_to: Array, R_from: Array) -> Array:
    """Rotation vector that turns `R_from` to `R_to`, in the common frame, (..., 3)."""
    to, origin = np.broadcast_arrays(R_to, R_from)
    rows = zip(to.reshape(-1, 3, 3), origin.reshape(-1, 3, 3), strict=True)
    found = [rotation_vector(contiguous(a), contiguous(b)) for a, b in rows]
    return np.array(found).reshape(to.shape[:-1])
