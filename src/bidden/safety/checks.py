"""Checks of what comes in: shapes, numbers, stamps, ages, and the robot's balance.

Each check adds findings: a rung and the name of the check. None raises on bad data.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import numpy as np

from bidden.core.messages import Advice, Array, Command, RobotState, Rung
from bidden.robot.balance import Balance
from bidden.robot.kernels import contiguous
from bidden.robot.kinematics import Kinematics
from bidden.robot.model import load_model

from . import kernels
from . import limits as table
from .limits import Limits


class Check(StrEnum):
    """The name of every check, as it appears in a verdict's reasons."""

    DISARMED = "disarmed"
    INTERNAL = "internal_error"
    CLOCK = "clock_backwards"
    STATE_STALE = "state_stale"
    STATE_INVALID = "state_invalid"
    STATE_STAMP = "state_stamp"
    STATE_JUMP = "state_jump"
    COMMAND_MISSING = "command_missing"
    COMMAND_INVALID = "command_invalid"
    COMMAND_STAMP = "command_stamp"
    COMMAND_STALE = "command_stale"
    SOURCE_STALE = "source_stale"
    SCENE_INVALID = "scene_invalid"
    SCENE_STALE = "scene_stale"
    JOINT_RANGE = "joint_range"
    JOINT_TORQUE = "joint_torque"
    JOINT_SPEED = "joint_speed"
    BASE_SPEED = "base_speed"
    HAND_SPEED = "hand_speed"
    SELF_DISTANCE = "self_distance"
    SCENE_DISTANCE = "scene_distance"
    PERSON_DISTANCE = "person_distance"
    TILT = "tilt"
    HEIGHT = "pelvis_height"
    CAPTURE_POINT = "capture_point"
    RISING = "rising"
    FORESEEN_CONTACT = "foreseen_contact"
    FORESEEN_FALL = "foreseen_fall"
    POLICY_UNCERTAIN = "policy_uncertain"
    UNFAMILIAR_VIEW = "unfamiliar_view"
    ESTOP = "estop"
    HEALTH_INVALID = "health_invalid"
    HEALTH_STALE = "health_stale"
    BATTERY = "battery"
    MOTOR_HOT = "motor_hot"
    OPERATOR_LINK = "operator_link"
    STATE_STUCK = "state_stuck"
    CONTACT = "contact"
    PAYLOAD = "payload"
    GEOFENCE = "geofence"
    RETREAT_BLOCKED = "retreat_blocked"
    POLICY_LOST = "policy_lost"
    MONITOR_LOST = "monitor_lost"
    IMAGE_STALE = "image_stale"
    IMAGE_FROZEN = "image_frozen"
    IMAGE_UNUSABLE = "image_unusable"
    SOURCES_DISAGREE = "sources_disagree"


Finding = tuple[Rung, Check]
# What a watch outside the tick may give as its reason (`core.messages.Advice`)
ADVISED: Final = frozenset(
    {
        Check.FORESEEN_CONTACT,
        Check.FORESEEN_FALL,
        Check.POLICY_UNCERTAIN,
        Check.UNFAMILIAR_VIEW,
        Check.POLICY_LOST,
        Check.MONITOR_LOST,
        Check.IMAGE_STALE,
        Check.IMAGE_FROZEN,
        Check.IMAGE_UNUSABLE,
        Check.SOURCES_DISAGREE,
    }
)


# What a measured state is made of, and how many numbers each; moving things first
_PARTS: Final = (29, 29, 3, 3, 3, 3, 29, 2, 2)


def _state_bounds() -> tuple[Array, Array]:
    joints = load_model().links[1:]
    speed = [2.0 * j.speed for j in joints]
    high = [
        *speed,
        *[table.GYRO_MAX] * 3,
        *[1.1] * 3,
        *[table.ODOMETRY_MAX] * 3,
        *[table.BASE_SPEED_MAX] * 3,
        *[table.TORQUE_MAX] * 29,
        *[table.WIDTH_MAX] * 2,
        *[table.FORCE_MAX] * 2,
    ]
    lower = [j.lower - table.ENCODER_SLACK for j in joints]
    upper = [j.upper + table.ENCODER_SLACK for j in joints]
    return np.array([*lower, *(-v for v in high)]), np.array([*upper, *high])


def numbers_of(state: object) -> Array | None:
    """All that a state says, in one row; None when it is not made of numbers, (103,).

    Order: q, dq, gyro, gravity, base pose, base velocity, torque, grip width, force.
    """
    if not (isinstance(state, RobotState) and isinstance(state.stamp_ns, int)):
        return None
    parts = (
        state.q, state.dq, state.gyro, state.gravity, state.base_pose,
        state.base_velocity, state.torque, state.grip_width, state.grip_force,
    )  # fmt: skip
    for part, count in zip(parts, _PARTS, strict=True):
        if not _is_numbers(part, (count,)):
            return None
    return np.concatenate(parts, dtype=np.float64)


