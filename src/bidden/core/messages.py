"""The messages that cross boundaries: frozen, stamped, SI units.

Frames: W is the world of the simulator (nobody but the simulator and the
evaluation knows it), O is the robot's odometry frame (drifts), B is the base frame:
origin on the floor under the pelvis, x forward, y left, z up (yaw only, so that
a table's height is its z), C is a camera (x right, y down, z forward; OpenCV).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
ACTION_NAMES: tuple[str, ...] = (
    "base_vx",  # [m/s]
    "base_vy",  # [m/s]
    "base_wz",  # [rad/s]
    "hand_dx",  # [m] per step, base frame
    "hand_dy",  # [m]
    "hand_dz",  # [m]
    "hand_droll",  # [rad]
    "hand_dpitch",  # [rad]
    "hand_dyaw",  # [rad]
    "grip",  # 0 open .. 1 closed
    "hand",  # 0 right .. 1 left
    "done",  # probability that the skill is finished
)
RIGHT, LEFT = 0, 1


class Skill(StrEnum):
    """What one policy call is asked to do. Order is the one-hot order of the policy."""

    WALK_TO = "walk_to"  # stand in front of a landmark or object, facing it
    MOVE_BY = "move_by"  # walk and/or turn by an amount (goal pose in odometry)
    FACE = "face"  # turn on the spot towards a landmark or object
    PICK = "pick"  # take an object from a table
    PUT = "put"  # put what is held on/in a receptacle
    WAVE = "wave"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Image:
    """One camera frame."""

    stamp_ns: int
    camera: str
    rgb: NDArray[np.uint8]  # (H, W, 3)
    depth: Array | None  # [m] along the optical axis, (H, W) float32; 0 is a hole
    K: Array  # intrinsics, (3, 3), pixel centres at +0.5
    X_BC: Array  # camera pose in the base frame, nominal (kinematics), (4, 4)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RobotState:
    """What the body measures about itself; joint order is `robot.g1.JOINTS`."""

    stamp_ns: int
    q: Array  # joint positions [rad], (29,)
    dq: Array  # joint velocities [rad/s], (29,)
    torque: Array  # applied joint torques [N m], (29,)
    gyro: Array  # pelvis angular velocity [rad/s], pelvis frame, (3,)
    gravity: Array  # unit gravity direction in the pelvis frame, (3,)
    base_pose: Array  # x, y [m], yaw [rad] in odometry, (3,)
    base_velocity: Array  # vx, vy [m/s], wz [rad/s] in the base frame, (3,)
    grip_width: Array  # finger opening right, left [m], 0 closed, (2,)
    grip_force: Array  # finger closing force right, left [N], (2,)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Command:
    """One 50 Hz command to the body, before the shield has seen it."""

    stamp_ns: int  # when it was made
    source_ns: int  # stamp of the observation that it came from
    base_velocity: Array  # vx, vy [m/s], wz [rad/s], (3,)
    arm_q: Array  # arm joint targets, left 7 then right 7 [rad], (14,)
    grip: Array  # right, left; 0 open .. 1 closed, (2,)


class Rung(IntEnum):
    """The ladder of safety answers; the worst rung wins."""

    PASS = 0
    WARN = 1
    SLOW = 2
    HOLD = 3
    RETREAT = 4
    SETTLE = 5
    CUT = 6


class Mode(StrEnum):
    """What the shield is ready for; `docs/safety.md` says what leads where."""

    DISARMED = "disarmed"  # holds, whatever is commanded
    READY = "ready"  # armed; nothing is asked of it
    ACTIVE = "active"  # armed; commands move the robot
    DEGRADED = "degraded"  # armed; less is done than was asked, until a fault clears
    STOPPED = "stopped"  # a fault that only a person clears: reset, then arm


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Health:
    """What the body knows of itself besides its motion.

    A body without a gauge leaves it out: NaN for the battery, None for the link.
    """

    stamp_ns: int
    battery: float = float("nan")  # charge, 0 empty .. 1 full; NaN where unknown
    motor_temperature: Array = field(  # [deg C] as drives report it, (29,)
        default_factory=lambda: np.full(29, 25.0)
    )
    estop: Literal["released", "pressed", "missing"] = "released"
    operator_ns: int | None = None  # stamp of the link's last heartbeat; None: no link


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Verdict:
    """What safety said about one command."""

    stamp_ns: int
    rung: Rung
    reasons: tuple[str, ...] = ()  # names of the checks that spoke, worst first
    margin_m: float = float("inf")  # least distance seen by any distance check


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Advice:
    """What a watch outside the tick asks of the shield; it can only make it stricter.

    Advice belongs to one chunk: it holds until the next chunk is loaded.
    """

    stamp_ns: int  # of the observation that it came from
    rung: Rung  # at least this
    reason: str  # name of a check that watches may use, see `safety.ADVISED`
    score: float = float("nan")  # what was measured
    bound: float = float("nan")  # what it was compared with


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grounding:
    """Where one named thing is."""

    role: str  # "object", "receptacle" or "landmark"
    phrase: str
    p_B: Array  # position in the base frame [m], (3,)
    spread_m: float  # one standard deviation, radial
    confidence: float  # probability that this is the named thing and it is in view
    stamp_ns: int = 0
    pixel: tuple[float, float] = (float("nan"), float("nan"))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ActionChunk:
    """A timed run of actions; it expires."""

    stamp_ns: int  # stamp of the observation that it came from
    actions: Array  # (T, 12), columns are ACTION_NAMES
    spread: Array  # standard deviation of each number, (T, 12)
    period_s: float = 0.1
    policy: str = ""
    groundings: tuple[Grounding, ...] = ()  # where the policy thinks named things are
    searching: bool = False  # it is still looking for what was named
    note: str = ""  # why it cannot act, or what it must ask; empty when all is well


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Goal:
    """One skill with its arguments: what a policy is asked to do."""

    skill: Skill
    instruction: str  # the words that asked for it
    phrases: dict[str, str] = field(default_factory=dict)  # role -> noun phrase
    amount: Array | None = None  # MOVE_BY: dx, dy [m], dyaw [rad] in B at the start
    hand: int = RIGHT
    relation: str = ""  # "in", "on", "" ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Observation:
    """All that a policy may read for one call."""

    stamp_ns: int
    state: RobotState
    images: dict[str, Image]
    goal: Goal
    started_ns: int  # when this goal began
    start_pose: Array  # odometry pose when the goal began, (3,)
    hand_target: Array  # both hands' target in B, xyz [m] rpy [rad], (2, 6)
    grip_command: Array  # last commanded grip right, left, (2,)
    was_held: bool = False  # the shield has held the body since the last one
