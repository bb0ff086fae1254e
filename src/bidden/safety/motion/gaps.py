"""What a step of the arms does to their distances, and which way is out.

Each arm is judged as if the other stood still, and both share the room between them:
none counts on the other to give way, because the other's step may be cut.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bidden.core.messages import Array
from bidden.robot import g1, ik_kernels
from bidden.robot.capsules import (
    BodyCapsules,
    box_contacts,
    pair_distances,
    segment_contacts,
)
from bidden.robot.kernels import contiguous
from bidden.robot.model import load_model
from bidden.safety.checks import Check
from bidden.safety.limits import Limits
from bidden.safety.scene import Scene, box_poses, boxes_near, people_near

from .step import FULL, TINY

ARM_REACH: Final = 0.9  # [m] from the body's axis: farther boxes are no arm's matter
PERSON_REACH: Final = 1.7  # [m] likewise: reach, and `person_hand` from there
NO_POSES: Final[Array] = np.zeros((0, 4, 4))
NO_SIZES: Final[Array] = np.zeros((0, 3))
_CONTACTS: Final = 6  # most that one arm is bent around

Indices = NDArray[np.signedinteger]
# Capsule, point on it and direction away from the other side, of several contacts
Side = tuple[Indices, Array, Array]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surroundings:
    """Boxes and people within reach, in the pelvis frame P."""

    X_OP: Array  # pose of P in each box's frame, (M, 4, 4)
    half: Array  # [m], (M, 3)
    ends: Array  # [m], (N, 3, 2)
    radius: Array  # [m], (N,)


def surroundings_of(scene: Scene, X_BP: Array) -> Surroundings:
    """The scene as the arms meet it: what no hand can come near is left out."""
    near = boxes_near(scene, ARM_REACH)
    ends, radius = people_near(scene, PERSON_REACH)
    X_OP, half = NO_POSES, NO_SIZES
    if len(near):
        half = scene.box_half[near]
        X_OP = box_poses(scene.box_centre[near], scene.box_yaw[near], X_BP)
    if len(radius):
        ends = X_BP[:3, :3].T @ (ends - X_BP[:3, 3:])
    return Surroundings(X_OP=X_OP, half=half, ends=ends, radius=radius)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gaps:
    """Gaps of one kind; rows are right arm and left arm."""

    check: Check
    approach: Array  # what each gap loses to each arm's step [m], (2, C)
    room: Array  # what it may lose to it [m], (2, C)
    margin: float  # least gap after the step [m]
    sides: Callable[
        [int, Indices], list[Side]
    ]  # of an arm's gaps, for `ArmGaps.growth`

    def tightest(self, arm: int) -> Indices:
        """Indices of the gaps that the arm's step takes too much from."""
        excess = self.approach[arm] - self.room[arm]
        over = np.flatnonzero(~(excess <= TINY))
        return over[np.argsort(-excess[over])[:_CONTACTS]]


def shares_of(gaps: tuple[Gaps, ...]) -> tuple[Array, tuple[Check, ...]]:
    """Share of its step that each arm may take, (2,), and the kinds that cut it."""
    approach = np.concatenate([kind.approach for kind in gaps], axis=1)
    room = np.concatenate([kind.room for kind in gaps], axis=1)
    share = np.minimum(room / np.maximum(approach, TINY), 1.0)
    share = np.where(approach > TINY, share, 1.0)
    least: Array = share.min(axis=1)
    if least.min() >= FULL:
        return least, ()
    ends = np.cumsum([kind.approach.shape[1] for kind in gaps])
    parts = np.split(share, ends[:-1], axis=1)
    cut = [
        kind.check
        for kind, part in zip(gaps, parts, strict=True)
        if not part.min() >= FULL
    ]
    return least, tuple(cut)