class StateCheck:
    """Whether a measured state can be believed; holds constants only."""

    def __init__(self) -> None:
        self._low, self._high = _state_bounds()
        self._speed = np.array([2.0 * j.speed for j in load_model().links[1:]])

    def __call__(
        self,
        state: RobotState,
        numbers: Array | None,
        last: RobotState | None,
        *,
        now_ns: int,
    ) -> Check | None:
        """The check that refuses the state, or None.

        Args:
            state: measured.
            numbers: what `numbers_of` gives for it.
            last: the newest one that was believed.
            now_ns: time of the control loop.
        """
        if numbers is None or not kernels.is_within(numbers, self._low, self._high):
            return Check.STATE_INVALID
        gx, gy, gz = state.gravity.tolist()
        if not (gx * gx + gy * gy + gz * gz >= 0.5):
            return Check.STATE_INVALID
        if not (state.stamp_ns <= now_ns + table.FUTURE_SLACK_NS):
            return Check.STATE_STAMP
        if last is None:
            return None
        if not (state.stamp_ns >= last.stamp_ns):
            return Check.STATE_STAMP
        period = (state.stamp_ns - last.stamp_ns) * 1e-9
        q, before = numbers[:29], contiguous(last.q)
        if not kernels.is_near(q, before, self._speed, period, table.JUMP_SLACK):
            return Check.STATE_JUMP
        return None


def _is_numbers(a: object, shape: tuple[int, ...]) -> bool:
    return isinstance(a, np.ndarray) and a.shape == shape and a.dtype.kind in "fiu"


def check_advice(advice: Sequence[Advice]) -> list[Finding]:
    """One finding for each piece of advice; what cannot be read means hold."""
    found: list[Finding] = []
    for one in advice:
        if isinstance(one, Advice) and one.reason in ADVISED:
            found.append((Rung(one.rung), Check(one.reason)))
        else:
            found.append((Rung.HOLD, Check.INTERNAL))
    return found


def check_command(
    command: Command | None, last_ns: int, *, now_ns: int, limits: Limits
) -> Check | None:
    """The check that refuses a command as a whole, or None."""
    if command is None:
        return Check.COMMAND_MISSING
    if not (
        _is_numbers(command.base_velocity, (3,))
        and _is_numbers(command.arm_q, (14,))
        and _is_numbers(command.grip, (2,))
        and isinstance(command.stamp_ns, int)
        and isinstance(command.source_ns, int)
        and kernels.are_finite(
            contiguous(command.base_velocity),
            contiguous(command.arm_q),
            contiguous(command.grip),
        )
    ):
        return Check.COMMAND_INVALID
    newest = now_ns + table.FUTURE_SLACK_NS
    if not (
        command.stamp_ns <= newest
        and command.source_ns <= newest
        and command.stamp_ns >= last_ns
    ):
        return Check.COMMAND_STAMP
    if not (now_ns - command.stamp_ns <= limits.command_age_s * 1e9):
        return Check.COMMAND_STALE
    if not (now_ns - command.source_ns <= limits.source_age_s * 1e9):
        return Check.SOURCE_STALE
    return None


class BalanceCheck:
    """Tilt, height and capture point; holds constants only."""

    def __init__(self, kinematics: Kinematics) -> None:
        self._kinematics, self._balance = kinematics, Balance()

    def __call__(
        self,
        state: RobotState,
        X_PL: Array,
        *,
        X_BP: Array,
        limits: Limits,
        is_settled: bool,
    ) -> list[Finding]:
        """Findings for links at `X_PL`, (30, 4, 4).

        A robot that was settled may be low: height counts for a standing one.
        """
        found: list[Finding] = []
        tilt = math.acos(min(max(float(X_BP[2, 2]), -1.0), 1.0))
        if not (tilt <= limits.tilt_settle):
            found.append((Rung.SETTLE, Check.TILT))
        elif not (tilt <= limits.tilt_hold):
            found.append((Rung.HOLD, Check.TILT))
        if not (is_settled or X_BP[2, 3] >= limits.pelvis_settle):
            found.append((Rung.SETTLE, Check.HEIGHT))
        margin = self.capture_margin(state, X_PL, X_BP=X_BP)
        if not (margin >= limits.capture_hold):
            found.append((Rung.HOLD, Check.CAPTURE_POINT))
        elif not (margin >= limits.capture_slow):
            found.append((Rung.SLOW, Check.CAPTURE_POINT))
        return found

    def capture_margin(self, state: RobotState, X_PL: Array, *, X_BP: Array) -> float:
        """Signed distance of the capture point to the hull of both feet [m].

        Both feet, because a walking robot's next step is where its swing foot is.
        """
        return self._balance.capture_margin(
            X_PL,
            state.dq,
            X_BP=X_BP,
            gyro=state.gyro,
            base=state.base_velocity,
            soles=self._kinematics.sole_points(X_PL, X_BP),
        )
