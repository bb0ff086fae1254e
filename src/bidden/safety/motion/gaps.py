"""What a step of the arms does to their distances, and which way is out.

Each arm is judged as if the other stood still, and both share the room between them:
none counts on the other to give way, because the other's step may be cut.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bidden.core.messages import Array
from bidden.robot import g1, ik_kernels
from bidden.robot.capsules import BodyCapsules
from bidden.robot.kernels import contiguous
from bidden.robot.model import load_model
from bidden.safety.checks import Check
from bidden.safety.kernels import least
from bidden.safety.limits import Limits
from bidden.safety.scene import Scene

from .gap_kernels import (
    box_gaps,
    box_ways_out,
    boxes_within,
    contacts_of,
    people_within,
    person_gaps,
    self_gaps,
    tightest,
)
from .step import FULL

ARM_REACH: Final = 0.9  # [m] from the body's axis: farther boxes are no arm's matter
PERSON_REACH: Final = 1.7  # [m] likewise: reach, and `person_hand` from there

Indices = NDArray[np.signedinteger]
# Capsule, point on it and direction away from the other side, of several contacts
Side = tuple[Indices, Array, Array]
Found = tuple[Array, Array, float, float, float]  # `gap_kernels.GAPS`
Sides = Callable[[int, Indices], list[Side]]  # of an arm's gaps, for `ArmGaps.growth`


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surroundings:
    """Boxes and people within reach, in the pelvis frame P."""

    X_OP: Array  # pose of P in each box's frame, (M, 4, 4)
    half: Array  # [m], (M, 3)
    ends: Array  # [m], (N, 3, 2)
    radius: Array  # [m], (N,)


def surroundings_of(scene: Scene, X_BP: Array) -> Surroundings:
    """The scene as the arms meet it: what no hand can come near is left out."""
    X_OP, half = boxes_within(
        contiguous(scene.box_centre),
        contiguous(scene.box_half),
        contiguous(scene.box_yaw),
        scene.boxes_beside,
        X_BP,
        ARM_REACH,
    )
    ends, radius = people_within(
        contiguous(scene.person_ends),
        contiguous(scene.person_radius),
        scene.people_beside,
        X_BP,
        PERSON_REACH,
    )
    return Surroundings(X_OP=X_OP, half=half, ends=ends, radius=radius)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gaps:
    """Gaps of one kind; rows are right arm and left arm."""

    check: Check
    approach: Array  # what each gap loses to each arm's step [m], (2, C)
    room: Array  # what it may lose to it [m], (2, C)
    margin: float  # least gap after the step [m]
    share: tuple[float, float]  # of its step that each arm may take
    sides: Sides

    def tightest(self, arm: int) -> Indices:
        """Indices of the gaps that the arm's step takes too much from."""
        worst: Indices = tightest(self.approach[arm], self.room[arm])
        return worst


def shares_of(
    gaps: tuple[Gaps, ...],
) -> tuple[tuple[float, float], tuple[Check, ...]]:
    """Share of its step that each arm may take, and the kinds of gaps that cut it."""
    right, left = 1.0, 1.0
    for kind in gaps:
        right, left = least(right, kind.share[0]), least(left, kind.share[1])
    cut = [kind.check for kind in gaps if not least(*kind.share) >= FULL]
    return (right, left), tuple(cut)


class ArmGaps:
    """Measures a step of the arms; holds constants only."""

    def __init__(self) -> None:
        self._body = body = BodyCapsules()
        links = load_model().links
        self._links = [np.arange(29)[joints] + 1 for joints in g1.ARM]
        self._axes = [np.array([links[k].axis for k in rows]) for rows in self._links]
        tip = body.links[:, None]
        # Joints of each arm that move a capsule, (2, N, 7)
        self._moves = [(rows <= tip) & (tip <= rows[-1]) for rows in self._links]
        self._arms = body.arms.ravel()
        self._radius = body.radius[self._arms]
        self._is_hand = np.arange(12) % 6 >= 3
        self._arm = np.full(len(body.radius), -1)  # hand number of each capsule's arm
        for hand, arm in enumerate(body.arms):
            self._arm[arm] = hand

    def measure(
        self, X_PL: Array, around: Surroundings, limits: Limits
    ) -> tuple[Gaps, ...]:
        """Gaps of a step between link poses `X_PL`, (2, 30, 4, 4), in the frame P."""
        segments = self._body.segments(X_PL)
        gaps = [self._to_self(segments, limits)]
        if len(around.half):
            gaps.append(self._to_boxes(segments, around, limits))
        if len(around.radius):
            gaps.append(self._to_people(segments, around, limits))
        return tuple(gaps)

    def growth(self, arm: int, sides: list[Side], X_PL: Array) -> Array:
        """Growth of gaps per joint of one arm [m/rad], (C, 7)."""
        total = np.zeros((len(sides[0][0]), 7))
        for capsules, points, away in sides:
            total += ik_kernels.growth(
                X_PL,
                self._links[arm],
                self._axes[arm],
                self._moves[arm],
                capsules,
                points,
                away,
            )
        return total

    def _to_self(self, segments: Array, limits: Limits) -> Gaps:
        body = self._body
        found = self_gaps(
            segments,
            body.first,
            body.second,
            body.sum,
            self._arm,
            limits.self_clearance,
            limits.approach_gain,
        )

        def sides(arm: int, rows: Indices) -> list[Side]:
            one, two = body.first[rows], body.second[rows]
            points, away, behind = contacts_of(segments[0], one, segments[0], two)
            return [(one, points, away), (two, behind, -away)]

        return _gaps_of(Check.SELF_DISTANCE, found, sides)

    def _to_boxes(self, segments: Array, around: Surroundings, limits: Limits) -> Gaps:
        approach, room, margin, right, left, where = box_gaps(
            segments,
            self._arms,
            self._radius,
            np.where(self._is_hand, limits.hand_clearance, limits.arm_clearance),
            around.X_OP,
            around.half,
            limits.approach_gain,
        )
        count = len(around.half)

        def sides(arm: int, rows: Indices) -> list[Side]:
            parts = self._arms[arm * 6 + rows // count]
            share, boxes = where[arm, rows], rows % count
            out = box_ways_out(
                segments[0], parts, share, around.X_OP, around.half, boxes
            )
            return [(parts, *out)]

        found = (approach, room, margin, right, left)
        return _gaps_of(Check.SCENE_DISTANCE, found, sides)

    def _to_people(self, segments: Array, around: Surroundings, limits: Limits) -> Gaps:
        count = len(around.radius)
        found = person_gaps(
            segments,
            self._arms,
            self._radius,
            around.ends,
            around.radius,
            limits.person_clearance,
            limits.approach_gain,
        )

        def sides(arm: int, rows: Indices) -> list[Side]:
            parts = self._arms[arm * 6 + rows // count]
            points, away, _ = contacts_of(segments[0], parts, around.ends, rows % count)
            return [(parts, points, away)]

        return _gaps_of(Check.PERSON_DISTANCE, found, sides)


def _gaps_of(check: Check, found: Found, sides: Sides) -> Gaps:
    """What `gap_kernels` has found, with names."""
    approach, room, margin, right, left = found
    return Gaps(
        check=check,
        approach=approach,
        room=room,
        margin=margin,
        share=(right, left),
        sides=sides,
    )
