"""The rung RETREAT: lower what the hands carry and step back, slowly.

It makes a wish like any other command: the shield judges it by the same checks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from bidden.core.messages import Array, Command
from bidden.robot import g1

STEP_BACK: Final = 0.3  # [m] by odometry: clear of a table's edge
SPEED: Final = 0.15  # [m/s] backwards, under ISO 10218's reduced 0.25
ARM_SPEED: Final = 0.5  # [rad/s] of every arm joint
REACHED: Final = 0.05  # [rad] from the lowered posture
LIMIT_S: Final = 6.0  # lowering takes up to 4 s; then the next rung
# Arms beside the body, hands at 0.64 m, where a load has a short lever, (14,) [rad]
LOWERED: Final[Array] = g1.DEFAULT_Q[g1.ARMS].copy()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Retreat:
    """A retreat that goes on."""

    since_ns: int
    start: Array  # odometry pose where it began, (3,)
    is_back: bool = False  # it has gone its way once; swaying since does not count

    def seen(self, base_pose: Array) -> Retreat:
        """The same with what this odometry pose says of its way."""
        way = float(np.hypot(*(base_pose[:2] - self.start[:2])))
        return replace(self, is_back=True) if way >= STEP_BACK else self

    def wish(self, posture: Array, grip: Array, *, period: float) -> Command:
        """The next command of the retreat; its stamps mean nothing.

        Args:
            posture: last vetted arm targets, (14,).
            grip: last vetted, (2,): what is held is not dropped.
            period: time since the last command [s].
        """
        most = ARM_SPEED * period
        step = np.minimum(np.maximum(LOWERED - posture, -most), most)
        base = np.array([0.0 if self.is_back else -SPEED, 0.0, 0.0])
        return Command(
            stamp_ns=self.since_ns,
            source_ns=self.since_ns,
            base_velocity=base,
            arm_q=posture + step,
            grip=grip,
        )

    def is_late(self, posture: Array, now_ns: int) -> bool:
        """Whether the arms should have arrived by now and have not."""
        return (
            now_ns - self.since_ns > LIMIT_S * 1e9
            and not np.abs(posture - LOWERED).max() <= REACHED
        )
