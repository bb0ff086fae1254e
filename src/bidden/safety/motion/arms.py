"""The arms' next targets: inside their range, slow enough, and apart from things.

Where a step comes too near to something, it is bent to the nearest one that does not,
so that an arm slides along a table or its own body. What remains too near is shortened.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from bidden.core.messages import Array, RobotState, Rung
from bidden.robot import g1
from bidden.robot.kernels import contiguous
from bidden.robot.kinematics import WRISTS, Kinematics
from bidden.safety.checks import Check
from bidden.safety.kernels import TINY, least
from bidden.safety.limits import (
    ARM_EFFORT,
    ARM_KD,
    ARM_KP,
    ARM_LOWER,
    ARM_UPPER,
    Limits,
)
from bidden.safety.scene import Scene

from .gaps import ArmGaps, Gaps, shares_of, surroundings_of
from .step import CHORD, FULL, Step, nearest_step
from .step_kernels import hand_ways, joint_targets, shortened, slowed

_LAG: Final = ARM_KD / ARM_KP  # of the servos [s]
_REACH: Final = ARM_EFFORT / ARM_KP  # [rad] of error that takes all their torque
_WRISTS: Final = np.array(WRISTS)


def limit_joints(
    wish: Array, posture: Array, state: RobotState, *, period: float, limits: Limits
) -> Step:
    """Arm targets inside range, torque and joint speed, from `posture`, (14,)."""
    value, ranged, strong, fast = joint_targets(
        contiguous(wish),
        posture,
        contiguous(state.q[g1.ARMS]),
        contiguous(state.dq[g1.ARMS]),
        ARM_LOWER,
        ARM_UPPER,
        _LAG,
        _REACH,
        limits.arm_speed * period,
    )
    checks = (
        (ranged, Check.JOINT_RANGE),
        (strong, Check.JOINT_TORQUE),
        (fast, Check.JOINT_SPEED),
    )
    return Step(value=value, found=[(Rung.WARN, check) for cut, check in checks if cut])


class ArmMotion:
    """Hand speed and distances of the arms' next step; holds constants only."""

    def __init__(self, kinematics: Kinematics) -> None:
        self._kinematics, self.gaps = kinematics, ArmGaps()

    def __call__(
        self,
        posture: Array,
        target: Array,
        *,
        q: Array,
        X_BP: Array,
        scene: Scene,
        period: float,
        limits: Limits,
        fleeing: tuple[float, float] = (0.0, 0.0),
    ) -> Step:
        """Arm targets that keep hands slow and arms apart.

        Args:
            posture: last vetted arm targets, (14,).
            target: wished ones, (14,).
            q: measured joint positions, (29,).
            X_BP: pose of the pelvis.
            scene: surroundings, in the base frame of now.
            period: time of the step [s].
            limits: the limits.
            fleeing: how much faster the right and the left hand may be, because the
                body carries it into a person [m/s].
        """
        if not np.abs(target - posture).max() > TINY:
            return Step(value=posture, found=[])
        around = surroundings_of(scene, X_BP)
        X_PL = self._poses(q, posture, target)
        gaps = self.gaps.measure(X_PL, around, limits)
        share, cut = shares_of(gaps)
        found = [(Rung.SLOW, check) for check in cut]
        if found:
            step = self._bend(target - posture, gaps, X_PL[0])
            target = posture + slowed(step, limits.arm_speed * period)
            target = np.minimum(np.maximum(target, ARM_LOWER), ARM_UPPER)
            X_PL = np.concatenate([X_PL[:1], self._poses(q, target)])
            gaps = self.gaps.measure(X_PL, around, limits)
            share, _ = shares_of(gaps)
        slow = _hand_shares(X_PL, _hand_speeds(gaps, fleeing, limits), period)
        if not least(*slow) >= FULL:
            found.append((Rung.SLOW, Check.HAND_SPEED))
        right, left = (least(a, b) for a, b in zip(share, slow, strict=True))
        return Step(
            value=shortened(posture, target, right, left),
            found=found,
            margin=min(g.margin for g in gaps),
        )

    def _poses(self, q: Array, *arms: Array) -> Array:
        """Link poses with the arms elsewhere, (len(arms), 30, 4, 4)."""
        postures = np.array([q] * len(arms))
        postures[:, g1.ARMS] = arms
        return self._kinematics.link_poses(postures)

    def _bend(self, step: Array, gaps: tuple[Gaps, ...], X_PL: Array) -> Array:
        """The step nearest to `step` that spares all gaps, as far as a line tells."""
        bent = step.copy()
        for arm in (0, 1):
            growth, room = [], []
            for kind in gaps:
                rows = kind.tightest(arm)
                if len(rows):
                    sides = kind.sides(arm, rows)
                    growth.append(self.gaps.growth(arm, sides, X_PL))
                    room.append(kind.room[arm][rows])
            if growth:
                own = g1.ARM_IN_COMMAND[arm]
                bent[own] = nearest_step(
                    step[own], np.concatenate(growth), np.concatenate(room)
                )
        return bent


def _hand_shares(X_PL: Array, speeds: list[float], period: float) -> list[float]:
    """Share of its step that each hand may take at most so fast."""
    ways = hand_ways(X_PL, _WRISTS, g1.GRIP_POINT)
    most = [CHORD * period * speed for speed in speeds]
    return [1.0 if w <= m else m / w for w, m in zip(ways, most, strict=True)]


def _hand_speeds(
    gaps: tuple[Gaps, ...], fleeing: tuple[float, float], limits: Limits
) -> list[float]:
    """How fast the hands may be, with or without a person near them [m/s]."""
    near = any(
        g.check is Check.PERSON_DISTANCE and not g.margin >= limits.person_hand
        for g in gaps
    )
    most = limits.hand_speed_near_person if near else limits.hand_speed
    return [min(most + flee, limits.hand_speed) for flee in fleeing]
