"""Loops over few numbers, compiled: geometry and balance of every control tick.

The arrays of a tick are so small that most of the time went into starting numpy's
operations. Compiled once on a machine by numba and kept beside this file; every
signature is fixed, so that nothing is ever compiled while the robot moves.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import types

from bidden.core.compiled import compiled
from bidden.core.messages import Array


def given(ndim: int, dtype: types.Type = types.float64) -> types.Array:
    """An array that is read only, in C order; one that may be changed fits as well."""
    return types.Array(dtype, ndim, "C", readonly=True)


IN1, IN2, IN3, IN4 = (given(ndim) for ndim in (1, 2, 3, 4))
INDICES: Final = given(1, types.int64)
OUT1, OUT2 = types.float64[::1], types.float64[:, ::1]
OUT3, OUT4 = types.float64[:, :, ::1], types.float64[:, :, :, ::1]
_TINY: Final = 1e-12


@compiled(types.float64(types.float64, types.float64, types.float64))
def clip(x, low, high):
    """The number inside a range; nan stays nan, unlike with `min` and `max`."""
    if x < low:
        return low
    return high if x > high else x


@compiled(OUT4(IN2, IN3, IN3, IN3, IN2, INDICES))
def chain(q, fixed, sine, cosine, offset, parent):
    """Poses of links hanging on each other, (B, J + 1, 4, 4), see `Kinematics`.

    Args:
        q: joint positions [rad], (B, J).
        fixed: rotation of each link in its parent at zero, (J, 3, 3).
        sine: what is added per sine of the joint, (J, 3, 3).
        cosine: what is added per one less its cosine, (J, 3, 3).
        offset: origin of each link in its parent [m], (J, 3).
        parent: link on which each hangs; link 0 is the root, (J,).
    """
    count = q.shape[1]
    X = np.zeros((q.shape[0], count + 1, 4, 4))
    R = np.empty((3, 3))
    for b in range(q.shape[0]):
        for k in range(4):
            X[b, 0, k, k] = 1.0
        for j in range(count):
            s, c = math.sin(q[b, j]), 1.0 - math.cos(q[b, j])
            for r in range(3):
                for k in range(3):
                    R[r, k] = fixed[j, r, k] + s * sine[j, r, k] + c * cosine[j, r, k]
            P, own = X[b, parent[j]], X[b, j + 1]
            for r in range(3):
                for k in range(3):
                    own[r, k] = (
                        P[r, 0] * R[0, k] + P[r, 1] * R[1, k] + P[r, 2] * R[2, k]
                    )
                own[r, 3] = P[r, 3]
                for k in range(3):
                    own[r, 3] += P[r, k] * offset[j, k]
            own[3, 3] = 1.0
    return X


@compiled(types.UniTuple(types.float64, 2)(IN2, IN2))
def nearest_shares(one, two):
    """Where two segments (3, 2) are nearest to each other, as shares of their ways.

    Ericson, Real-Time Collision Detection, 5.1.9; parallel segments start at s = 0.
    """
    a = e = _TINY
    b = c = f = 0.0
    for i in range(3):
        d1, d2 = one[i, 1] - one[i, 0], two[i, 1] - two[i, 0]
        r = one[i, 0] - two[i, 0]
        a, b, c = a + d1 * d1, b + d1 * d2, c + d1 * r
        e, f = e + d2 * d2, f + d2 * r
    s = clip((b * f - c * e) / max(a * e - b * b, _TINY), 0.0, 1.0)
    t = clip((b * s + f) / e, 0.0, 1.0)
    s = clip((b * t - c) / a, 0.0, 1.0)
    return s, t


@compiled(types.float64(IN2, IN2))
def segment_distance(one, two):
    """Distance of two segments (3, 2) [m]."""
    s, t = nearest_shares(one, two)
    total = 0.0
    for i in range(3):
        there, here = one[i, 1] - one[i, 0], two[i, 1] - two[i, 0]
        total += (one[i, 0] + s * there - (two[i, 0] + t * here)) ** 2
    return math.sqrt(total)


@compiled(OUT2(IN4, INDICES, INDICES))
def pair_distances(segments, first, second):
    """Distances of pairs of segments (B, N, 3, 2) [m], (B, P)."""
    distances = np.empty((segments.shape[0], len(first)))
    for batch in range(segments.shape[0]):
        for k in range(len(first)):
            one, two = segments[batch, first[k]], segments[batch, second[k]]
            distances[batch, k] = segment_distance(one, two)
    return distances


@compiled(types.UniTuple(types.float64, 2)(IN1, IN1, IN1, OUT1))
def box_contact(start, along, half, kinks):
    """Signed distance of one segment to a box around the origin, and where, as a share.

    The slope of the squared distance is piecewise linear and rises along the segment,
    with kinks where it crosses a face's plane: the root lies between the last where it
    falls and the first where it does not.

    Args:
        start, along: of the segment [m], (3,).
        half: of the box [m], (3,).
        kinks: room to work in, (8,).
    """
    kinks[6], kinks[7] = 0.0, 1.0
    for i in range(3):
        rate = along[i] if abs(along[i]) >= _TINY else _TINY
        kinks[i] = clip((half[i] - start[i]) / rate, 0.0, 1.0)
        kinks[3 + i] = clip((-half[i] - start[i]) / rate, 0.0, 1.0)
    u0, u1, s0, s1 = 0.0, 1.0, -1e9, 1e9
    depth = 1e9
    for u in kinks:
        slope, beyond = 0.0, -1e9
        for i in range(3):
            p = start[i] + u * along[i]
            out = abs(p) - half[i]
            beyond = max(beyond, out)
            if out > 0.0:
                slope += math.copysign(out, p) * along[i]
        depth = min(depth, beyond)
        if slope < 0.0:
            u0, s0 = max(u0, u), max(s0, slope)
        else:
            u1, s1 = min(u1, u), min(s1, slope)
    root = u0 + (u1 - u0) * clip(-s0 / max(s1 - s0, _TINY), 0.0, 1.0)
    total = 0.0
    for i in range(3):
        out = abs(start[i] + root * along[i]) - half[i]
        if not out <= 0.0:
            total += out * out
    outside = math.sqrt(total)
    return (outside if not outside <= 1e-9 else min(depth, 0.0)), root


@compiled(types.UniTuple(OUT3, 2)(IN4, IN3, IN2))
def box_contacts(segments, X_OB, half):
    """Signed distances of segments (B, N, 3, 2) to M boxes, see `capsules`.

    Returns:
        Distances [m] and the shares of the segments where they are least, (B, N, M).
    """
    batches, count = segments.shape[0], segments.shape[1]
    distance = np.empty((batches, count, len(half)))
    share = np.empty((batches, count, len(half)))
    start, along, kinks = np.empty(3), np.empty(3), np.empty(8)
    for batch in range(batches):
        for n in range(count):
            ends = segments[batch, n]
            for m in range(len(half)):
                for i in range(3):
                    start[i], along[i] = X_OB[m, i, 3], 0.0
                    for k in range(3):
                        start[i] += X_OB[m, i, k] * ends[k, 0]
                        along[i] += X_OB[m, i, k] * (ends[k, 1] - ends[k, 0])
                found = box_contact(start, along, half[m], kinks)
                distance[batch, n, m], share[batch, n, m] = found
    return distance, share


@compiled(OUT2(IN3, IN1, IN2, IN2, IN2, IN1, IN2, IN1, IN1))
def com_motion(X, share, com, axis, carried, dq, root, gyro, base):
    """Centre of mass in the root's frame, and its velocity over the ground, (2, 3).

    Args:
        X: poses of the links in the root's frame, (J + 1, 4, 4).
        share: of the whole mass, (J + 1,).
        com: of each link in its own frame [m], (J + 1, 3).
        axis: of each joint in its own link, (J, 3).
        carried: share of the mass of link i that joint j carries, (J, J + 1).
        dq: joint velocities [rad/s], (J,).
        root: its attitude in the base frame, whose axes the velocity has, (>= 3, >= 3).
        gyro: its angular velocity in its own frame [rad/s], (3,).
        base: vx, vy [m/s] of the base, (>= 2,).
    """
    out, rate = np.zeros((2, 3)), np.zeros(3)
    centre = np.empty((len(share), 3))
    for i in range(len(share)):
        for r in range(3):
            centre[i, r] = X[i, r, 3]
            for k in range(3):
                centre[i, r] += X[i, r, k] * com[i, k]
            out[0, r] += share[i] * centre[i, r]
    turn, lever = np.empty(3), np.empty(3)
    for j in range(len(dq)):
        for r in range(3):
            turn[r] = lever[r] = 0.0
            for k in range(3):
                turn[r] += dq[j] * X[j + 1, r, k] * axis[j, k]
        for i in range(len(share)):
            for r in range(3):
                lever[r] += carried[j, i] * (centre[i, r] - X[j + 1, r, 3])
        for r in range(3):
            a, b = (r + 1) % 3, (r + 2) % 3
            rate[r] += turn[a] * lever[b] - turn[b] * lever[a]
    for r in range(3):
        a, b = (r + 1) % 3, (r + 2) % 3
        rate[r] += gyro[a] * out[0, b] - gyro[b] * out[0, a]
    for r in range(3):
        out[1, r] = base[r] if r < 2 else 0.0
        for k in range(3):
            out[1, r] += root[r, k] * rate[k]
    return out


@compiled(OUT1(IN1, IN1, types.float64))
def capture_point(com, velocity, gravity):
    """Where a foot must stand to come to rest: x + v / omega [m], (2,).

    Args:
        com: over the ground [m], (3,); counts as 0.1 m high at least.
        velocity: [m/s], (>= 2,).
        gravity: its acceleration [m/s^2].
    """
    slowness = math.sqrt((com[2] if not com[2] < 0.1 else 0.1) / gravity)
    return com[:2] + slowness * velocity[:2]


@compiled(types.float64(IN2, types.float64, types.float64))
def polygon_margin(points, x, y):
    """Signed distance from x, y to the edge of the hull of `points`, (N, >= 2)."""
    n = len(points)
    total = x + y
    for i in range(n):
        total += points[i, 0] + points[i, 1]
    if not math.isfinite(total):
        return math.nan
    inside, outside = math.inf, math.inf
    has_edge = False
    for i in range(n):
        ax, ay = points[i, 0], points[i, 1]
        outside = min(outside, math.hypot(x - ax, y - ay))
        for j in range(n):
            ex, ey = points[j, 0] - ax, points[j, 1] - ay
            length = math.hypot(ex, ey)
            if length <= 1e-9:
                continue
            # An edge of the hull has all others on its left
            is_edge = True
            for k in range(n):
                side = ex * (points[k, 1] - ay) - ey * (points[k, 0] - ax)
                if side < -1e-12 * length:
                    is_edge = False
                    break
            if not is_edge:
                continue
            has_edge = True
            rx, ry = x - ax, y - ay
            inside = min(inside, (ex * ry - ey * rx) / length)
            u = clip((rx * ex + ry * ey) / (length * length), 0.0, 1.0)
            outside = min(outside, math.hypot(rx - u * ex, ry - u * ey))
    if has_edge and inside >= 0.0:
        return inside
    return -outside if n > 0 else 0.0


@compiled(OUT4(IN4, INDICES, IN3))
def segments(X, links, ends):
    """Ends of segments on links, (B, N, 3, 2).

    Args:
        X: poses of the links, (B, L, 4, 4).
        links: on which each segment lies, (N,).
        ends: of the segments in their links [m], (N, 3, 2).
    """
    out = np.empty((X.shape[0], len(links), 3, 2))
    for b in range(X.shape[0]):
        for n in range(len(links)):
            own = X[b, links[n]]
            for r in range(3):
                for end in range(2):
                    out[b, n, r, end] = own[r, 3]
                    for k in range(3):
                        out[b, n, r, end] += own[r, k] * ends[n, k, end]
    return out


@compiled(OUT3(IN2, IN2, IN2, IN3))
def soles(X, right, left, points):
    """Points of both feet under the pose `X` of the root, (2, N, 3).

    Args:
        X: pose of the root, (4, 4).
        right: pose of the right foot in the root's frame, (4, 4).
        left: likewise.
        points: in the foot's own frame, right and left [m], (2, N, 3).
    """
    out = np.empty(points.shape)
    p = np.empty(3)
    for foot in range(2):
        own = right if foot == 0 else left
        for n in range(points.shape[1]):
            for r in range(3):
                p[r] = own[r, 3]
                for k in range(3):
                    p[r] += own[r, k] * points[foot, n, k]
            for r in range(3):
                out[foot, n, r] = X[r, 3]
                for k in range(3):
                    out[foot, n, r] += X[r, k] * p[k]
    return out


@compiled(OUT2(types.float64, types.float64, types.float64))
def level(gx, gy, gz):
    """Yaw-free rotation that turns a measured gravity straight down, (3, 3)."""
    R = np.empty((3, 3))
    n = math.sqrt(gx * gx + gy * gy + gz * gz)
    R[2, 0], R[2, 1], R[2, 2] = 0.0, 0.0, 1.0
    if n > 1e-6:
        R[2, 0], R[2, 1], R[2, 2] = -gx / n, -gy / n, -gz / n
    # Forward is the pelvis' x without its vertical part; lying face down has none.
    x, z = 1.0, 0.0
    if not abs(R[2, 0]) < 0.999999:
        x, z = 0.0, -R[2, 0]
    along = x * R[2, 0] + z * R[2, 2]
    R[0, 0], R[0, 1], R[0, 2] = -along * R[2, 0], -along * R[2, 1], -along * R[2, 2]
    R[0, 0] += x
    R[0, 2] += z
    f = math.sqrt(R[0, 0] ** 2 + R[0, 1] ** 2 + R[0, 2] ** 2)
    for i in range(3):
        R[0, i] /= f
    for i in range(3):
        a, b = (i + 1) % 3, (i + 2) % 3
        R[1, i] = R[2, a] * R[0, b] - R[2, b] * R[0, a]
    return R


@compiled(types.Tuple((OUT2, OUT3))(IN1, IN2, IN2, IN3, types.float64))
def grounded(gravity, right, left, points, radius):
    """Pose of a root whose lowest sole is on the floor, and the soles' points there.

    Args:
        gravity: measured in the root's frame, (3,).
        right, left: poses of the feet in the root's frame, (4, 4).
        points: in the foot's own frame, right and left [m], (2, N, 3).
        radius: of the soles' capsules [m].
    """
    X = np.zeros((4, 4))
    X[:3, :3] = level(gravity[0], gravity[1], gravity[2])
    X[3, 3] = 1.0
    under = soles(X, right, left, points)
    under[:, :, 2] -= radius
    lowest = under[:, :, 2].min()
    X[2, 3] = -lowest
    under[:, :, 2] -= lowest
    return X, under


@compiled(
    types.float64(IN3, IN1, IN2, IN1, IN1, IN2, IN1, IN2, IN2, IN2, types.float64),
)
def capture_margin(X, dq, root, gyro, base, under, share, com, axis, carried, gravity):
    """Signed distance of the capture point to the hull of both soles [m].

    Args:
        X: poses of the links in the root's frame, (J + 1, 4, 4).
        dq: joint velocities [rad/s], (J,).
        root: its pose in the base frame, (4, 4).
        under: points under the soles [m], (N, 3).
        gyro, base, share, com, axis, carried: see `com_motion`.
        gravity: its acceleration [m/s^2].
    """
    motion = com_motion(X, share, com, axis, carried, dq, root, gyro, base)
    place = np.empty(3)
    for r in range(3):
        place[r] = root[r, 3]
        for k in range(3):
            place[r] += root[r, k] * motion[0, k]
    x = capture_point(place, motion[1], gravity)
    return polygon_margin(under, x[0], x[1])


def contiguous(a: Array) -> Array:
    """The array as the kernels take it: float64, C order; itself if it is so."""
    return np.ascontiguousarray(a, dtype=np.float64)
