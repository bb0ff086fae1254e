"""The base's next velocity: slow enough, and not into boxes or people."""

from __future__ import annotations

import math
from typing import Final

from bidden.core.messages import Array, Rung
from bidden.robot.kernels import contiguous
from bidden.safety.checks import Check, Finding
from bidden.safety.limits import Limits
from bidden.safety.scene import Scene

from .step import Step
from .step_kernels import base_velocity, obstacles_of

BODY_SPAN: Final = (0.05, 1.3)  # [m] heights of boxes that the body can walk into


def limit_base(
    wish: Array,
    last: Array,
    *,
    near: Obstacles,
    period: float,
    limits: Limits,
) -> Step:
    """Base velocity inside speed and acceleration, not into boxes or people, (3,).

    Args:
        wish: vx, vy [m/s], wz [rad/s] in B.
        last: the last vetted one.
        near: what stands around.
        period: time of the step [s].
        limits: the limits.
    """
    value, cut, bent = base_velocity(
        contiguous(wish),
        last,
        near.rows,
        near.top,
        limits.base_forward,
        limits.base_backward,
        limits.base_sideways,
        limits.base_turn,
        period * limits.base_acceleration,
        period * limits.base_turn_acceleration,
    )
    found: list[Finding] = []
    if cut:
        found.append((Rung.WARN, Check.BASE_SPEED))
    if bent:
        found.append((Rung.SLOW, near.nearest))
    return Step(value=value, found=found, margin=near.margin)


class Obstacles:
    """What stands around the base, and what speeds it allows."""

    def __init__(self, scene: Scene, limits: Limits) -> None:
        self.rows, self.margin, person = obstacles_of(
            scene.boxes_beside,
            contiguous(scene.box_centre),
            contiguous(scene.box_half),
            scene.people_beside,
            contiguous(scene.person_radius),
            *BODY_SPAN,
            limits.body_radius,
            limits.body_clearance,
            limits.body_gain,
            limits.person_stop,
            limits.person_gain,
        )
        self.nearest, self.top = Check.SCENE_DISTANCE, math.inf
        if not person >= self.margin:
            self.nearest, self.margin = Check.PERSON_DISTANCE, person
        if not person >= limits.person_slow:
            self.top = limits.person_slow_speed
