"""Every limit of the shield: one row each, with its unit and its source.

A `Limits` may be stricter than these tables, never looser. `tests/safety` holds its
own copy: changing a limit takes two edits that agree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Final

import numpy as np

from bidden.core.errors import ConfigError, unknown_name
from bidden.core.messages import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmJoint:
    """One arm joint: what its target may be."""

    name: str
    lower: float  # [rad] range of g1.xml (mjlab 1.6.0) less 0.05 rad
    upper: float  # [rad]
    effort: float  # [N m] motors in mjlab 1.6.0: 5020 has 25, 4010 has 5


def _joint(name: str, lower: float, upper: float, *, effort: float) -> ArmJoint:
    return ArmJoint(name=name, lower=lower, upper=upper, effort=effort)


ARM_JOINTS: Final = (
    _joint("left_shoulder_pitch_joint", -3.0392, 2.6204, effort=25.0),
    _joint("left_shoulder_roll_joint", -1.5382, 2.2015, effort=25.0),
    _joint("left_shoulder_yaw_joint", -2.568, 2.568, effort=25.0),
    _joint("left_elbow_joint", -0.9972, 2.0444, effort=25.0),
    _joint("left_wrist_roll_joint", -1.92222, 1.92222, effort=25.0),
    _joint("left_wrist_pitch_joint", -1.56443, 1.56443, effort=5.0),
    _joint("left_wrist_yaw_joint", -1.56443, 1.56443, effort=5.0),
    _joint("right_shoulder_pitch_joint", -3.0392, 2.6204, effort=25.0),
    _joint("right_shoulder_roll_joint", -2.2015, 1.5382, effort=25.0),
    _joint("right_shoulder_yaw_joint", -2.568, 2.568, effort=25.0),
    _joint("right_elbow_joint", -0.9972, 2.0444, effort=25.0),
    _joint("right_wrist_roll_joint", -1.92222, 1.92222, effort=25.0),
    _joint("right_wrist_pitch_joint", -1.56443, 1.56443, effort=5.0),
    _joint("right_wrist_yaw_joint", -1.56443, 1.56443, effort=5.0),
)
ARM_LOWER: Final[Array] = np.array([joint.lower for joint in ARM_JOINTS])
ARM_UPPER: Final[Array] = np.array([joint.upper for joint in ARM_JOINTS])
ARM_EFFORT: Final[Array] = np.array([joint.effort for joint in ARM_JOINTS])
# Gains of the arms' position servos, of the measured recipe: [N m/rad], [N m s/rad]
ARM_KP: Final = 40.0
ARM_KD: Final = 3.0

# A measured state outside these is a broken sensor, not a posture.
ENCODER_SLACK: Final = 0.3  # [rad] past the joint range; stops give a little
GYRO_MAX: Final = 35.0  # [rad/s] full scale of the IMU, 2000 deg/s
ODOMETRY_MAX: Final = 1e4  # [m], [rad]
BASE_SPEED_MAX: Final = 10.0  # [m/s], [rad/s]; a fall from standing reaches 4 m/s
TORQUE_MAX: Final = 500.0  # [N m]; the strongest motor has 139
WIDTH_MAX: Final = 0.2  # [m] of finger opening
FORCE_MAX: Final = 1e3  # [N]
JUMP_SLACK: Final = 0.05  # [rad] an encoder may jump over twice its motor's speed
FUTURE_SLACK_NS: Final = 1_000_000  # stamps may lead the clock by its rounding


def _at_most(value: float) -> float:
    """A limit that may only be lowered."""
    default: float = field(default=value, metadata={"sign": 1.0, "table": value})
    return default


def _at_least(value: float) -> float:
    """A limit that may only be raised."""
    default: float = field(default=value, metadata={"sign": -1.0, "table": value})
    return default


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits that are not per joint.

    Raises:
        ConfigError: a limit is not finite, negative, or looser than the table.
    """

    # Speeds. Base: random commands in this range for 60 s, 0 falls in 20 (g1.md).
    base_forward: float = _at_most(0.8)  # [m/s]
    base_backward: float = _at_most(0.5)  # [m/s] -0.4 measured, -0.5 reached by kicks
    base_sideways: float = _at_most(0.4)  # [m/s]
    base_turn: float = _at_most(0.9)  # [rad/s] 0.8 measured; the gait under-tracks 7 %
    base_acceleration: float = _at_most(3.0)  # [m/s^2]; steps survived, tuned smoother
    base_turn_acceleration: float = _at_most(6.0)  # [rad/s^2] likewise
    arm_speed: float = _at_most(3.0)  # [rad/s] IK of the recipe; motors do 22 to 37
    hand_speed: float = _at_most(1.0)  # [m/s] under all but the face in ISO/TS 15066
    hand_speed_near_person: float = _at_most(0.25)  # [m/s] ISO 10218 reduced speed
    # Ages
    state_age_s: float = _at_most(0.04)  # two control ticks
    command_age_s: float = _at_most(0.1)  # MoveIt Servo incoming_command_timeout
    source_age_s: float = _at_most(1.0)  # a chunk of 0.8 s and one policy period
    scene_slow_age_s: float = _at_most(0.6)  # three periods of perception
    scene_hold_age_s: float = _at_most(1.0)  # 0.8 m at full speed; boxes are padded
    # Distances between surfaces
    self_clearance: float = _at_least(0.010)  # [m] MoveIt Servo self 0.01
    arm_clearance: float = _at_least(0.010)  # [m] upper arm, forearm, wrist to boxes
    hand_clearance: float = _at_least(0.002)  # [m] hands to boxes: grasping comes near
    approach_gain: float = _at_most(0.25)  # of the gap per tick; mink uses 0.85
    body_radius: float = _at_least(0.12)  # [m] torso capsule 0.09 at 0.01, rounded up
    body_clearance: float = _at_least(0.02)  # [m] MoveIt Servo scene 0.02
    body_gain: float = _at_most(1.5)  # [1/s] approach speed per metre of gap; tuned
    # People
    person_clearance: float = _at_least(0.10)  # [m] arms; half of a hand's length
    person_stop: float = _at_least(0.45)  # [m] base; S_p at 0.25 m/s less v_h, tuned
    person_gain: float = _at_most(0.8)  # [1/s]: 0.69 m/s at the S_p of 1.31 m
    person_slow: float = _at_least(1.31)  # [m] S_p of ISO/TS 15066 at 1 m/s
    person_slow_speed: float = _at_most(0.4)  # [m/s] of the base inside it
    person_hand: float = _at_least(0.67)  # [m] S_p at 0.5 m/s: hands go slow inside it
    # Balance; margins measured on the gait: least 0.07 m below zero while walking
    # undisturbed, 0.27 m below zero and standing again after pushes of 0.3 m/s.
    capture_slow: float = _at_least(-0.12)  # [m] to the hull of both feet
    capture_hold: float = _at_least(-0.25)  # [m]
    tilt_hold: float = _at_most(0.35)  # [rad] 20 deg; most without a fall 0.1
    tilt_settle: float = _at_most(0.6)  # [rad] 34 deg; no return was seen from 0.5
    pelvis_settle: float = _at_least(0.45)  # [m]; walking keeps 0.65, pushes 0.53
    settle_s: float = _at_least(2.0)  # crouching takes at least this long

    fence_radius: float = _at_most(1e4)  # [m] around odometry's origin; site decides
    fence_clearance: float = _at_least(0.15)  # [m] sway of a walking body, and its lag
    fence_gain: float = _at_most(1.5)  # [1/s] outward speed per metre left; tuned
    fence_deceleration: float = _at_most(1.0)  # [m/s^2] PX4 rule: margin >= v^2 / 2a
    # Sensors and loads
    stuck_s: float = _at_most(0.4)  # fault row 5: 0.5 s, less what judging takes
    stamp_drops: float = _at_most(2.0)  # samples a second that may come disordered
    contact_torque: float = _at_most(6.0)  # [N m] of 25, smoothed; work reaches 2.0
    contact_torque_wrist: float = _at_most(2.0)  # [N m] of 5; work reaches 0.8
    payload_mass: float = _at_most(1.0)  # [kg] in one hand; work reaches 0.34
    # What the body reports of itself
    health_age_s: float = _at_most(0.5)  # Autoware: no hazard status for 0.5 s
    link_hold_s: float = _at_most(1.0)  # operator silent; PX4 offboard, fault row 20
    link_settle_s: float = _at_most(5.0)  # fault row 20
    battery_warn: float = _at_least(0.25)  # of the charge; PX4 warns at 0.15
    battery_arm: float = _at_least(0.20)  # do not begin below it; tuned
    battery_hold: float = _at_least(0.15)  # a gait takes about 0.01 a minute; tuned
    battery_settle: float = _at_least(0.08)  # settling takes seconds; tuned
    motor_warm_celsius: float = _at_most(75.0)  # derate from here; tuned
    motor_hot_celsius: float = _at_most(90.0)  # settle; class B windings do 130

    def __post_init__(self) -> None:
        for row in fields(Limits):
            name, sign = row.name, float(row.metadata["sign"])
            value, table = getattr(self, name), row.metadata["table"]
            if not (isinstance(value, int | float) and math.isfinite(value)):
                raise ConfigError(f"limit {name} must be a finite number, not {value}")
            if not (sign * value <= sign * table):
                bound = "at most" if sign > 0 else "at least"
                raise ConfigError(f"limit {name} must be {bound} {table}, not {value}")
            if not (value >= 0 or table < 0):
                raise ConfigError(f"limit {name} must not be negative: {value}")


def limits_from(table: dict[str, float]) -> Limits:
    """Limits with some rows made stricter.

    Raises:
        ConfigError: an unknown row, or one that `Limits` refuses.
    """
    names = [row.name for row in fields(Limits)]
    for name in table:
        if name not in names:
            raise ConfigError(unknown_name("limit", name, names))
    return Limits(**table)
