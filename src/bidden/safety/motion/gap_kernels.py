"""What a step of the arms does to their distances, compiled: see `safety.kernels`."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import types

from bidden.core.compiled import compiled
from bidden.robot.kernels import (
    IN1,
    IN2,
    IN3,
    IN4,
    INDICES,
    OUT1,
    OUT2,
    OUT3,
    box_contact,
    nearest_shares,
    segment_distance,
)
from bidden.safety.kernels import FLOAT, TINY, box_poses, least, most

CONTACTS: Final = 6  # most that one arm is bent around
# What one kind of gaps loses to each arm's step, and may lose [m], both (2, C); the
# least gap after it [m]; the share of its step that each arm may take, right and left
GAPS: Final = types.Tuple((OUT2, OUT2, FLOAT, FLOAT, FLOAT))


@compiled(FLOAT(IN1, IN1))
def share_left(approach, room):
    """Share of a step that takes no more from any gap than it may lose, (C,) each."""
    share = 1.0
    for k in range(len(approach)):
        if not approach[k] <= TINY:
            share = least(share, room[k] / approach[k])
    return share


@compiled(FLOAT(FLOAT, FLOAT, FLOAT))
def room_of(gap, clearance, gain):
    """What a gap may lose in one step [m]."""
    return gain * most(gap - clearance, 0.0)


@compiled(GAPS(IN4, INDICES, INDICES, IN1, INDICES, FLOAT, FLOAT))
def self_gaps(segments, first, second, sums, arm, clearance, gain):
    """Gaps between the body's own capsules, each arm moved by itself.

    Args:
        segments: axes of the capsules before and after the step [m], (2, N, 3, 2).
        first, second: capsules of each pair, (C,).
        sums: of their radii [m], (C,).
        arm: hand number of each capsule's arm, -1 for the rest, (N,).
        clearance, gain: see `room_of`; both arms share the room between them.
    """
    approach, room = np.empty((2, len(first))), np.empty((2, len(first)))
    margin = math.inf
    for k in range(len(first)):
        one, two = first[k], second[k]
        gap = segment_distance(segments[0, one], segments[0, two]) - sums[k]
        for hand in range(2):
            after = gap
            a, b = int(arm[one] == hand), int(arm[two] == hand)
            if a + b > 0:
                after = segment_distance(segments[a, one], segments[b, two]) - sums[k]
            margin = least(margin, after)
            approach[hand, k] = most(gap - after, 0.0)
        total = most(approach[0, k] + approach[1, k], TINY)
        free = room_of(gap, clearance, gain)
        for hand in range(2):
            room[hand, k] = free * approach[hand, k] / total
    right, left = share_left(approach[0], room[0]), share_left(approach[1], room[1])
    return approach, room, margin, right, left


@compiled(
    types.Tuple((OUT2, OUT2, FLOAT, FLOAT, FLOAT, OUT2))(
        IN4, INDICES, IN1, IN1, IN3, IN2, FLOAT
    ),
)
def box_gaps(segments, arms, radius, clearance, X_OP, half, gain):
    """Gaps of each arm's capsules to boxes, and where on the capsule, as a share.

    Args:
        segments: axes of the capsules before and after the step [m], (2, N, 3, 2).
        arms: capsules of the right arm, then of the left, (2 K,).
        radius, clearance: of these [m], (2 K,).
        X_OP: pose of the pelvis in each box's frame, (M, 4, 4).
        half: of the boxes [m], (M, 3).
        gain: see `room_of`.
    """
    parts, count = len(arms) // 2, len(half)
    shape = (2, parts * count)
    approach, room, where = np.empty(shape), np.empty(shape), np.empty(shape)
    margin = math.inf
    start, along, kinks = np.empty(3), np.empty(3), np.empty(8)
    gaps = np.empty(2)
    for part in range(2 * parts):
        hand, row = part // parts, (part % parts) * count
        for m in range(count):
            for step in range(1, -1, -1):  # the share kept is that before the step
                ends = segments[step, arms[part]]
                for i in range(3):
                    start[i], along[i] = X_OP[m, i, 3], 0.0
                    for k in range(3):
                        start[i] += X_OP[m, i, k] * ends[k, 0]
                        along[i] += X_OP[m, i, k] * (ends[k, 1] - ends[k, 0])
                found = box_contact(start, along, half[m], kinks)
                gaps[step], where[hand, row + m] = found[0] - radius[part], found[1]
            margin = least(margin, gaps[1])
            approach[hand, row + m] = gaps[0] - gaps[1]
            room[hand, row + m] = room_of(gaps[0], clearance[part], gain)
    right, left = share_left(approach[0], room[0]), share_left(approach[1], room[1])
    return approach, room, margin, right, left, where


@compiled(GAPS(IN4, INDICES, IN1, IN3, IN1, FLOAT, FLOAT))
def person_gaps(segments, arms, radius, ends, person_radius, clearance, gain):
    """Gaps of each arm's capsules to those of people, (2, K N).

    Args:
        segments, arms, radius: see `box_gaps`.
        ends: axes of the people's capsules [m], (N, 3, 2).
        person_radius: (N,) [m].
        clearance, gain: see `room_of`.
    """
    parts, count = len(arms) // 2, len(ends)
    approach, room = np.empty((2, parts * count)), np.empty((2, parts * count))
    margin = math.inf
    for part in range(2 * parts):
        hand, row = part // parts, (part % parts) * count
        own = arms[part]
        for n in range(count):
            sums = radius[part] + person_radius[n]
            gap = segment_distance(segments[0, own], ends[n]) - sums
            after = segment_distance(segments[1, own], ends[n]) - sums
            margin = least(margin, after)
            approach[hand, row + n] = gap - after
            room[hand, row + n] = room_of(gap, clearance, gain)
    right, left = share_left(approach[0], room[0]), share_left(approach[1], room[1])
    return approach, room, margin, right, left


@compiled(types.int64[::1](IN1, IN1))
def tightest(approach, room):
    """Which gaps a step takes too much from, worst first, at most `CONTACTS`.

    Args:
        approach, room: what each gap loses, and may lose [m], (C,).
    """
    found = np.empty(min(CONTACTS, len(room)), np.int64)
    is_taken = np.zeros(len(room), np.bool_)
    count = 0
    for _ in range(len(found)):
        worst = -1
        for k in range(len(room)):
            excess = approach[k] - room[k]
            if is_taken[k] or excess <= TINY:
                continue
            if worst < 0 or not excess <= approach[worst] - room[worst]:
                worst = k
        if worst < 0:
            break
        is_taken[worst] = True
        found[count] = worst
        count += 1
    return found[:count].copy()


@compiled(FLOAT(IN2, IN2, OUT1, OUT1))
def segment_contact(one, two, point, away):
    """Distance of two segments (3, 2) [m]; fills in what lies between them.

    Args:
        one, two: the segments [m].
        point: gets the point of `one` that is nearest to `two` [m], (3,).
        away: gets the unit direction from `two` to it, (3,); zero where they cross.
    """
    s, t = nearest_shares(one, two)
    total = 0.0
    for i in range(3):
        point[i] = one[i, 0] + s * (one[i, 1] - one[i, 0])
        away[i] = point[i] - (two[i, 0] + t * (two[i, 1] - two[i, 0]))
        total += away[i] * away[i]
    distance = math.sqrt(total)
    size = most(distance, TINY)
    for i in range(3):
        away[i] /= size
    return distance


@compiled(types.UniTuple(OUT2, 3)(IN3, INDICES, IN3, INDICES))
def contacts_of(ones, first, twos, second):
    """Where pairs of segments are nearest: on the first, the way there, on the second.

    Args:
        ones, twos: axes of capsules [m], (N, 3, 2) and (M, 3, 2).
        first, second: of each pair, (C,).

    Returns:
        Points on the first [m], unit directions to them, points on the second, (C, 3).
    """
    shape = (len(first), 3)
    points, away, behind = np.empty(shape), np.empty(shape), np.empty(shape)
    for c in range(len(first)):
        distance = segment_contact(ones[first[c]], twos[second[c]], points[c], away[c])
        for i in range(3):
            behind[c, i] = points[c, i] - distance * away[c, i]
    return points, away, behind


@compiled(types.void(IN1, IN2, IN1, OUT1))
def way_out(point, X, half, out):
    """Fills in the unit direction out of a box, in its frame, (3,).

    Args:
        point: in some frame [m], (3,).
        X: pose of that frame in the box's, (4, 4).
        half: half sizes of the box [m], (3,).
        out: gets the direction; inside, that of the nearest face.
    """
    nearest, best, size = 0, -math.inf, 0.0
    at = np.empty(3)
    for i in range(3):
        at[i] = X[i, 3] + X[i, 0] * point[0] + X[i, 1] * point[1] + X[i, 2] * point[2]
        beyond = abs(at[i]) - half[i]
        if not beyond <= best:
            nearest, best = i, beyond
        out[i] = math.copysign(most(beyond, 0.0), at[i])
        size += out[i] * out[i]
    size = math.sqrt(size)
    for i in range(3):
        if best <= 0.0:
            out[i] = math.copysign(1.0, at[i]) if i == nearest else 0.0
        else:
            out[i] /= most(size, TINY)


@compiled(types.UniTuple(OUT2, 2)(IN3, INDICES, IN1, IN3, IN2, INDICES))
def box_ways_out(segments, parts, where, X_OP, half, boxes):
    """Points of segments and the ways from there out of boxes, both (C, 3).

    Args:
        segments: axes of the capsules [m], (N, 3, 2).
        parts: the capsules, (C,).
        where: the points on them, as shares of their length, (C,).
        X_OP, half: see `box_gaps`.
        boxes: (C,).
    """
    points, away = np.empty((len(parts), 3)), np.zeros((len(parts), 3))
    out = np.empty(3)
    for c in range(len(parts)):
        ends, box = segments[parts[c]], boxes[c]
        for i in range(3):
            points[c, i] = ends[i, 0] + where[c] * (ends[i, 1] - ends[i, 0])
        way_out(points[c], X_OP[box], half[box], out)
        for i in range(3):
            for k in range(3):
                away[c, i] += X_OP[box, k, i] * out[k]
    return points, away


@compiled(types.Tuple((OUT2, OUT3, OUT3))(IN3, INDICES, IN1, IN2, IN3, IN1))
def people_near(segments, arms, radius, X, ends, person_radius):
    """Gaps of the arms' capsules to people's [m], (K, N), and where: see `Nearness`.

    Args:
        segments: axes of the capsules in some frame [m], (C, 3, 2).
        arms, radius: capsules of the arms, and their radii [m], (K,).
        X: pose of that frame in the one of the people, (4, 4).
        ends: axes of the people's capsules [m], (N, 3, 2).
        person_radius: (N,) [m].
    """
    shape = (len(arms), len(ends))
    gaps, points, away = np.empty(shape), np.empty((*shape, 3)), np.empty((*shape, 3))
    own = np.empty((3, 2))
    for k in range(len(arms)):
        part = segments[arms[k]]
        for i in range(3):
            for end in range(2):
                own[i, end] = X[i, 3]
                for r in range(3):
                    own[i, end] += X[i, r] * part[r, end]
        for n in range(len(ends)):
            gap = segment_contact(own, ends[n], points[k, n], away[k, n])
            gaps[k, n] = gap - radius[k] - person_radius[n]
    return gaps, points, away


@compiled(OUT2(IN3, IN3, IN1))
def closing_speeds(points, away, velocity):
    """Speeds at which a base velocity closes the gaps of `people_near` [m/s], (K, N).

    Args:
        points, away: see `people_near`, in B.
        velocity: vx, vy [m/s], wz [rad/s] in B, (3,).
    """
    out = np.empty(points.shape[:2])
    for k in range(points.shape[0]):
        for n in range(points.shape[1]):
            vx = velocity[0] - velocity[2] * points[k, n, 1]
            vy = velocity[1] + velocity[2] * points[k, n, 0]
            out[k, n] = -(vx * away[k, n, 0] + vy * away[k, n, 1])
    return out


@compiled(types.UniTuple(FLOAT, 2)(IN2, IN2, FLOAT, FLOAT))
def share_beside(gaps, closing, clearance, gain):
    """Share of a base velocity that no gap is closed too fast by; the least gap [m].

    Args:
        gaps: [m], (K, N).
        closing: see `closing_speeds`.
        clearance, gain: see `room_of`.
    """
    share, margin = 1.0, math.inf
    for k in range(gaps.shape[0]):
        for n in range(gaps.shape[1]):
            margin = least(margin, gaps[k, n])
            if not closing[k, n] <= TINY:
                room = room_of(gaps[k, n], clearance, gain)
                share = least(share, room / closing[k, n])
    return share, margin


@compiled(types.int64[::1](IN1, FLOAT))
def rows_within(away, reach):
    """Which of the distances, (M,), are not over `reach`."""
    near, count = np.empty(len(away), np.int64), 0
    for m in range(len(away)):
        if not away[m] > reach:
            near[count] = m
            count += 1
    return near[:count].copy()


@compiled(types.Tuple((OUT3, OUT2))(IN2, IN2, IN1, IN2, IN2, FLOAT))
def boxes_within(centre, half, yaw, beside, X, reach):
    """Pose `X` seen from the boxes within reach, and their half sizes.

    Args:
        centre, half, yaw: of all boxes, see `Scene`.
        beside: see `Scene.boxes_beside`, (M, 3).
        X: a pose, (4, 4).
        reach: [m] from the body's axis.
    """
    near = rows_within(beside[:, 2].copy(), reach)
    count = len(near)
    places, angles, sizes = np.empty((count, 3)), np.empty(count), np.empty((count, 3))
    for k in range(count):
        places[k], sizes[k], angles[k] = centre[near[k]], half[near[k]], yaw[near[k]]
    return box_poses(places, angles, X), sizes


@compiled(types.Tuple((OUT3, OUT1))(IN3, IN1, IN2, IN2, FLOAT))
def people_within(ends, radius, beside, X, reach):
    """Axes of the people's capsules within reach as seen from pose `X`, and radii.

    Args:
        ends, radius: of all people, see `Scene`.
        beside: see `Scene.people_beside`, (N, 3).
        X: a pose, (4, 4).
        reach: [m] from the body's axis to a capsule's surface.
    """
    near = rows_within(beside[:, 2] - radius, reach)
    count = len(near)
    seen, sizes = np.zeros((count, 3, 2)), np.empty(count)
    for k in range(count):
        sizes[k] = radius[near[k]]
        for end in range(2):
            for i in range(3):
                for r in range(3):
                    away = ends[near[k], r, end] - X[r, 3]
                    seen[k, i, end] += X[r, i] * away
    return seen, sizes
