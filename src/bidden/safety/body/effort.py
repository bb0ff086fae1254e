"""What the arms' motors carry beyond the arms themselves: loads and contacts."""

from __future__ import annotations

from typing import Final

import numpy as np

from bidden.core.messages import Array, Rung
from bidden.robot import g1
from bidden.robot.balance import GRAVITY
from bidden.robot.ik_kernels import arm_effort
from bidden.robot.kernels import contiguous
from bidden.robot.model import load_model
from bidden.safety import kernels
from bidden.safety.checks import Check, Finding
from bidden.safety.limits import Limits

SMOOTHING_S: Final = 0.25  # of the residual; a step of the gait takes 0.5 s
# Of a hand 0.05 m off its joints; no mass is told from less [(N m/kg)^2]
_SMALLEST: Final = (0.05 * GRAVITY) ** 2
_STRONG: Final = 5  # joints of an arm; wrist pitch and yaw come last
_FIRST: Final = g1.ARMS.start + 1  # link of the first arm joint


class ArmEffort:
    """Torques of the arms in the order of the command; holds constants only."""

    def __init__(self) -> None:
        links = load_model().links[_FIRST:]
        self._axis = np.array([link.axis for link in links])
        self._com = np.array([link.com for link in links])
        self._mass = np.array([link.mass for link in links])
        self._grip = np.array([g1.GRIP_POINT, 0.0, 0.0])

    def __call__(self, X_PL: Array, gravity: Array) -> Array:
        """Torques that hold the arms alone, and 1 kg in each hand alone.

        Args:
            X_PL: link poses in the pelvis frame, (30, 4, 4).
            gravity: unit gravity in the pelvis frame, (3,).

        Returns:
            [N m] and [N m/kg], (2, 14).
        """
        torque: Array = arm_effort(
            X_PL[_FIRST:],
            self._com,
            self._axis,
            self._mass,
            GRAVITY * contiguous(gravity),
            self._grip,
            7,
        )
        return torque


def smoothed(before: Array | None, residual: Array, *, period: float) -> Array:
    """The residual torque without the swing of a step, (14,)."""
    if before is None:
        return contiguous(residual)
    after: Array = before + min(period / SMOOTHING_S, 1.0) * (residual - before)
    return after


def check_effort(residual: Array, per_kg: Array, limits: Limits) -> list[Finding]:
    """Whether the arms push against something, or carry too much.

    Args:
        residual: measured torque less what the arms weigh, smoothed, (14,) [N m].
        per_kg: torques that hold 1 kg in each hand, (14,) [N m/kg].
        limits: the limits.
    """
    found: list[Finding] = []
    push, weak_push, mass = kernels.pushes_of(residual, per_kg, _SMALLEST, _STRONG)
    if not (push <= limits.contact_torque and weak_push <= limits.contact_torque_wrist):
        found.append((Rung.HOLD, Check.CONTACT))
    if not mass <= limits.payload_mass:
        found.append((Rung.RETREAT, Check.PAYLOAD))
    return found
