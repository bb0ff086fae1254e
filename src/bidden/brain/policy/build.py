"""From an observation and a target point to a belief, and back to actions."""

from __future__ import annotations

import numpy as np

from bidden.core.frames import rpy_of, to_planar, wrap
from bidden.core.messages import LEFT, Array, Observation, Skill
from bidden.robot.kinematics import Kinematics

from .belief import BELOW_SPAN, UNKNOWN_BELOW, Belief, mirror

_KINEMATICS = Kinematics()


def build_belief(
    observation: Observation,
    *,
    role: str,
    target: Array | None,
    below: float = UNKNOWN_BELOW,
) -> Belief:
    """The belief of the acting hand, mirrored to a right hand.

    Args:
        observation: what was measured.
        role: which kind of target this skill has.
        target: the tracked point in B [m], or None while it has not been seen.
        below: how far what is held hangs down from the grip point [m].
    """
    o = observation
    hand = o.goal.hand
    X = _KINEMATICS.hand_poses(o.state.q, o.state.gravity)[hand]
    yaw = 0.0
    if o.goal.skill is Skill.MOVE_BY:
        role = "pose"
        target, yaw = _wanted_pose(o)
    belief = Belief(
        skill=o.goal.skill,
        role=role,
        known=target is not None,
        target=np.zeros(3) if target is None else np.asarray(target, float),
        target_yaw=yaw,
        hand=np.concatenate([X[:3, 3], rpy_of(X[:3, :3])]),
        hand_target=o.hand_target[hand].copy(),
        grip_command=float(o.grip_command[hand]),
        grip_width=float(o.state.grip_width[hand]),
        grip_force=float(o.state.grip_force[hand]),
        base_velocity=o.state.base_velocity,
        elapsed_s=(o.stamp_ns - o.started_ns) * 1e-9,
        below=float(np.clip(below, *BELOW_SPAN)),
    )
    return mirror(belief) if hand == LEFT else belief


def _wanted_pose(o: Observation) -> tuple[Array, float]:
    """Goal pose of MOVE_BY in the present base frame, from odometry."""
    amount = np.zeros(3) if o.goal.amount is None else o.goal.amount
    x0, y0, yaw0 = o.start_pose
    c, s = np.cos(yaw0), np.sin(yaw0)
    goal = np.array(
        [x0 + c * amount[0] - s * amount[1], y0 + s * amount[0] + c * amount[1], 0.0]
    )
    p = to_planar(goal, o.state.base_pose)
    # counted around the middle of the turn, so that half a circle neither starts the
    # wrong way nor, a little past its end, begins another round
    half = amount[2] / 2
    left = half - wrap(o.state.base_pose[2] - yaw0 - half)
    return p, float(left)
