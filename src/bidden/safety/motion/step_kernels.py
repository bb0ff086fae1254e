"""The next step of joints and base, compiled: see `safety.kernels`."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import types

from bidden.core.compiled import compiled
from bidden.robot.kernels import IN1, IN2, IN4, INDICES, OUT1, OUT2, clip
from bidden.safety.kernels import BOOL, FLOAT, TINY, least, most

_SLACK: Final = 1e-6  # less than this was not cut


@compiled(OUT1(IN1, FLOAT))
def slowed(step, longest):
    """The step with no joint over `longest`; each arm keeps its direction, (14,)."""
    out, joints = np.empty(len(step)), len(step) // 2
    for first in (0, joints):
        share = 1.0
        for j in range(first, first + joints):
            share = least(share, longest / most(abs(step[j]), TINY))
        for j in range(first, first + joints):
            out[j] = share * step[j]
    return out


@compiled(
    types.Tuple((OUT1, BOOL, BOOL, BOOL))(
        IN1, IN1, IN1, IN1, IN1, IN1, FLOAT, IN1, FLOAT
    ),
)
def joint_targets(wish, posture, q, dq, lower, upper, lag, reach, longest):
    """Arm targets inside range, torque and speed, and which of the three cut.

    Args:
        wish: wanted targets [rad], (14,), and so the others.
        posture: the last vetted ones.
        q, dq: measured [rad], [rad/s].
        lower, upper: of the joints.
        lag: kd / kp of the servos [s].
        reach: effort / kp of the servos [rad].
        longest: largest step [rad].
    """
    count = len(wish)
    eased, step = np.empty(count), np.empty(count)
    ranged = strong = 0.0
    for j in range(count):
        target = clip(wish[j], lower[j], upper[j])
        ranged = most(ranged, abs(target - wish[j]))
        # Where the servo would ask for all its torque: kp (target - q) - kd dq = effort
        middle = q[j] + lag * dq[j]
        eased[j] = clip(target, middle - reach[j], middle + reach[j])
        eased[j] = clip(eased[j], lower[j], upper[j])
        strong = most(strong, abs(eased[j] - target))
        step[j] = eased[j] - posture[j]
    slow, fast = slowed(step, longest), 0.0
    for j in range(count):
        fast = most(fast, abs(slow[j] - step[j]))
        slow[j] += posture[j]
    return slow, not ranged <= _SLACK, not strong <= _SLACK, not fast <= _SLACK


@compiled(OUT1(IN1, IN1, FLOAT, FLOAT))
def shortened(posture, target, right, left):
    """A share of each arm's way from `posture` to `target`; left arm first, (14,)."""
    out, joints = np.empty(len(posture)), len(posture) // 2
    for j in range(len(posture)):
        share = left if j < joints else right
        out[j] = posture[j] + share * (target[j] - posture[j])
    return out


@compiled(types.UniTuple(FLOAT, 2)(IN4, INDICES, FLOAT))
def hand_ways(X, wrists, grip):
    """How far a step moves the grip point of the right and of the left hand [m].

    Args:
        X: poses of the links before and after, (2, L, 4, 4).
        wrists: links of the right and of the left wrist, (2,).
        grip: from a wrist along its x to the grip point [m].
    """
    total = np.zeros(2)
    for hand in range(2):
        before, after = X[0, wrists[hand]], X[1, wrists[hand]]
        for i in range(3):
            moved = after[i, 3] - before[i, 3] + grip * (after[i, 0] - before[i, 0])
            total[hand] += moved * moved
    return math.sqrt(total[0]), math.sqrt(total[1])


