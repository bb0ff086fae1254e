"""From features back to the belief, so that old play always has today's labels."""

from __future__ import annotations

import numpy as np

from bidden.adapters.sim.experts import expert_chunk
from bidden.brain.policy.belief import ROLES, SKILLS, UNKNOWN_BELOW, Belief
from bidden.core.messages import Array, Skill


def belief_of(x: Array) -> Belief:
    """The belief that gave these features; inverse of `brain.policy.belief.features`.

    Points farther than 3 m come back at 3 m; the time is exact for waving only.
    """
    x = np.asarray(x, float)
    skill = SKILLS[int(np.argmax(x[:7]))]
    return Belief(
        skill=skill,
        role=ROLES[int(np.argmax(x[7:11]))],
        known=bool(x[11] > 0.5),
        target=x[13:16].copy(),
        target_yaw=float(x[24]) / 2,
        hand=np.concatenate([x[34:37] / 2, x[37:40]]),
        hand_target=np.concatenate([x[43:46] / 2, x[46:49]]),
        grip_command=float(x[49]),
        grip_width=float(x[50]) / 10,
        grip_force=float(x[51]) * 10,
        base_velocity=x[52:55] / 2,
        elapsed_s=_elapsed(x[55:57], x[57:60]) if skill is Skill.WAVE else 0.0,
        below=float(x[60]) / 10 if skill is Skill.PUT else UNKNOWN_BELOW,
    )


def _elapsed(wave: Array, age: Array) -> float:
    """Seconds from the clipped ages; the phase of the wave fills the gap."""
    if age[0] < 2.0:
        return float(age[0])
    if age[1] < 2.0:
        return 1.5 + float(age[1])
    if age[2] > 0.0:
        return 4.5 + float(age[2])
    phase = float(np.arctan2(wave[0], wave[1]) / (2 * np.pi)) % 1.0
    return 3.0 + phase if phase > 0.45 else 4.0 + phase


def relabel(x: Array, steps: int) -> Array:
    """Expert chunks for features (N, F), (N, steps, 12) float32."""
    chunks = [expert_chunk(belief_of(row), steps) for row in x]
    return np.stack(chunks).astype(np.float32)
