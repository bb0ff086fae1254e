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
_STEEP: Final = 1e9  # [m^2] a slope beyond all


class BodyCapsules:
    """The body's capsules and which pairs of them must stay apart; constants only."""

    def __init__(self) -> None:
        model = load_model()
        self.names = tuple(capsule.name for capsule in model.capsules)
        self.radius = np.array([capsule.radius for capsule in model.capsules])
        self.links = np.array([model.link_index(c.link) for c in model.capsules])
        ends = [(c.a, c.b) for c in model.capsules]
        self._ends = np.array(ends).transpose(0, 2, 1)  # (N, 3, 2)
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
        self.first, self.second = np.array(pairs).T
        self.sum = self.radius[self.first] + self.radius[self.second]
        self.pairs = tuple((self.names[i], self.names[j]) for i, j in pairs)
        self._products = products_of(self.first, self.second, len(self.radius))

    def segments(self, X: Array) -> Array:
        """Ends of every capsule's axis at link poses `X`, (..., N, 3, 2)."""
        links = X[..., self.links, :3, :]
        ends: Array = links[..., :3] @ self._ends + links[..., 3:]
        return ends

    def self_distances(self, segments: Array) -> Array:
        """Gap of every pair in `pairs` [m], negative when they overlap, (..., P)."""
        gaps: Array = pair_distances(segments, self._products) - self.sum
        return gaps


def products_of(first: Indices, second: Indices, count: int) -> Indices:
    """What `pair_distances` needs to know of pairs among `count` segments, (10, P)."""
    p1, p2, d1, d2 = first, second, first + count, second + count
    pairs = [(d1, d1), (d2, d2), (d1, d2), (d1, p1), (d1, p2), (d2, p1)]
    pairs += [(d2, p2), (p1, p1), (p2, p2), (p1, p2)]
    return np.array([2 * count * i + j for i, j in pairs])


def pair_distances(segments: Array, products: Indices) -> Array:
    """Distances of many pairs of few segments (..., N, 3, 2) [m], (..., P).

    From one table of all products of starts and ways: fewer steps than pair by pair.
    """
    p = segments[..., 0]
    v = np.concatenate([p, segments[..., 1] - p], axis=-2)
    table = (v @ v.swapaxes(-1, -2)).reshape(*v.shape[:-2], -1)
    picked = table.take(products, axis=-1).swapaxes(-2, 0)
    a, e, b, d1p1, d1p2, d2p1, d2p2, p1p1, p2p2, p1p2 = picked
    a, e, c, f = a + _TINY, e + _TINY, d1p1 - d1p2, d2p1 - d2p2
    s, t = _nearest(a, e, b, c, f)
    square = (p1p1 + p2p2 - 2.0 * p1p2) + s * (s * a + 2.0 * c)
    square += t * (t * e - 2.0 * (f + s * b))
    distances: Array = np.sqrt(np.maximum(square, 0.0))
    return distances


def _nearest(a: Array, e: Array, b: Array, c: Array, f: Array) -> tuple[Array, Array]:
    """Shares of two segments' ways where they are nearest to each other.

    Ericson, Real-Time Collision Detection, 5.1.9; parallel segments start at s = 0.
    """
    s = _share((b * f - c * e) / np.maximum(a * e - b * b, _TINY))
    t = _share((b * s + f) / e)
    return _share((b * t - c) / a), t


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
    s, t = _nearest(a, e, b, c, f)
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
    ends = X_OB[:, :3, :3] @ segments[..., :, None, :, :] + X_OB[:, :3, 3:]
    start, along = ends[..., 0], ends[..., 1] - ends[..., 0]  # (..., N, M, 3)
    rate = np.where(np.abs(along) < _TINY, _TINY, along)
    # The slope of the squared distance is piecewise linear and rises along the
    # segment, with kinks where the segment crosses a face's plane.
    kinks = np.zeros((*start.shape[:-1], 8))
    kinks[..., :3] = (half - start) / rate
    kinks[..., 3:6] = (-half - start) / rate
    kinks[..., 7] = 1.0
    u = _share(kinks)
    p = start[..., None, :] + u[..., None] * along[..., None, :]
    beyond = np.abs(p) - half[:, None, :]
    pull = np.copysign(np.maximum(beyond, 0.0), p)
    slope = np.vecdot(pull, along[..., None, :])
    # The last kink where it falls, the first where it rises; the root lies between
    falls = slope < 0.0
    s0 = np.where(falls, slope, -_STEEP).max(axis=-1)
    s1 = np.where(falls, _STEEP, slope).min(axis=-1)
    u0 = np.where(falls, u, 0.0).max(axis=-1)
    u1 = np.where(falls, 1.0, u).min(axis=-1)
    root = u0 + (u1 - u0) * _share(-s0 / np.maximum(s1 - s0, _TINY))
    gap = np.maximum(np.abs(start + root[..., None] * along) - half, 0.0)
    outside = np.sqrt(np.vecdot(gap, gap))
    depth = beyond.max(axis=-1).min(axis=-1)
    return np.where(outside > 1e-9, outside, np.minimum(depth, 0.0)), root


def box_distances(segments: Array, X_OB: Array, half: Array) -> Array:
    """Signed distance of segments to boxes [m], see `box_contacts`, (..., N, M)."""
    return box_contacts(segments, X_OB, half)[0]
