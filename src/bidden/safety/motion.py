"""Bending a command to what is allowed: arms first, then the base.

An arm's step is shortened, never turned; the base loses the part of its velocity that
leads too fast towards something. A motion that increases a distance is never cut.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from bidden.core.messages import Array, RobotState, Rung
from bidden.robot import g1
from bidden.robot.capsules import BodyCapsules, box_distances, segment_distances
from bidden.robot.kinematics import WRISTS, grip_poses

from .checks import Check, Finding
from .limits import ARM_EFFORT, ARM_KD, ARM_KP, ARM_LOWER, ARM_UPPER, Limits
from .scene import Scene, box_poses, boxes_near

_ROUND: Final = 1e-9  # what counts as a change
_CHORD: Final = 0.95  # a shortened step is up to 5 % faster than its share says
_FULL: Final = 1.0 - 1e-6  # a step shorter than this share was cut
ARM_REACH: Final = 0.9  # [m] from the body's axis: farther boxes are no arm's matter
BODY_SPAN: Final = (0.05, 1.3)  # [m] heights of boxes that the body can walk into
AXIS: Final[Array] = np.array([[0.0, 0.0], [0.0, 0.0], [0.2, 1.2]])  # body in B, (3, 2)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Step:
    """What is left of a wish, what was found, and the least distance seen."""

    value: Array
    found: list[Finding]
    margin: float = float("inf")  # [m]


def limit_joints(
    wish: Array, posture: Array, state: RobotState, *, period: float, limits: Limits
) -> Step:
    """Arm targets inside range, torque and joint speed, from `posture`, (14,)."""
    found: list[Finding] = []
    target = np.minimum(np.maximum(wish, ARM_LOWER), ARM_UPPER)
    if not np.abs(target - wish).max() <= 1e-6:
        found.append((Rung.WARN, Check.JOINT_RANGE))
    # Where the servo would ask for all its torque: kp (target - q) - kd dq = effort.
    q = state.q[g1.ARMS] + (ARM_KD / ARM_KP) * state.dq[g1.ARMS]
    reach = ARM_EFFORT / ARM_KP
    eased = np.minimum(np.maximum(target, q - reach), q + reach)
    eased = np.minimum(np.maximum(eased, ARM_LOWER), ARM_UPPER)
    if not np.abs(eased - target).max() <= 1e-6:
        found.append((Rung.WARN, Check.JOINT_TORQUE))
    step = eased - posture
    most = limits.arm_speed * period
    share = np.minimum(most / np.maximum(np.abs(step), _ROUND), 1.0)
    share = np.repeat(share.reshape(2, 7).min(axis=1), 7)  # each arm keeps direction
    if not share.min() >= _FULL:
        found.append((Rung.WARN, Check.JOINT_SPEED))
    return Step(value=posture + share * step, found=found)


class ArmMotion:
    """Hand speed and distances of the arms' next step; holds constants only."""

    def __init__(self) -> None:
        self._body = BodyCapsules()
        self._arms = self._body.arms.ravel()  # right arm, then left

    def __call__(
        self,
        posture: Array,
        target: Array,
        *,
        X_PL: Array,
        X_BP: Array,
        scene: Scene,
        period: float,
        limits: Limits,
    ) -> Step:
        """Arm targets that keep hands slow and arms apart.

        Args:
            posture: last vetted arm targets, (14,).
            target: wished ones, (14,).
            X_PL: link poses in both, (2, 30, 4, 4).
            X_BP: pose of the pelvis.
            scene: surroundings, in the base frame of now.
            period: time of the step [s].
            limits: the limits.
        """
        found: list[Finding] = []
        if not np.abs(target - posture).max() > _ROUND:
            return Step(value=posture, found=found)
        segments = self._body.segments(X_PL)
        share, margin = self._self_share(segments, limits)
        if not share.min() >= _FULL:
            found.append((Rung.SLOW, Check.SELF_DISTANCE))
        hand_speed = limits.hand_speed
        scene = boxes_near(scene, ARM_REACH)
        if not scene.is_empty:
            arms = segments[:, self._arms]
            to_scene, near, least = self._scene_share(arms, scene, X_BP, limits, found)
            share = np.minimum(share, to_scene)
            margin = min(margin, least)
            if near:
                hand_speed = limits.hand_speed_near_person
        grips = grip_poses(X_PL[:, list(WRISTS)])[:, :, :3, 3]
        speed = np.sqrt(np.square(grips[1] - grips[0]).sum(axis=1)) / period
        slow = np.minimum(_CHORD * hand_speed / np.maximum(speed, _ROUND), 1.0)
        if not slow.min() >= _FULL:
            found.append((Rung.SLOW, Check.HAND_SPEED))
        share = np.minimum(share, slow)
        value = posture + np.repeat(share[::-1], 7) * (target - posture)
        return Step(value=value, found=found, margin=margin)

    def _self_share(self, segments: Array, limits: Limits) -> tuple[Array, float]:
        """Share of its step that each arm may take, (2,), and the least gap.

        Each arm is moved alone: an arm that comes near may not count on the other to
        give way, because the other's step may be cut.
        """
        alone = segments[[0, 0, 0]]
        for hand, arm in enumerate(self._body.arms):
            alone[1 + hand, arm] = segments[1, arm]
        gaps = self._body.self_distances(alone)
        approach = np.maximum(gaps[0] - gaps[1:], 0.0)
        room = limits.approach_gain * np.maximum(gaps[0] - limits.self_clearance, 0.0)
        allowed = np.minimum(room / np.maximum(approach.sum(axis=0), _ROUND), 1.0)
        share: Array = np.where(approach > _ROUND, allowed, 1.0).min(axis=1)
        return share, float(gaps[1:].min())

    def _scene_share(
        self,
        arms: Array,
        scene: Scene,
        X_BP: Array,
        limits: Limits,
        found: list[Finding],
    ) -> tuple[Array, bool, float]:
        share, near, margin = np.ones(2), False, float("inf")
        radius = self._body.radius[self._arms]
        if len(scene.box_yaw):
            X_OP = box_poses(scene) @ X_BP
            gaps = box_distances(arms, X_OP, scene.box_half) - radius[:, None]
            clear = np.where(
                np.arange(12) % 6 < 3, limits.arm_clearance, limits.hand_clearance
            )
            allowed = _allowed_share(gaps, clear[:, None], limits)
            share = allowed.reshape(2, -1).min(axis=1)
            margin = float(gaps[1].min())
            if not share.min() >= _FULL:
                found.append((Rung.SLOW, Check.SCENE_DISTANCE))
        if len(scene.person_radius):
            ends = X_BP[:3, :3].T @ (scene.person_ends - X_BP[:3, 3:])
            gaps = segment_distances(arms[:, :, None], ends)
            gaps -= radius[:, None] + scene.person_radius
            allowed = _allowed_share(gaps, limits.person_clearance, limits)
            to_person = allowed.reshape(2, -1).min(axis=1)
            share = np.minimum(share, to_person)
            least = float(gaps[1].min())
            margin, near = min(margin, least), not least >= limits.person_hand
            if not to_person.min() >= _FULL:
                found.append((Rung.SLOW, Check.PERSON_DISTANCE))
        return share, near, margin


