"""What the base's motion does to people beside the arms: a turn sweeps the hands.

`base.py` looks at the body's axis and `arms.py` at what the arms do by themselves; an
arm that is held out is carried along by every step and turn of the base.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from bidden.core.messages import Array, Rung
from bidden.robot.capsules import BodyCapsules, segment_contacts
from bidden.robot.kernels import contiguous
from bidden.safety.checks import Check
from bidden.safety.limits import Limits
from bidden.safety.scene import Scene

from .gap_kernels import people_within
from .step import FULL, TINY, Step

REACH: Final = 1.2  # [m] from the body's axis: no hand, and none soon, is beyond
_HERE: Final = np.eye(4)


class Sweep:
    """Slows the base where it carries an arm towards a person; constants only."""

    def __init__(self) -> None:
        self._body = BodyCapsules()
        self._radius = self._body.radius[self._body.arms.ravel(), None]

    def __call__(
        self, velocity: Array, *, X_PL: Array, X_BP: Array, scene: Scene, limits: Limits
    ) -> Step:
        """The base velocity, all of it slowed by the arm that nears a person most.

        Args:
            velocity: vx, vy [m/s], wz [rad/s] in B, (3,).
            X_PL: measured link poses in the pelvis frame, (30, 4, 4).
            X_BP: pose of the pelvis.
            scene: surroundings, in the base frame of now.
            limits: the limits.
        """
        if not (len(scene.person_radius) and np.abs(velocity).max() > TINY):
            return Step(value=velocity, found=[])
        ends, radius = people_within(
            contiguous(scene.person_ends),
            contiguous(scene.person_radius),
            scene.people_beside,
            _HERE,
            REACH,
        )
        if not len(radius):
            return Step(value=velocity, found=[])
        arms = self._body.segments(X_PL)[self._body.arms.ravel()]
        arms = X_BP[:3, :3] @ arms + X_BP[:3, 3:]
        away, points = segment_contacts(arms[:, None], ends)
        distance = np.sqrt(np.vecdot(away, away))
        gaps = distance - self._radius - radius
        vx, vy, wz = velocity
        moved = np.stack([vx - wz * points[..., 1], vy + wz * points[..., 0]], -1)
        near = -np.vecdot(moved, away[..., :2])
        near = near / np.maximum(distance, TINY)
        most = limits.person_gain * np.maximum(gaps - limits.person_clearance, 0.0)
        share = float(np.where(near > TINY, most / np.maximum(near, TINY), 1.0).min())
        margin = float(gaps.min())
        if share >= FULL:
            return Step(value=velocity, found=[], margin=margin)
        return Step(
            value=share * velocity,
            found=[(Rung.SLOW, Check.PERSON_DISTANCE)],
            margin=margin,
        )
