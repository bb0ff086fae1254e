"""Steps of one arm, compiled: inverse kinematics, and what a step may take."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import types

from bidden.core.compiled import compiled

from .kernels import (
    IN1,
    IN2,
    IN3,
    IN4,
    INDICES,
    OUT1,
    OUT2,
    OUT3,
    chain,
    clip,
    given,
)

FLOAT: Final = types.float64
FLAGS: Final = given(1, types.boolean)
FLAGS2: Final = given(2, types.boolean)
_SLACK: Final = 1e-12  # [rad] past a bound that counts as inside
_BOX_ROUNDS: Final = 4


@compiled(OUT1(IN2, IN1))
def solve_symmetric(H, g):
    """The x of H x = g for a positive definite H, by Cholesky."""
    n = len(g)
    L, x = np.zeros((n, n)), np.empty(n)
    for i in range(n):
        for j in range(i + 1):
            total = H[i, j]
            for k in range(j):
                total -= L[i, k] * L[j, k]
            L[i, j] = math.sqrt(total) if i == j else total / L[j, j]
    for i in range(n):
        total = g[i]
        for k in range(i):
            total -= L[i, k] * x[k]
        x[i] = total / L[i, i]
    for i in range(n - 1, -1, -1):
        total = x[i]
        for k in range(i + 1, n):
            total -= L[k, i] * x[k]
        x[i] = total / L[i, i]
    return x


@compiled(OUT1(IN2, IN1, IN1, IN1))
def box_step(H, g, low, high):
    """Minimise x'Hx/2 - g'x inside a box by pinning what leaves it, (J,)."""
    n = len(g)
    x = solve_symmetric(H, g)
    free = np.ones(n, dtype=np.bool_)
    A, b = np.empty((n, n)), np.empty(n)
    for _ in range(_BOX_ROUNDS):
        leaves = False
        for i in range(n):
            if not (x[i] >= low[i] - _SLACK and x[i] <= high[i] + _SLACK):
                leaves, free[i] = True, False
                x[i] = clip(x[i], low[i], high[i])
        if not leaves:
            break
        # Pinned rows say x = x; free rows see what is pinned on the other side.
        for i in range(n):
            b[i] = g[i] if free[i] else x[i]
            for j in range(n):
                A[i, j] = 0.0
                if free[i] and free[j]:
                    A[i, j] = H[i, j]
                elif i == j:
                    A[i, j] = 1.0
                if free[i] and not free[j]:
                    b[i] -= H[i, j] * x[j]
        x = solve_symmetric(A, b)
    return x


@compiled(OUT1(IN2, IN2))
def rotation_vector(R_to, R_from):
    """Axis times angle that turns `R_from` to `R_to`, in the common frame, (3,)."""
    R = np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            for k in range(3):
                R[i, j] += R_to[i, k] * R_from[j, k]
    v = np.array([R[2, 1] - R[1, 2], R[0, 2] - R[2, 0], R[1, 0] - R[0, 1]])
    s = math.sqrt(v[0] ** 2 + v[1] ** 2 + v[2] ** 2)
    c = R[0, 0] + R[1, 1] + R[2, 2] - 1.0
    angle = math.atan2(s, c)
    if s > 1e-6:
        return v * (angle / s)
    if c > 0.0:
        return 0.5 * v
    # Half a turn: the axis is the largest column of R + I.
    best = 0
    for k in range(3):
        R[k, k] += 1.0
        if R[k, k] > R[best, best]:
            best = k
    axis = R[:, best].copy()
    return axis * (angle / math.sqrt(axis[0] ** 2 + axis[1] ** 2 + axis[2] ** 2))


@compiled(OUT2(IN3, IN2, IN2))
def jacobian(X, axis, tip):
    """Velocity of the grip point, then its turning rate, per joint, (6, J).

    Args:
        X: poses of the root and the links, (J + 1, 4, 4).
        axis: of each joint in its own link, (J, 3).
        tip: pose of the grip point, (4, 4).
    """
    J = np.zeros((6, len(axis)))
    z, r = np.empty(3), np.empty(3)
    for j in range(len(axis)):
        for i in range(3):
            z[i] = 0.0
            for k in range(3):
                z[i] += X[j + 1, i, k] * axis[j, k]
            r[i] = tip[i, 3] - X[j + 1, i, 3]
        for i in range(3):
            a, b = (i + 1) % 3, (i + 2) % 3
            J[i, j] = z[a] * r[b] - z[b] * r[a]
            J[3 + i, j] = z[i]
    return J


@compiled(
    OUT1(IN2, IN1, IN3, IN3, IN3, IN2, IN2, IN1, IN1, IN1, IN1, types.int64),
)
def solve_arm(
    goal, q, fixed, sine, cosine, offset, axis, lower, upper, ready, scalars, iterations
):
    """Joint targets one control step nearer to the grip pose `goal`, (J,).

    Args:
        goal: pose of the grip point, (4, 4).
        q: joint positions to start from [rad], (J,).
        fixed, sine, cosine, offset: of the links, see `kernels.chain`.
        axis: of the joints, (J, 3).
        lower, upper, ready: of the joints [rad], (J,).
        scalars: largest step [rad], [m] from the last link to the grip point, and the
            weights of orientation, posture and damping, (5,).
        iterations: how often it is solved.
    """
    n = len(q)
    most, reach, turning, posture, damping = scalars
    parent = np.arange(n)
    x, low, high = np.empty((1, n)), np.empty(n), np.empty(n)
    for j in range(n):
        low[j] = clip(q[j] - most, lower[j], upper[j])
        high[j] = clip(q[j] + most, lower[j], upper[j])
        x[0, j] = clip(q[j], low[j], high[j])
    e, H, g = np.empty(6), np.empty((n, n)), np.empty(n)
    for _ in range(iterations):
        X = chain(x, fixed, sine, cosine, offset, parent)[0]
        tip = X[n].copy()
        for i in range(3):
            tip[i, 3] += reach * tip[i, 0]
        J = jacobian(X, axis, tip)
        turn = rotation_vector(goal, tip)
        for i in range(3):
            e[i] = goal[i, 3] - tip[i, 3]
            e[3 + i] = turning * turn[i]
            for j in range(n):
                J[3 + i, j] *= turning
        for j in range(n):
            g[j] = posture * posture * (ready[j] - x[0, j])
            for i in range(6):
                g[j] += J[i, j] * e[i]
            for k in range(n):
                H[j, k] = 0.0
                for i in range(6):
                    H[j, k] += J[i, j] * J[i, k]
            H[j, j] += damping + posture * posture
        step = box_step(H, g, low - x[0], high - x[0])
        for j in range(n):
            x[0, j] = clip(x[0, j] + step[j], low[j], high[j])
    return x[0].copy()


@compiled(
    OUT2(IN3, IN2, FLAGS, IN4, IN4, IN4, IN3, IN3, IN2, IN2, IN2, IN1, types.int64),
)
def solve_arms(
    goals, q, used, fixed, sine, cosine, offset, axis, lower, upper, ready, scalars, n
):
    """Joint targets of several arms, see `solve_arm`; those not `used` stay, (K, J)."""
    out = q.copy()
    for k in range(len(goals)):
        if used[k]:
            out[k] = solve_arm(
                goals[k],
                q[k],
                fixed[k],
                sine[k],
                cosine[k],
                offset[k],
                axis[k],
                lower[k],
                upper[k],
                ready[k],
                scalars,
                n,
            )
    return out


@compiled(types.void(FLOAT, FLOAT, FLOAT, OUT2))
def rotate(roll, pitch, yaw, R):
    """R = Rz(yaw) Ry(pitch) Rx(roll), (3, 3), see `core.frames`."""
    sr, sp, sy = math.sin(roll), math.sin(pitch), math.sin(yaw)
    cr, cp, cy = math.cos(roll), math.cos(pitch), math.cos(yaw)
    R[0, 0], R[0, 1], R[0, 2] = cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr
    R[1, 0], R[1, 1], R[1, 2] = sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr
    R[2, 0], R[2, 1], R[2, 2] = -sp, cp * sr, cp * cr


@compiled(
    types.Tuple((OUT3, OUT2))(
        IN2, IN3, INDICES, types.int64, IN2, FLAGS, IN2, FLOAT, FLOAT, FLOAT, FLOAT
    ),
)
def grip_goals(
    X_BP, X_PL, wrists, torso, target, used, integral, rate, limit, zone, grip
):
    """Where grip points must go in the torso frame, and the integral of their error.

    Args:
        X_BP: pose of the pelvis in the base frame, (4, 4).
        X_PL: poses of the links in the pelvis frame, (L, 4, 4).
        wrists, torso: links, (K,) and one.
        target: xyz [m], roll pitch yaw [rad] in the base frame, (K, 6).
        used: which hands have a target, (K,).
        integral: of the error so far [m], (K, 3).
        rate: what one error adds.
        limit: of the integral's length [m].
        zone: of the error below which it is added [m].
        grip: from a wrist along its x to the grip point [m].
    """
    count = len(target)
    X_BT, R = np.zeros((3, 4)), np.empty((3, 3))
    for r in range(3):
        for c in range(4):
            for k in range(3):
                X_BT[r, c] += X_BP[r, k] * X_PL[torso, k, c]
        X_BT[r, 3] += X_BP[r, 3]
    goals, after = np.zeros((count, 4, 4)), integral.copy()
    error, grown, way = np.empty(3), np.empty(3), np.empty(3)
    for h in range(count):
        size = far = 0.0
        for r in range(3):
            error[r] = target[h, r] - X_BP[r, 3]
            for k in range(3):
                own = X_PL[wrists[h], k, 3] + grip * X_PL[wrists[h], k, 0]
                error[r] -= X_BP[r, k] * own
            grown[r] = integral[h, r] + rate * error[r]
            far += error[r] * error[r]
            size += grown[r] * grown[r]
        if used[h] and math.sqrt(far) < zone:
            share = min(limit / max(math.sqrt(size), 1e-9), 1.0)
            for r in range(3):
                after[h, r] = share * grown[r]
        rotate(target[h, 3], target[h, 4], target[h, 5], R)
        for r in range(3):
            way[r] = target[h, r] + after[h, r] - X_BT[r, 3]
        for r in range(3):
            for k in range(3):
                goals[h, r, 3] += X_BT[k, r] * way[k]
                for c in range(3):
                    goals[h, r, c] += X_BT[k, r] * R[k, c]
        goals[h, 3, 3] = 1.0
    return goals, after


@compiled(OUT2(IN3, INDICES, IN2, FLAGS2, INDICES, IN2, IN2))
def growth(X, links, axis, moves, bodies, points, away):
    """How fast points move along directions, per joint of a chain [m/rad], (C, J).

    Args:
        X: poses of the links, (L, 4, 4).
        links: of the chain, (J,).
        axis: of each joint in its own link, (J, 3).
        moves: whether a body is moved by a joint, (N, J).
        bodies: on which the points are, (C,).
        points: [m], (C, 3).
        away: unit directions, (C, 3).
    """
    count = len(links)
    axes, out = np.zeros((count, 3)), np.zeros((len(points), count))
    for j in range(count):
        for r in range(3):
            for k in range(3):
                axes[j, r] += X[links[j], r, k] * axis[j, k]
    for c in range(len(points)):
        for j in range(count):
            if not moves[bodies[c], j]:
                continue
            own = X[links[j]]
            for i in range(3):
                a, b = (i + 1) % 3, (i + 2) % 3
                turn = axes[j, a] * (points[c, b] - own[b, 3])
                turn -= axes[j, b] * (points[c, a] - own[a, 3])
                out[c, j] += turn * away[c, i]
    return out


@compiled(OUT1(IN1, IN2, IN1, types.int64))
def nearest_step(wish, gradient, room, sweeps):
    """The x nearest to `wish` with gradient x >= -room, by sweeps on the dual, (J,).

    Args:
        wish: (J,).
        gradient: (C, J).
        room: (C,).
        sweeps: how often each of the C is looked at; not more, so it always ends.
    """
    x, push = wish.copy(), np.zeros(len(room))
    for _ in range(sweeps):
        for c in range(len(room)):
            size = short = 0.0
            for j in range(len(wish)):
                size += gradient[c, j] * gradient[c, j]
                short -= gradient[c, j] * x[j]
            if not size > 1e-9:
                continue
            after = max(0.0, push[c] + (short - room[c]) / size)
            for j in range(len(wish)):
                x[j] += (after - push[c]) * gradient[c, j]
            push[c] = after
    return x


@compiled(OUT2(IN3, IN2, IN2, IN1, IN1, IN1, types.int64))
def arm_effort(X, com, axis, mass, pull, grip, joints):
    """Torques that hold arms alone [N m], and 1 kg in each hand alone, (2, J).

    Args:
        X: poses of the arms' links, arm by arm, (J, 4, 4).
        com: centre of mass of each link in its own frame [m], (J, 3).
        axis: of each joint in its own link, (J, 3).
        mass: of each link [kg], (J,).
        pull: gravity's acceleration in the root's frame [m/s^2], (3,).
        grip: grip point in the last link of an arm [m], (3,).
        joints: of one arm.
    """
    out = np.zeros((2, len(mass)))
    turn, lever = np.empty(3), np.empty((2, 3))
    for j in range(len(mass)):
        last = (j // joints + 1) * joints - 1
        for r in range(3):
            turn[r] = lever[0, r] = 0.0
            lever[1, r] = X[last, r, 3] - X[j, r, 3]
            for k in range(3):
                turn[r] += X[j, r, k] * axis[j, k]
                lever[1, r] += X[last, r, k] * grip[k]
            for i in range(j, last + 1):
                centre = X[i, r, 3] - X[j, r, 3]
                for k in range(3):
                    centre += X[i, r, k] * com[i, k]
                lever[0, r] += mass[i] * centre
        for row in range(2):
            for r in range(3):
                a, b = (r + 1) % 3, (r + 2) % 3
                torque = turn[r] * (lever[row, b] * pull[a] - lever[row, a] * pull[b])
                out[row, j] += torque
    return out