def _allowed_share(gaps: Array, clearance: float | Array, limits: Limits) -> Array:
    """Share of a step from `gaps[0]` to `gaps[1]` that spares the clearance."""
    approach = gaps[0] - gaps[1]
    room = limits.approach_gain * np.maximum(gaps[0] - clearance, 0.0)
    share = np.minimum(room / np.maximum(approach, _ROUND), 1.0)
    allowed: Array = np.where(approach > _ROUND, share, 1.0)
    return allowed


def limit_base(
    wish: Array, last: Array, *, scene: Scene, period: float, limits: Limits
) -> Step:
    """Base velocity inside speed and acceleration, not into boxes or people, (3,)."""
    found: list[Finding] = []
    high = np.array([limits.base_forward, limits.base_sideways, limits.base_turn])
    low = np.array([-limits.base_backward, -limits.base_sideways, -limits.base_turn])
    target = np.minimum(np.maximum(wish, low), high)
    if not np.abs(target - wish).max() <= 1e-6:
        found.append((Rung.WARN, Check.BASE_SPEED))
    margin = float("inf")
    if not scene.is_empty:
        near = _Obstacles(scene, limits)
        # Both ends are free of obstacles, so that all between them is.
        last = near.bend(last)
        bent = near.bend(target)
        margin = near.margin
        if not np.abs(bent - target).max() <= _ROUND:
            found.append((Rung.SLOW, near.nearest))
        target = bent
    turn = limits.base_turn_acceleration
    most = period * np.array([limits.base_acceleration, limits.base_acceleration, turn])
    step = target - last
    share = np.minimum(most / np.maximum(np.abs(step), _ROUND), 1.0).min()
    return Step(value=last + share * step, found=found, margin=margin)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Obstacle:
    """One thing beside the base: in plain floats, faster than arrays for so few."""

    gap: float  # [m] from the body's side
    x: float  # direction to it, in the plane of B
    y: float
    most: float  # allowed approach speed [m/s]


