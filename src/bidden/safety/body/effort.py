"""What the arms' motors carry beyond the arms themselves: loads and contacts."""

from __future__ import annotations

from typing import Final

import numpy as np

from bidden.core.messages import Array, Rung
from bidden.robot import g1
from bidden.robot.balance import GRAVITY
from bidden.robot.model import load_model
from bidden.safety.checks import Check, Finding
from bidden.safety.limits import Limits

SMOOTHING_S: Final = 0.25  # of the residual; a step of the gait takes 0.5 s
_LEVER: Final = 0.05  # [m] of a hand off its joints, below which no mass is told
_WEAK: Final = 5  # wrist pitch and yaw come last in each arm
_FIRST: Final = g1.ARMS.start + 1  # link of the first arm joint


class ArmEffort:
    """Torques of the arms in the order of the command; holds constants only."""

    def __init__(self) -> None:
        links = load_model().links[_FIRST:]
        axes = np.array([link.axis for link in links])
        com = np.array([link.com for link in links])
        grip = np.broadcast_to((g1.GRIP_POINT, 0.0, 0.0), (14, 3))
        self._local = np.stack([com, grip, axes])[..., None]  # (3, 14, 3, 1)
        # Sums over what a joint carries: masses of links, or 1 kg at the wrist's grip
        outward = np.kron(np.eye(2), np.triu(np.ones((7, 7))))
        last = np.kron(np.eye(2), np.eye(7)[[6] * 7])
        self._sums = np.stack([outward * [link.mass for link in links], last])
        self._carried = self._sums.sum(axis=2)[..., None]

    def __call__(self, X_PL: Array, gravity: Array) -> Array:
        """Torques that hold the arms alone, and 1 kg in each hand alone.

        Args:
            X_PL: link poses in the pelvis frame, (30, 4, 4).
            gravity: unit gravity in the pelvis frame, (3,).

        Returns:
            [N m] and [N m/kg], (2, 14).
        """
        X = X_PL[_FIRST:]
        p = X[:, :3, 3]
        turned = (X[:, :3, :3] @ self._local)[..., 0]
        x, y, z = (GRAVITY * gravity).tolist()
        # axis x gravity, per unit of mass and lever
        pull = turned[2] @ np.array([[0, -z, y], [z, 0, -x], [-y, x, 0.0]])
        levers = self._sums @ (turned[:2] + p) - self._carried * p
        torque: Array = (levers * pull).sum(axis=2)
        return torque


def smoothed(before: Array | None, residual: Array, *, period: float) -> Array:
    """The residual torque without the swing of a step, (14,)."""
    if before is None:
        return residual
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
    mass = loads_of(residual, per_kg)
    load = np.maximum(mass, 0.0)[:, None] * per_kg.reshape(2, 7)
    rest = np.abs(residual.reshape(2, 7) - load)
    if not (
        rest[:, :_WEAK].max() <= limits.contact_torque
        and rest[:, _WEAK:].max() <= limits.contact_torque_wrist
    ):
        found.append((Rung.HOLD, Check.CONTACT))
    if not mass.max() <= limits.payload_mass:
        found.append((Rung.RETREAT, Check.PAYLOAD))
    return found


def loads_of(residual: Array, per_kg: Array) -> Array:
    """Masses in the hands that explain the residual best, left and right [kg], (2,)."""
    one, two = per_kg.reshape(2, 7), residual.reshape(2, 7)
    size = np.maximum((one * one).sum(axis=1), (_LEVER * GRAVITY) ** 2)
    mass: Array = (one * two).sum(axis=1) / size
    return mass