@compiled(
    types.Tuple((OUT2, FLOAT, FLOAT))(
        IN2, IN2, IN2, IN2, IN1, FLOAT, FLOAT, FLOAT, FLOAT, FLOAT, FLOAT, FLOAT
    ),
)
def obstacles_of(
    boxes,
    centre,
    half,
    people,
    people_radius,
    lowest,
    highest,
    radius,
    clearance,
    gain,
    person_stop,
    person_gain,
):
    """What the base can walk into: direction in the plane, allowed speed, (K, 3).

    Args:
        boxes: see `Scene.boxes_beside`, (M, 3).
        centre, half: of the boxes [m], (M, 3).
        people: see `Scene.people_beside`, (N, 3).
        people_radius: [m], (N,).
        lowest, highest, radius: of the body [m].
        clearance, gain: gap to boxes that is left [m], speed per metre of more [1/s].
        person_stop, person_gain: the same for people; only the nearest counts.

    Returns:
        The obstacles, the least gap to a box and that to a person [m].
    """
    out, count = np.empty((len(boxes) + 1, 3)), 0
    margin = person_gap = math.inf
    for m in range(len(boxes)):
        z = centre[m, 2]
        if z - half[m, 2] >= highest or z + half[m, 2] <= lowest:
            continue
        norm = most(math.hypot(boxes[m, 0], boxes[m, 1]), TINY)
        gap = boxes[m, 2] - radius
        margin = least(margin, gap)
        out[count, 0], out[count, 1] = boxes[m, 0] / norm, boxes[m, 1] / norm
        out[count, 2] = gain * most(gap - clearance, 0.0)
        count += 1
    for n in range(len(people)):
        gap = people[n, 2] - people_radius[n] - radius
        if gap >= person_gap:
            continue
        person_gap, norm = gap, most(people[n, 2], TINY)
        out[count, 0], out[count, 1] = people[n, 0] / norm, people[n, 1] / norm
        out[count, 2] = person_gain * most(gap - person_stop, 0.0)
    if len(people) > 0:
        count += 1
    return out[:count].copy(), margin, person_gap


@compiled(types.UniTuple(FLOAT, 3)(FLOAT, FLOAT, FLOAT, IN2, FLOAT))
def bent(x, y, turn, obstacles, top):
    """A velocity without what leads too fast towards something.

    Args:
        x, y, turn: wished [m/s], [rad/s].
        obstacles: see `obstacles_of`, (K, 3).
        top: speed that is not exceeded [m/s].
    """
    speed = math.hypot(x, y)
    share = 1.0 if speed <= top else top / speed
    vx, vy = share * x, share * y
    for _ in range(2):  # twice: leaving one thing may lead to another
        for k in range(len(obstacles)):
            ox, oy = obstacles[k, 0], obstacles[k, 1]
            excess = vx * ox + vy * oy - obstacles[k, 2]
            if not excess <= TINY:
                vx, vy = vx - excess * ox, vy - excess * oy
    is_free = vx * x + vy * y >= 0.0  # never turned back
    for k in range(len(obstacles)):
        towards = vx * obstacles[k, 0] + vy * obstacles[k, 1]
        is_free = is_free and towards <= obstacles[k, 2] + _SLACK
    if not is_free:
        vx = vy = 0.0
    return vx, vy, share * turn


@compiled(
    types.Tuple((OUT1, BOOL, BOOL))(
        IN1, IN1, IN2, FLOAT, FLOAT, FLOAT, FLOAT, FLOAT, FLOAT, FLOAT
    ),
)
def base_velocity(
    wish, last, obstacles, top, forward, backward, sideways, turning, ramp, turn_ramp
):
    """The base's next velocity, and whether limits or obstacles cut it.

    Args:
        wish, last: wanted, and last vetted, (3,).
        obstacles, top: see `bent`.
        forward, backward, sideways, turning: largest speeds [m/s], [rad/s].
        ramp, turn_ramp: largest changes in this step [m/s], [rad/s].
    """
    x, y = clip(wish[0], -backward, forward), clip(wish[1], -sideways, sideways)
    turn = clip(wish[2], -turning, turning)
    cut = most(most(abs(x - wish[0]), abs(y - wish[1])), abs(turn - wish[2]))
    # Both ends are free of obstacles, so that all between them is.
    before = bent(last[0], last[1], last[2], obstacles, top)
    after = bent(x, y, turn, obstacles, top)
    away = most(most(abs(after[0] - x), abs(after[1] - y)), abs(after[2] - turn))
    share = 1.0
    for i in range(3):
        longest = turn_ramp if i == 2 else ramp
        share = least(share, longest / most(abs(after[i] - before[i]), TINY))
    out = np.empty(3)
    for i in range(3):
        out[i] = before[i] + share * (after[i] - before[i])
    return out, not cut <= _SLACK, not away <= TINY