class _Obstacles:
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

    def bend(self, velocity: Array) -> Array:
        """The velocity without what leads too fast towards something, (3,)."""
        wish_x, wish_y, turn = velocity.tolist()
        speed = math.hypot(wish_x, wish_y)
        share = 1.0 if speed <= self._top else self._top / speed
        vx, vy = share * wish_x, share * wish_y
        for _ in range(2):  # twice: leaving one thing may lead to another
            for one in self._all:
                excess = vx * one.x + vy * one.y - one.most
                if not excess <= _ROUND:
                    vx, vy = vx - excess * one.x, vy - excess * one.y
        is_free = all(vx * one.x + vy * one.y <= one.most + 1e-6 for one in self._all)
        if not (is_free and vx * wish_x + vy * wish_y >= 0.0):  # never turned back
            vx = vy = 0.0
        return np.array([vx, vy, share * turn])


def _box_obstacles(scene: Scene, limits: Limits) -> list[_Obstacle]:
    """The boxes that the body can walk into."""
    found = []
    rows = zip(
        scene.box_centre.tolist(),
        scene.box_half.tolist(),
        scene.box_yaw.tolist(),
        strict=True,
    )
    for (x, y, z), (half_x, half_y, half_z), yaw in rows:
        if z - half_z >= BODY_SPAN[1] or z + half_z <= BODY_SPAN[0]:
            continue
        c, s = math.cos(yaw), math.sin(yaw)
        px, py = -(c * x + s * y), -(c * y - s * x)  # the body's axis in the box
        away_x = min(max(px, -half_x), half_x) - px
        away_y = min(max(py, -half_y), half_y) - py
        length = math.hypot(away_x, away_y)
        if not length > _ROUND:  # inside: only the way it came from is open
            away_x, away_y = -px, -py
        norm = max(math.hypot(away_x, away_y), _ROUND)
        gap = length - limits.body_radius
        found.append(
            _Obstacle(
                gap=gap,
                x=(c * away_x - s * away_y) / norm,
                y=(s * away_x + c * away_y) / norm,
                most=limits.body_gain * max(gap - limits.body_clearance, 0.0),
            )
        )
    return found


def _person_obstacle(scene: Scene, limits: Limits) -> _Obstacle:
    """The nearest part of a person."""
    distance = segment_distances(AXIS, scene.person_ends)
    gaps = distance - scene.person_radius - limits.body_radius
    k = int(np.argmin(gaps))
    (ax, bx), (ay, by), _ = scene.person_ends[k].tolist()
    dx, dy = bx - ax, by - ay
    u = -(ax * dx + ay * dy) / max(dx * dx + dy * dy, _ROUND)
    u = min(max(u, 0.0), 1.0)
    px, py = ax + u * dx, ay + u * dy
    norm = max(math.hypot(px, py), _ROUND)
    gap = float(gaps[k])
    return _Obstacle(
        gap=gap,
        x=px / norm,
        y=py / norm,
        most=limits.person_gain * max(gap - limits.person_stop, 0.0),
    )
