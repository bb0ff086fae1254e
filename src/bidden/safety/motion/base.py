"""The base's next velocity: slow enough, and not into boxes or people."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from bidden.core.messages import Array, Rung
from bidden.safety.checks import Check, Finding
from bidden.safety.limits import Limits
from bidden.safety.scene import Scene

from .step import TINY, Step

Velocity = tuple[float, float, float]  # vx, vy [m/s], wz [rad/s] in B

BODY_SPAN: Final = (0.05, 1.3)  # [m] heights of boxes that the body can walk into


def limit_base(
    wish: Array,
    last: Array,
    *,
    near: Obstacles | None,
    period: float,
    limits: Limits,
) -> Step:
    """Base velocity inside speed and acceleration, not into boxes or people, (3,).

    Args:
        wish: vx, vy [m/s], wz [rad/s] in B.
        last: the last vetted one.
        near: what stands around; None when nothing is known.
        period: time of the step [s].
        limits: the limits.
    """
    found: list[Finding] = []
    x, y, turn = wish.tolist()
    target = (
        min(max(x, -limits.base_backward), limits.base_forward),
        min(max(y, -limits.base_sideways), limits.base_sideways),
        min(max(turn, -limits.base_turn), limits.base_turn),
    )
    if not _apart(target, (x, y, turn)) <= 1e-6:
        found.append((Rung.WARN, Check.BASE_SPEED))
    before: Velocity = (float(last[0]), float(last[1]), float(last[2]))
    margin = float("inf")
    if near is not None:
        # Both ends are free of obstacles, so that all between them is.
        before = near.bend(before)
        bent = near.bend(target)
        margin = near.margin
        if not _apart(bent, target) <= TINY:
            found.append((Rung.SLOW, near.nearest))
        target = bent
    straight = period * limits.base_acceleration
    most = (straight, straight, period * limits.base_turn_acceleration)
    share = 1.0
    for goal, start, top in zip(target, before, most, strict=True):
        share = min(share, top / max(abs(goal - start), TINY))
    value = [
        start + share * (goal - start)
        for goal, start in zip(target, before, strict=True)
    ]
    return Step(value=np.array(value), found=found, margin=margin)


def _apart(one: Velocity, two: Velocity) -> float:
    """The largest difference of two velocities; nan when any is."""
    gaps = [abs(a - b) for a, b in zip(one, two, strict=True)]
    return max(gaps) if math.isfinite(sum(gaps)) else math.nan


class _Obstacle(NamedTuple):
    """One thing beside the base."""

    gap: float  # [m] from the body's side
    x: float  # direction to it, in the plane of B
    y: float
    most: float  # allowed approach speed [m/s]


class Obstacles:
    """What stands around the base, and what speeds it allows."""

    def __init__(self, scene: Scene, limits: Limits) -> None:
        self._all = _box_obstacles(scene, limits)
        self._top = self.margin = float("inf")
        self.nearest = Check.SCENE_DISTANCE
        if self._all:
            self.margin = min(one.gap for one in self._all)
        if len(scene.person_radius):
            person = _person_obstacle(scene, limits)
            if not person.gap >= self.margin:
                self.nearest, self.margin = Check.PERSON_DISTANCE, person.gap
            if not person.gap >= limits.person_slow:
                self._top = limits.person_slow_speed
            self._all.append(person)

    def bend(self, velocity: Velocity) -> Velocity:
        """The velocity without what leads too fast towards something."""
        wish_x, wish_y, turn = velocity
        speed = math.hypot(wish_x, wish_y)
        share = 1.0 if speed <= self._top else self._top / speed
        vx, vy = share * wish_x, share * wish_y
        for _ in range(2):  # twice: leaving one thing may lead to another
            for one in self._all:
                excess = vx * one.x + vy * one.y - one.most
                if not excess <= TINY:
                    vx, vy = vx - excess * one.x, vy - excess * one.y
        is_free = all(vx * one.x + vy * one.y <= one.most + 1e-6 for one in self._all)
        if not (is_free and vx * wish_x + vy * wish_y >= 0.0):  # never turned back
            vx = vy = 0.0
        return vx, vy, share * turn


def _box_obstacles(scene: Scene, limits: Limits) -> list[_Obstacle]:
    """The boxes that the body can walk into."""
    found = []
    rows = zip(
        scene.boxes_beside,
        scene.box_centre[:, 2].tolist(),
        scene.box_half[:, 2].tolist(),
        strict=True,
    )
    for (x, y, away), z, half_z in rows:
        if z - half_z >= BODY_SPAN[1] or z + half_z <= BODY_SPAN[0]:
            continue
        norm = max(math.hypot(x, y), TINY)
        gap = away - limits.body_radius
        most = limits.body_gain * max(gap - limits.body_clearance, 0.0)
        found.append(_Obstacle(gap, x / norm, y / norm, most))
    return found


def _person_obstacle(scene: Scene, limits: Limits) -> _Obstacle:
    """The nearest part of a person, seen from above."""
    rows = zip(scene.people_beside, scene.person_radius.tolist(), strict=True)
    gap, (x, y, away) = min((one.away - radius, one) for one, radius in rows)
    gap -= limits.body_radius
    most = limits.person_gain * max(gap - limits.person_stop, 0.0)
    return _Obstacle(gap, x / max(away, TINY), y / max(away, TINY), most)
