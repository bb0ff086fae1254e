"""Loops of the checks, compiled as `robot.kernels` says; nan is never lost on the way.

A comparison with nan is false, so each is written such that false is the strict side.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import types

from bidden.core.compiled import compiled
from bidden.robot.kernels import IN1, IN2, IN3, OUT1, OUT2, OUT3, clip

FLOAT: Final = types.float64
BOOL: Final = types.boolean
TINY: Final = 1e-9  # what counts as no change
_SIDE: Final = 1e-9  # [m] from a box that has no direction yet


@compiled(FLOAT(FLOAT, FLOAT))
def least(a, b):
    """The smaller number; nan if one is."""
    if a != a:
        return a
    return a if b >= a else b


@compiled(FLOAT(FLOAT, FLOAT))
def most(a, b):
    """The larger number; nan if one is."""
    if a != a:
        return a
    return a if b <= a else b


@compiled(BOOL(IN1, IN1, IN1))
def is_within(numbers, low, high):
    """Whether every number lies in its range, (N,) each."""
    for i in range(len(numbers)):
        if not (numbers[i] >= low[i] and numbers[i] <= high[i]):
            return False
    return True


@compiled(BOOL(IN1, IN1, IN1, FLOAT, FLOAT))
def is_near(now, before, speed, period, slack):
    """Whether no number changed by more than speed times period and slack, (N,)."""
    for i in range(len(now)):
        if not abs(now[i] - before[i]) <= speed[i] * period + slack:
            return False
    return True


@compiled(BOOL(IN1, IN1, IN1))
def are_finite(a, b, c):
    """Whether all numbers of three arrays are finite."""
    for array in (a, b, c):
        for x in array:
            if not math.isfinite(x):
                return False
    return True


@compiled(BOOL(IN1, IN1))
def is_same(now, before):
    """Whether no number has changed, (N,) each."""
    for i in range(len(now)):  # noqa: SIM110 - compiled
        if now[i] != before[i]:
            return False
    return True


@compiled(OUT1(IN1, IN1, IN1, IN1, IN1, IN1, FLOAT, FLOAT, FLOAT))
def still_for(
    still, now, before, posture, posture_before, base, period, walking, reaching
):
    """For how long each number has not changed although it should have [s], (70,).

    Args:
        still: the same before this sample, (70,).
        now, before: the samples; joint positions and speeds come first, (>= 70,).
        posture, posture_before: vetted arm targets now and then [rad], (14,).
        base: vetted base velocity, (3,).
        period: between the samples [s].
        walking: norm of `base` from which all must change.
        reaching: speed of an arm joint's target from which that one must [rad/s].
    """
    out = np.zeros(len(still))
    walks = base[0] ** 2 + base[1] ** 2 + base[2] ** 2 > walking * walking
    arms = len(posture)
    for i in range(len(still)):
        if now[i] != before[i]:
            continue
        must = walks
        for first in (29 - arms, 58 - arms):
            if first <= i < first + arms:
                j = i - first
                must = abs(posture[j] - posture_before[j]) > reaching * period
        out[i] = still[i] + (period if must else 0.0)
    return out


@compiled(types.UniTuple(FLOAT, 3)(IN1, IN1, FLOAT, types.int64))
def pushes_of(residual, per_kg, smallest, strong):
    """What torques of two arms say: largest push of strong and weak joints, mass.

    Args:
        residual: torque that the arms alone do not explain [N m], (14,).
        per_kg: torque that holds 1 kg in each hand, (14,) [N m/kg].
        smallest: least sum of its squares from which a mass is told.
        strong: joints of each arm that come first and are strong.

    Returns:
        [N m] beyond what the load explains, strong and weak, and the heavier load [kg].
    """
    worst, worst_weak, heaviest = 0.0, 0.0, -math.inf
    joints = len(residual) // 2
    for arm in range(2):
        size = along = 0.0
        for j in range(arm * joints, (arm + 1) * joints):
            size += per_kg[j] * per_kg[j]
            along += per_kg[j] * residual[j]
        mass = along / most(size, smallest)
        heaviest = most(heaviest, mass)
        load = most(mass, 0.0)
        for j in range(joints):
            k = arm * joints + j
            rest = abs(residual[k] - load * per_kg[k])
            if j < strong:
                worst = most(worst, rest)
            else:
                worst_weak = most(worst_weak, rest)
    return worst, worst_weak, heaviest


@compiled(BOOL(IN1, IN2, IN2, IN1, IN3, IN1))
def is_room(pose, centre, half, yaw, ends, radius):
    """Whether all numbers of a scene are finite and no size is negative."""
    total = 0.0
    for x in pose:
        total += x
    for m in range(len(yaw)):
        total += yaw[m]
        for i in range(3):
            total += centre[m, i] + half[m, i]
            if not half[m, i] >= 0.0:
                return False
    for n in range(len(radius)):
        total += radius[n]
        if not radius[n] >= 0.0:
            return False
        for i in range(3):
            total += ends[n, i, 0] + ends[n, i, 1]
    return math.isfinite(total)


@compiled(types.Tuple((OUT2, OUT1, OUT3))(IN2, IN1, IN3, IN1, IN1))
def carried(centre, yaw, ends, before, now):
    """Centres, angles and ends in the base frame of another odometry pose.

    Args:
        centre: (M, 3) [m] in the base frame at `before`.
        yaw: (M,) [rad].
        ends: (N, 3, 2) [m].
        before, now: x, y [m], yaw [rad] in odometry, (3,).
    """
    x, y, turn = now[0] - before[0], now[1] - before[1], now[2] - before[2]
    c, s = math.cos(before[2]), math.sin(before[2])
    x, y = c * x + s * y, c * y - s * x  # in the old base frame
    c, s = math.cos(turn), math.sin(turn)
    new_centre, new_yaw = np.empty(centre.shape), np.empty(len(yaw))
    for m in range(len(yaw)):
        dx, dy = centre[m, 0] - x, centre[m, 1] - y
        new_centre[m, 0], new_centre[m, 1] = c * dx + s * dy, c * dy - s * dx
        new_centre[m, 2] = centre[m, 2]
        new_yaw[m] = yaw[m] - turn
    new_ends = np.empty(ends.shape)
    for n in range(len(ends)):
        for k in range(2):
            dx, dy = ends[n, 0, k] - x, ends[n, 1, k] - y
            new_ends[n, 0, k], new_ends[n, 1, k] = c * dx + s * dy, c * dy - s * dx
            new_ends[n, 2, k] = ends[n, 2, k]
    return new_centre, new_yaw, new_ends


@compiled(OUT2(IN3))
def axes_beside(ends):
    """Way to the nearest point of segments from above, and its length, (N, 3)."""
    out = np.empty((len(ends), 3))
    for n in range(len(ends)):
        ax, ay = ends[n, 0, 0], ends[n, 1, 0]
        dx, dy = ends[n, 0, 1] - ax, ends[n, 1, 1] - ay
        u = -(ax * dx + ay * dy) / most(dx * dx + dy * dy, 1e-12)
        u = most(0.0, least(u, 1.0))
        x, y = ax + u * dx, ay + u * dy
        out[n, 0], out[n, 1], out[n, 2] = x, y, math.hypot(x, y)
    return out


@compiled(OUT2(IN2, IN2, IN1))
def beside(centre, half, yaw):
    """Way to the nearest point of upright boxes, from above, and its length, (M, 3).

    Inside a box, and on its side, the way leads to its centre.
    """
    out = np.empty((len(yaw), 3))
    for m in range(len(yaw)):
        c, s = math.cos(yaw[m]), math.sin(yaw[m])
        px = -(c * centre[m, 0] + s * centre[m, 1])
        py = -(c * centre[m, 1] - s * centre[m, 0])
        x = clip(px, -half[m, 0], half[m, 0]) - px
        y = clip(py, -half[m, 1], half[m, 1]) - py
        out[m, 2] = math.hypot(x, y)
        if not out[m, 2] > _SIDE:
            x, y = -px, -py
        out[m, 0], out[m, 1] = c * x - s * y, s * x + c * y
    return out


@compiled(OUT3(IN2, IN1, IN2))
def box_poses(centre, yaw, X):
    """Pose `X`, (4, 4), seen from upright boxes, (M, 4, 4)."""
    out = np.zeros((len(yaw), 4, 4))
    for m in range(len(yaw)):
        c, s = math.cos(yaw[m]), math.sin(yaw[m])
        for k in range(4):
            moved = X[3, k]  # 0 for the axes, 1 for the origin
            x = X[0, k] - moved * centre[m, 0]
            y = X[1, k] - moved * centre[m, 1]
            out[m, 0, k], out[m, 1, k] = c * x + s * y, c * y - s * x
            out[m, 2, k] = X[2, k] - moved * centre[m, 2]
        out[m, 3, 3] = 1.0
    return out
