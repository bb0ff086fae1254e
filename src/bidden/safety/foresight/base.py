"""Where the base goes when a chunk is played: the gait answers late and too weakly."""

from __future__ import annotations

from typing import Final

import numpy as np

from bidden.core.messages import Array
from bidden.safety.limits import Limits

STEP_S: Final = 0.1  # [s] of one predicted step
STILL: Final = 0.01  # [m/s], [rad/s] commands below this stand, as the gait has it
# What the gait makes of a steady command: measured over 10 s, 7 to 48 % too little.
GAIN: Final[dict[str, float]] = {
    "forward": 0.82, "backward": 0.80, "sideways": 0.52, "turn": 0.93
}  # fmt: skip
# It answers in two stages: what it aims at follows the command, its velocity follows
# that. Shares of the way in 0.1 s: forward, sideways, turning; and how much of the
# measured velocity each stage begins with, because it sways. Fitted on 90 chunks of
# 0.8 s in simulation (development seed 5); the errors that are left: docs/safety.md.
AIMING: Final[Array] = np.array([0.30, 0.15, 0.70])
ANSWER: Final[Array] = np.array([0.20, 0.70, 1.00])
AIM_TRUST: Final[Array] = np.array([0.6, 0.0, 0.8])
TRUST: Final[Array] = np.array([1.0, 0.8, 1.0])


def limit_wish(wish: Array, limits: Limits) -> Array:
    """Commands inside the table of speeds, (T, 3)."""
    high = np.array([limits.base_forward, limits.base_sideways, limits.base_turn])
    low = np.array([-limits.base_backward, -limits.base_sideways, -limits.base_turn])
    inside: Array = np.minimum(np.maximum(wish, low), high)
    return inside


def answer_to(wish: Array) -> Array:
    """The velocity that the gait settles to under a command, (..., 3)."""
    forward = np.where(wish[..., 0] >= 0.0, GAIN["forward"], GAIN["backward"])
    gain = np.stack(
        [
            forward,
            np.full_like(forward, GAIN["sideways"]),
            np.full_like(forward, GAIN["turn"]),
        ],
        axis=-1,
    )
    moves = np.abs(wish).max(axis=-1, keepdims=True) >= STILL
    answer: Array = np.where(moves, gain * wish, 0.0)
    return answer


def predict_base(wish: Array, velocity: Array) -> tuple[Array, Array]:
    """Poses and velocities of the base after each step of a chunk.

    Args:
        wish: commanded vx, vy [m/s], wz [rad/s] in each step, (T, 3).
        velocity: measured now, (3,).

    Returns:
        x, y [m], yaw [rad] in the base frame of now, (T + 1, 3), now included, and
        vx, vy, wz in the base frame of then, (T + 1, 3).
    """
    goal = answer_to(wish)
    speeds, poses = np.zeros((len(wish) + 1, 3)), np.zeros((len(wish) + 1, 3))
    speeds[0], aim = TRUST * velocity, AIM_TRUST * velocity
    x = y = yaw = 0.0
    for k in range(len(wish)):
        aim = aim + AIMING * (goal[k] - aim)
        speeds[k + 1] = speeds[k] + ANSWER * (aim - speeds[k])
        vx, vy, wz = (0.5 * (speeds[k] + speeds[k + 1])).tolist()
        middle = yaw + 0.5 * STEP_S * wz
        c, s = np.cos(middle), np.sin(middle)
        x += STEP_S * (c * vx - s * vy)
        y += STEP_S * (s * vx + c * vy)
        yaw += STEP_S * wz
        poses[k + 1] = x, y, yaw
    return poses, speeds
