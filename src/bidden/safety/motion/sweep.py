"""What the base's motion does to people beside the arms: it carries the hands along.

`base.py` looks at the body's axis and `arms.py` at what the arms do by themselves; an
arm that is held out is carried along by every step and turn of the base. A commanded
one is slowed. One that nobody commanded, such as a stumble, cannot be; there the arm
gives way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from bidden.core.messages import Array, Rung
from bidden.robot import g1
from bidden.robot.capsules import BodyCapsules
from bidden.robot.kernels import contiguous
from bidden.safety.checks import Check
from bidden.safety.kernels import TINY
from bidden.safety.limits import ARM_LOWER, ARM_UPPER, Limits
from bidden.safety.scene import Scene

from .gap_kernels import closing_speeds, people_near, people_within, share_beside
from .gaps import ArmGaps
from .step import FULL, Step

REACH: Final = 1.2  # [m] from the body's axis: no hand, and none soon, is beyond
SWAY: Final = 0.15  # [m/s] of a body that walks in place; slower is no stumble
STUMBLE_S: Final = 0.3  # that one lasts until the next step catches it; tuned
_DAMPING: Final = 1e-3  # [m^2/rad^2] so that a stretched arm makes no leap
_HERE: Final = np.eye(4)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Nearness:
    """The parts of both arms and the people's capsules, (12, N) each."""

    X_PL: Array  # measured link poses in the pelvis frame, (30, 4, 4)
    X_BP: Array  # pose of the pelvis
    gaps: Array  # [m]
    points: Array  # of the arms, in B [m], (12, N, 3)
    away: Array  # from the person, in B, unit vectors, (12, N, 3)

    def closing(self, velocity: Array) -> Array:
        """Speeds at which a base velocity in B, (3,), closes the gaps [m/s]."""
        closing: Array = closing_speeds(self.points, self.away, contiguous(velocity))
        return closing


class Sweep:
    """What the base does to the arms' distances from people; constants only.

    Args:
        gaps: the arms' capsules, and how joints move them.
    """

    def __init__(self, gaps: ArmGaps) -> None:
        self._body, self._gaps = BodyCapsules(), gaps
        self._arms = self._body.arms.ravel()
        self._radius = self._body.radius[self._arms]

    def near(self, X_PL: Array, X_BP: Array, scene: Scene) -> Nearness | None:
        """Where the arms and the people are to each other; None when nobody is near.

        Args:
            X_PL: measured link poses in the pelvis frame, (30, 4, 4).
            X_BP: pose of the pelvis.
            scene: surroundings, in the base frame of now.
        """
        ends, radius = people_within(
            contiguous(scene.person_ends),
            contiguous(scene.person_radius),
            scene.people_beside,
            _HERE,
            REACH,
        )
        if not len(radius):
            return None
        gaps, points, away = people_near(
            self._body.segments(X_PL), self._arms, self._radius, X_BP, ends, radius
        )
        return Nearness(X_PL=X_PL, X_BP=X_BP, gaps=gaps, points=points, away=away)

    def slowed(self, velocity: Array, near: Nearness | None, *, limits: Limits) -> Step:
        """The base velocity, all of it slowed by the arm that nears a person most.

        Args:
            velocity: vx, vy [m/s], wz [rad/s] in B, (3,).
            near: see `near`.
            limits: the limits.
        """
        if near is None or not np.abs(velocity).max() > TINY:
            return Step(value=velocity, found=[])
        share, margin = share_beside(
            near.gaps,
            near.closing(velocity),
            limits.person_clearance,
            limits.person_gain,
        )
        if share >= FULL:
            return Step(value=velocity, found=[], margin=margin)
        return Step(
            value=share * velocity,
            found=[(Rung.SLOW, Check.PERSON_DISTANCE)],
            margin=margin,
        )

    def give_way(
        self,
        wish: Array,
        posture: Array,
        near: Nearness | None,
        *,
        velocity: Array,
        period: float,
        limits: Limits,
    ) -> tuple[Step, tuple[float, float]]:
        """Arm targets, (14,): an arm that the body carries into a person goes back.

        It goes as fast as the body comes, as far as the checks of the arms let it.
        The second value is how fast that is for each arm [m/s], right and left.

        Args:
            wish: arm targets that are wanted, (14,).
            posture: last vetted ones, (14,).
            near: see `near`.
            velocity: measured vx, vy [m/s], wz [rad/s] in B, (3,).
            period: time of the step [s].
            limits: the limits.
        """
        if near is None:
            return Step(value=wish, found=[]), (0.0, 0.0)
        closing = near.closing(velocity)
        room = np.maximum(near.gaps - limits.person_clearance, 0.0)
        over = np.where(closing > SWAY, STUMBLE_S * closing - room, 0.0)
        value, speeds = wish, [0.0, 0.0]
        R_PB = near.X_BP[:3, :3].T
        for arm, rows in enumerate(np.split(over, 2)):
            part, person = np.unravel_index(np.argmax(rows), rows.shape)
            if not rows[part, person] > 0.0:
                continue
            part += 6 * arm
            point = R_PB @ (near.points[part, person] - near.X_BP[:3, 3])
            side = (
                self._arms[[part]],
                point[None],
                (R_PB @ near.away[part, person])[None],
            )
            growth = self._gaps.growth(arm, [side], near.X_PL)[0]
            own = g1.ARM_IN_COMMAND[arm]
            growth = _free(growth, posture[own], own)
            speeds[arm] = float(closing[part, person])
            way = period * speeds[arm] / (growth @ growth + _DAMPING)
            value = value.copy() if value is wish else value
            value[own] = posture[own] + way * growth
        found = [] if value is wish else [(Rung.SLOW, Check.PERSON_DISTANCE)]
        return Step(value=value, found=found), (speeds[0], speeds[1])


def _free(growth: Array, q: Array, own: slice) -> Array:
    """The growth of a gap per joint [m/rad], without joints that are at their end."""
    is_at_end = np.where(growth > 0.0, q >= ARM_UPPER[own], q <= ARM_LOWER[own])
    return np.where(is_at_end, 0.0, growth)