class ArmGaps:
    """Measures a step of the arms; holds constants only."""

    def __init__(self) -> None:
        self._body = body = BodyCapsules()
        links = load_model().links
        self._links = [np.arange(29)[joints] + 1 for joints in g1.ARM]
        self._axes = [
            np.array([links[k].axis for k in rows])[:, :, None] for rows in self._links
        ]
        tip = body.links[:, None]
        # Joints of each arm that move a capsule, (2, N, 7)
        self._moves = [(rows <= tip) & (tip <= rows[-1]) for rows in self._links]
        self._radius = body.radius[body.arms.ravel(), None]
        self._is_hand = (np.arange(12) % 6 >= 3)[:, None]

    def measure(
        self, X_PL: Array, around: Surroundings, limits: Limits
    ) -> tuple[Gaps, ...]:
        """Gaps of a step between link poses `X_PL`, (2, 30, 4, 4), in the frame P."""
        segments = self._body.segments(X_PL)
        # Nothing has moved; the right arm alone; the left arm alone
        alone = segments[[0, 0, 0]]
        for hand, arm in enumerate(self._body.arms):
            alone[1 + hand, arm] = segments[1, arm]
        count = len(around.radius)
        if count:
            alone = np.concatenate([alone, np.array([around.ends] * 3)], axis=1)
        distances = pair_distances(alone, *_pairs_with(self._body, count))
        own = len(self._body.first)
        gaps = [self._to_self(distances[:, :own], segments, limits)]
        if len(around.half):
            gaps.append(self._to_boxes(segments, around, limits))
        if count:
            gaps.append(self._to_people(distances[:, own:], segments, around, limits))
        return tuple(gaps)

    def growth(self, arm: int, sides: list[Side], X_PL: Array) -> Array:
        """Growth of gaps per joint of one arm [m/rad], (C, 7)."""
        X = X_PL[self._links[arm]]
        axes = contiguous((X[:, :3, :3] @ self._axes[arm])[:, :, 0])
        centres = contiguous(X[:, :3, 3])
        total = np.zeros((len(sides[0][0]), 7))
        for capsules, points, away in sides:
            growth = ik_kernels.growth(
                axes, centres, contiguous(points), contiguous(away)
            )
            total += np.where(self._moves[arm][capsules], growth, 0.0)
        return total

    def _to_self(self, distances: Array, segments: Array, limits: Limits) -> Gaps:
        gaps = distances - self._body.sum
        approach = np.maximum(gaps[0] - gaps[1:], 0.0)
        room = limits.approach_gain * np.maximum(gaps[0] - limits.self_clearance, 0.0)
        portion = approach / np.maximum(approach.sum(axis=0), TINY)

        def sides(arm: int, rows: Indices) -> list[Side]:
            one, two = self._body.first[rows], self._body.second[rows]
            gap, p = segment_contacts(segments[0, one], segments[0, two])
            away = _unit(gap)
            return [(one, p, away), (two, p - gap, -away)]

        return Gaps(
            check=Check.SELF_DISTANCE,
            approach=approach,
            room=room * portion,
            margin=float(gaps[1:].min()),
            sides=sides,
        )

    def _to_boxes(self, segments: Array, around: Surroundings, limits: Limits) -> Gaps:
        arms = segments[:, self._body.arms.ravel()]
        gaps, share = box_contacts(arms, around.X_OP, around.half)
        clearance = np.where(self._is_hand, limits.hand_clearance, limits.arm_clearance)
        count = len(around.half)

        def sides(arm: int, rows: Indices) -> list[Side]:
            part, box = arm * 6 + rows // count, rows % count
            ends, u = arms[0, part], share[0, part, box][:, None]
            p = ends[:, :, 0] + u * (ends[:, :, 1] - ends[:, :, 0])
            R = around.X_OP[box, :3, :3]
            q = (R @ p[:, :, None])[:, :, 0] + around.X_OP[box, :3, 3]
            away = (_box_normals(q, around.half[box])[:, None, :] @ R)[:, 0]
            return [(self._body.arms.ravel()[part], p, away)]

        return self._scene_gaps(
            Check.SCENE_DISTANCE, gaps - self._radius, clearance, limits, sides
        )

    def _to_people(
        self, distances: Array, segments: Array, around: Surroundings, limits: Limits
    ) -> Gaps:
        count = len(around.radius)
        each = distances.reshape(3, 2, 6, count)
        gaps = np.array([each[0], [each[1, 0], each[2, 1]]]).reshape(2, 12, count)

        def sides(arm: int, rows: Indices) -> list[Side]:
            part, person = arm * 6 + rows // count, rows % count
            parts = self._body.arms.ravel()[part]
            gap, points = segment_contacts(segments[0, parts], around.ends[person])
            return [(parts, points, _unit(gap))]

        return self._scene_gaps(
            Check.PERSON_DISTANCE,
            gaps - self._radius - around.radius,
            np.array(limits.person_clearance),
            limits,
            sides,
        )

    def _scene_gaps(
        self,
        check: Check,
        gaps: Array,
        clearance: Array,
        limits: Limits,
        sides: Callable[[int, Indices], list[Side]],
    ) -> Gaps:
        room = limits.approach_gain * np.maximum(gaps[0] - clearance, 0.0)
        return Gaps(
            check=check,
            approach=(gaps[0] - gaps[1]).reshape(2, -1),
            room=room.reshape(2, -1),
            margin=float(gaps[1].min()),
            sides=sides,
        )


@cache
def _pairs_with(body: BodyCapsules, people: int) -> tuple[Indices, Indices]:
    """For `pair_distances`: the body's own pairs, then each part of an arm, people."""
    own, arms = len(body.radius), body.arms.ravel()
    first = np.concatenate([body.first, np.repeat(arms, people)])
    second = np.concatenate([body.second, np.tile(own + np.arange(people), len(arms))])
    return first, second


def _unit(v: Array) -> Array:
    """Vectors of length one; a zero vector stays zero and gives no way out."""
    unit: Array = v / np.maximum(np.sqrt(np.vecdot(v, v)), TINY)[..., None]
    return unit


def _box_normals(q: Array, half: Array) -> Array:
    """Direction out of the boxes at points `q` in their frames, (C, 3)."""
    beyond = np.abs(q) - half
    outward = np.copysign(np.maximum(beyond, 0.0), q)
    face = np.copysign(np.eye(3)[np.argmax(beyond, axis=1)], q)  # inside: nearest face
    is_inside = beyond.max(axis=1, keepdims=True) <= 0.0
    return _unit(np.where(is_inside, face, outward))
