"""Distances between the body's capsules, and to boxes and capsules of the scene.

Arms are checked against the trunk, the thighs, the head and each other. Leading
dimensions of the poses are kept, so that several postures cost one call.
"""

from __future__ import annotations

from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bidden.core.messages import Array

from . import kernels
from .kernels import contiguous
from .model import load_model

ARM_PARTS: Final = (
    "shoulder_yaw",
    "elbow_yaw",
    "wrist",
    "palm",
    "finger_a",
    "finger_b",
)
HAND_PARTS: Final = ("palm", "finger_a", "finger_b")
TRUNK: Final = (
    "pelvis", "left_hip", "right_hip", "left_thigh", "right_thigh", "torso", "head"
)  # fmt: skip
Indices = NDArray[np.signedinteger]
_TINY: Final = 1e-12


class BodyCapsules:
    """The body's capsules and which pairs of them must stay apart; constants only."""

    def __init__(self) -> None:
        model = load_model()
        self.names = tuple(capsule.name for capsule in model.capsules)
        self.radius = np.array([capsule.radius for capsule in model.capsules])
        self.links = np.array([model.link_index(c.link) for c in model.capsules])
        ends = [(c.a, c.b) for c in model.capsules]
        self._ends = contiguous(np.array(ends).transpose(0, 2, 1))  # (N, 3, 2)
        index = {name: i for i, name in enumerate(self.names)}
        # Arm capsules of the right hand, then of the left, (2, 6)
        self.arms = np.array(
            [[index[f"{s}_{part}"] for part in ARM_PARTS] for s in ("right", "left")]
        )
        right, left = self.arms
        pairs = [
            *product(self.arms.ravel(), [index[name] for name in TRUNK]),
            *product(right, left),
            *((arm[0], arm[3 + k]) for arm in self.arms for k in range(3)),
        ]
        self.first, self.second = np.ascontiguousarray(np.array(pairs).T)
        self.sum = self.radius[self.first] + self.radius[self.second]
        self.pairs = tuple((self.names[i], self.names[j]) for i, j in pairs)

    def segments(self, X: Array) -> Array:
        """Ends of every capsule's axis at link poses `X`, (..., N, 3, 2)."""
        flat = contiguous(X).reshape(-1, *X.shape[-3:])
        ends: Array = kernels.segments(flat, self.links, self._ends)
        return ends.reshape(*X.shape[:-3], *ends.shape[1:])

    def self_distances(self, segments: Array) -> Array:
        """Gap of every pair in `pairs` [m], negative when they overlap, (..., P)."""
        gaps: Array = pair_distances(segments, self.first, self.second) - self.sum
        return gaps


def pair_distances(segments: Array, first: Indices, second: Indices) -> Array:
    """Distances of pairs among segments (..., N, 3, 2) [m], (..., P)."""
    flat = contiguous(segments).reshape(-1, *segments.shape[-3:])
    distances: Array = kernels.pair_distances(flat, first, second)
    return distances.reshape(*segments.shape[:-3], len(first))


def _share(x: Array) -> Array:
    share: Array = np.minimum(np.maximum(x, 0.0), 1.0)
    return share


def segment_contacts(one: Array, two: Array) -> tuple[Array, Array]:
    """Shortest connection of segments, both (..., 3, 2).

    Returns:
        The vector from `two` to `one` and its end on `one`, (..., 3) each.
    """
    p1, p2 = one[..., 0], two[..., 0]
    d1, d2, r = one[..., 1] - p1, two[..., 1] - p2, p1 - p2
    a, e = np.vecdot(d1, d1) + _TINY, np.vecdot(d2, d2) + _TINY
    b, c, f = np.vecdot(d1, d2), np.vecdot(d1, r), np.vecdot(d2, r)
    # Ericson, Real-Time Collision Detection, 5.1.9; parallel segments start at s = 0.
    s = _share((b * f - c * e) / np.maximum(a * e - b * b, _TINY))
    t = _share((b * s + f) / e)
    s = _share((b * t - c) / a)
    along = s[..., None] * d1
    return r + along - t[..., None] * d2, p1 + along


def segment_distances(one: Array, two: Array) -> Array:
    """Distance of segments `one` to segments `two`, both (..., 3, 2)."""
    gap, _ = segment_contacts(one, two)
    distance: Array = np.sqrt(np.vecdot(gap, gap))
    return distance


def box_contacts(segments: Array, X_OB: Array, half: Array) -> tuple[Array, Array]:
    """Signed distance of segments (..., N, 3, 2) to M boxes [m], (..., N, M).

    Args:
        segments: ends in the base frame B.
        X_OB: pose of B in each box's frame, (M, 4, 4).
        half: half sizes of the boxes [m], (M, 3).

    Exact outside the box; a segment that enters it gets at least the depth of the
    deepest of eight points on it.

    Returns:
        The distance, and the share of the segment's length where it is least.
    """
    flat = contiguous(segments).reshape(-1, *segments.shape[-3:])
    distance, share = kernels.box_contacts(flat, contiguous(X_OB), contiguous(half))
    shape = (*segments.shape[:-2], len(half))
    return distance.reshape(shape), share.reshape(shape)


def box_distances(segments: Array, X_OB: Array, half: Array) -> Array:
    """Signed distance of segments to boxes [m], see `box_contacts`, (..., N, M)."""
    return box_contacts(segments, X_OB, half)[0]
