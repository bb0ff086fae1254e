"""What the action heads know: one target, the robot's own body, the time.

`features` is the one place that turns a belief into network inputs; training and
running both call it. Left-handed goals are mirrored here, so that the network only
ever learns a right hand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bidden.core.messages import Array, Skill

SKILLS: tuple[Skill, ...] = tuple(Skill)
ROLES: tuple[str, ...] = ("object", "receptacle", "landmark", "pose")
UNKNOWN_BELOW = 0.056  # [m] where the height was not seen: more than most things have
BELOW_SPAN = (0.012, 0.085)  # [m] of anything that a hand holds
_FLIP_POINT = np.array([1.0, -1.0, 1.0])
_FLIP_TWIST = np.array([1.0, -1.0, -1.0])  # vx, vy, wz
_FLIP_HAND = np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0])  # xyz rpy
# columns of an action that change sign in the mirror
_FLIP_ACTION = np.array([1, -1, -1, 1, -1, 1, -1, 1, -1, 1, 1, 1.0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Belief:
    """Inputs of the action heads, all in the base frame B, for the acting hand."""

    skill: Skill
    role: str  # what the target is: one of ROLES
    known: bool  # whether the target has been seen
    target: Array  # point, or x, y of a wanted pose [m], (3,)
    target_yaw: float  # [rad], MOVE_BY only
    hand: Array  # measured grip point and rpy, (6,)
    hand_target: Array  # executor's target, (6,)
    grip_command: float  # 0 open .. 1 closed
    grip_width: float  # [m]
    grip_force: float  # [N]
    base_velocity: Array  # vx, vy [m/s], wz [rad/s], (3,)
    elapsed_s: float  # since the skill began
    below: float = UNKNOWN_BELOW  # [m] from the grip point down to what is held's end

    @property
    def holding(self) -> bool:
        """Closed on something: commanded shut, fingers stopped apart, pressing."""
        return (
            self.grip_command > 0.5 and self.grip_width > 0.012 and self.grip_force > 2
        )


def mirror(belief: Belief) -> Belief:
    """The same situation for the other hand."""
    return replace(
        belief,
        target=belief.target * _FLIP_POINT,
        target_yaw=-belief.target_yaw,
        hand=belief.hand * _FLIP_HAND,
        hand_target=belief.hand_target * _FLIP_HAND,
        base_velocity=belief.base_velocity * _FLIP_TWIST,
    )


def mirror_actions(actions: Array) -> Array:
    """Actions (..., 12) for the other hand."""
    mirrored: Array = actions * _FLIP_ACTION
    return mirrored


def features(belief: Belief) -> Array:
    """Network input of one belief, (N_FEATURES,) float32."""
    b = belief
    skill = np.array([float(b.skill == s) for s in SKILLS])
    role = np.array([float(b.role == r) for r in ROLES])
    known = float(b.known)
    p = b.target * known
    distance = float(np.hypot(p[0], p[1]))
    bearing = float(np.arctan2(p[1], p[0])) * known
    offset = (p - b.hand[:3]) * known
    fine = np.clip(offset / 0.1, -2, 2)
    finest = np.clip(offset / 0.02, -2, 2)
    wave = np.array([np.sin(2 * np.pi * b.elapsed_s), np.cos(2 * np.pi * b.elapsed_s)])
    age = np.clip(b.elapsed_s - np.array([0.0, 1.5, 4.5]), 0, 2)
    return np.concatenate(
        [
            skill,
            role,
            [known, float(b.holding)],
            np.clip(p, -3, 3),
            [np.clip(distance, 0, 4), np.sin(bearing), np.cos(bearing), 2 * bearing],
            np.clip(p[:2] / 0.3, -2, 2),
            [np.sin(b.target_yaw), np.cos(b.target_yaw), 2 * b.target_yaw],
            offset * 2,
            fine,
            finest,
            b.hand[:3] * 2,
            b.hand[3:],
            (b.hand_target[:3] - b.hand[:3]) * 10,
            b.hand_target[:3] * 2,
            b.hand_target[3:],
            [b.grip_command, b.grip_width * 10, b.grip_force / 10],
            b.base_velocity * 2,
            wave * float(b.skill == Skill.WAVE),
            age * float(b.skill == Skill.WAVE),
            [b.below * 10 * float(b.skill == Skill.PUT)],
        ]
    ).astype(np.float32)
