"""Sensors that stand still while the body moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bidden.core.messages import Array, RobotState

WALKING: Final = 0.05  # [m/s], [rad/s] of the vetted base, from which it must be felt
REACHING: Final = 0.1  # [rad/s] of a vetted arm joint, likewise
# What is watched, one number each: positions, speeds, IMU and odometry
_SIZE: Final = 29 + 29 + 3 + 3 + 3 + 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stillness:
    """For how long each number has not changed although the body moved."""

    stamp_ns: int
    numbers: Array  # as last measured, (70,)
    still_s: Array  # (70,)
    posture: Array  # arm targets then, (14,)

    def is_stuck(self, most_s: float) -> bool:
        """Whether any number has been still for too long."""
        return not self.still_s.max() < most_s


def watch(
    before: Stillness | None, state: RobotState, *, posture: Array, base: Array
) -> Stillness:
    """The stillness after one more sample.

    Args:
        before: what was known; None at the first sample.
        state: the new sample.
        posture: last vetted arm targets, (14,).
        base: last vetted base velocity, (3,).
    """
    numbers = np.concatenate(
        [
            state.q, state.dq, state.gyro, state.gravity, state.base_pose,
            state.base_velocity,
        ]
    )  # fmt: skip
    if before is None:
        still = np.zeros(_SIZE)
    elif state.stamp_ns == before.stamp_ns:
        return before  # no new sample: its age is judged, not its content
    else:
        period = (state.stamp_ns - before.stamp_ns) * 1e-9
        still = before.still_s + period * _must_move(before, posture, base, period)
        still *= numbers == before.numbers
    return Stillness(
        stamp_ns=state.stamp_ns, numbers=numbers, still_s=still, posture=posture
    )


def _must_move(
    before: Stillness, posture: Array, base: Array, period: float
) -> NDArray[np.bool_]:
    """Which numbers the last vetted command lets expect to change, (70,)."""
    vx, vy, wz = base.tolist()
    walks = vx * vx + vy * vy + wz * wz > WALKING * WALKING
    must = np.full(_SIZE, walks)
    reaches = np.abs(posture - before.posture) > REACHING * period
    must[15:29] = must[44:58] = reaches
    return must
