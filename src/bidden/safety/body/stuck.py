"""Sensors that stand still while the body moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from bidden.core.messages import Array
from bidden.safety import kernels

WALKING: Final = 0.05  # [m/s], [rad/s] of the vetted base, from which it must be felt
REACHING: Final = 0.1  # [rad/s] of a vetted arm joint, likewise
# What is watched, one number each: positions, speeds, IMU and odometry
_SIZE: Final = 29 + 29 + 3 + 3 + 3 + 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stillness:
    """For how long each number has not changed although the body moved."""

    stamp_ns: int
    numbers: Array  # as last measured, see `checks.numbers_of`, (103,)
    still_s: Array  # (70,)
    posture: Array  # arm targets then, (14,)

    def is_stuck(self, most_s: float) -> bool:
        """Whether any number has been still for too long."""
        return not self.still_s.max() < most_s


def watch(
    before: Stillness | None,
    numbers: Array,
    *,
    stamp_ns: int,
    posture: Array,
    base: Array,
) -> Stillness:
    """The stillness after one more sample.

    Args:
        before: what was known; None at the first sample.
        numbers: the new sample, see `checks.numbers_of`, (103,).
        stamp_ns: its stamp.
        posture: last vetted arm targets, (14,).
        base: last vetted base velocity, (3,).
    """
    if before is None:
        still = np.zeros(_SIZE)
    elif stamp_ns == before.stamp_ns:
        return before  # no new sample: its age is judged, not its content
    else:
        still = kernels.still_for(
            before.still_s,
            numbers,
            before.numbers,
            posture,
            before.posture,
            base,
            (stamp_ns - before.stamp_ns) * 1e-9,
            WALKING,
            REACHING,
        )
    return Stillness(stamp_ns=stamp_ns, numbers=numbers, still_s=still, posture=posture)
