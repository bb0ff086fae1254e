"""The scripted experts: for every skill, an action as a function of the belief.

They keep no memory, so they can say what is right in any state, also in those that
only a learner gets into (DAgger). One grammar for all: be in the right place, then
bring the hand to it, then use the gripper, then clear off.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bidden.brain.policy.belief import Belief
from bidden.core.messages import Array, Skill

STEP_S = 0.1  # [s] of one action
STANDOFF = np.array([0.35, -0.14])  # where the target should be in B to reach it [m]
PUT_STANDOFF = np.array([0.36, -0.13])  # [m]
PUT_LEAN = 0.07  # [m] a tray's middle may be 0.27 m behind the edge of its table
FAR_X = 0.43  # [m] from where the arm is stretched
DEEP_STANDOFF = np.array([0.41, -0.13])  # [m] of a bin, which stands on the floor
OVER_RIM = 0.004  # [m] from a rim up to where a thing's end is let go
LEAST_Z = 0.77  # [m] of a hand that lets go on a table; lower it strains
BIN_Z = 0.80  # [m] likewise over a bin, which is far down in any case
DEEP_Z = 0.60  # [m] receptacles with a lower rim are bins
REST = np.array([0.186, -0.193, 0.90, -0.22, 0.13, -0.09])  # right hand
CARRY = np.array([0.28, -0.19, 0.99, 0.0, -0.24, 0.0])  # right hand, something in it
MOVING_TOLERANCE = np.array([0.03, 0.05])  # [m] around a standoff, while stepping
CALM_TOLERANCE = np.array([0.06, 0.085])  # [m] while standing or reaching
CLEAR_Z = 0.95  # [m] over every table and what stands on it
HAND_STEP = 0.02  # [m] per action: 0.2 m/s
TURN_STEP = 0.12  # [rad] per action
NEAR = 0.85  # [m] below this the robot steps instead of turning towards the target
STOP_DISTANCE = {"object": 0.62, "receptacle": 0.62, "landmark": 0.80}  # [m]
# Hand pitch [rad] at which the arm is at ease, by height [m]; from a map of the IK
_EASY_Z = (0.80, 0.88, 0.95, 1.00)
_EASY_PITCH = (0.35, 0.20, 0.0, -0.28)


def easy_pose(x: float, y: float, z: float) -> Array:
    """A hand pose at this point that the arm reaches without twisting, (6,)."""
    return np.array([x, y, z, 0.0, np.interp(z, _EASY_Z, _EASY_PITCH), 0.0])


def expert_action(b: Belief) -> Array:
    """The right action for a right-handed belief, (12,)."""
    if b.skill is Skill.STOP:
        return _action(b, done=1.0)
    if b.skill is Skill.WAVE:
        return _wave(b)
    if b.skill is Skill.MOVE_BY:
        return _move_by(b)
    if b.skill is Skill.PICK and b.holding:
        return _lift(b)
    if b.skill is Skill.PUT and not b.holding:
        return _clear(b)
    if not b.known:
        return _search(b)
    return {
        Skill.WALK_TO: _walk_to,
        Skill.FACE: _face,
        Skill.PICK: _pick,
        Skill.PUT: _put,
    }[b.skill](b)


def expert_chunk(b: Belief, steps: int) -> Array:
    """Expert actions for the next steps if all moves go as commanded, (steps, 12)."""
    actions = []
    for _ in range(steps):
        action = expert_action(b)
        actions.append(action)
        b = _imagine(b, action)
    return np.stack(actions)


def _imagine(b: Belief, action: Array) -> Belief:
    """The belief one step later: base follows, hand follows its target."""
    v = 0.5 * b.base_velocity + 0.5 * action[:3] * np.array([0.85, 0.6, 0.95])
    turn = v[2] * STEP_S
    c, s = np.cos(turn), np.sin(turn)
    p = b.target - [v[0] * STEP_S, v[1] * STEP_S, 0]
    p = np.array([c * p[0] + s * p[1], -s * p[0] + c * p[1], p[2]])
    target = b.hand_target + action[3:9]
    hand = b.hand + 0.6 * (target - b.hand)
    return replace(
        b,
        target=p,
        target_yaw=b.target_yaw - turn,
        hand=hand,
        hand_target=target,
        base_velocity=v,
        grip_command=float(action[9]),
        elapsed_s=b.elapsed_s + STEP_S,
    )


def _action(
    b: Belief,
    *,
    base: tuple[float, float, float] = (0.0, 0.0, 0.0),
    hand: Array | None = None,
    grip: float | None = None,
    done: float = 0.0,
) -> Array:
    """Assemble an action; `hand` is the goal of the hand, None keeps it."""
    action = np.zeros(12)
    action[:3] = base
    if hand is not None:
        delta = hand - b.hand_target
        size = float(np.linalg.norm(delta[:3]))
        if size > HAND_STEP:
            delta[:3] *= HAND_STEP / size
        action[3:6] = delta[:3]
        action[6:9] = np.clip(delta[3:], -TURN_STEP, TURN_STEP)
    action[9] = b.grip_command if grip is None else grip
    action[11] = done
    return action


def _idle_hand(b: Belief) -> Array:
    return CARRY if b.holding else REST


def _clip(value: float, limit: float) -> float:
    return float(np.clip(value, -limit, limit))


def _search(b: Belief) -> Array:
    return _action(b, base=(0.0, 0.0, 0.5), hand=_idle_hand(b))


def _bearing(b: Belief) -> float:
    return float(np.arctan2(b.target[1], b.target[0]))


def _still(b: Belief) -> bool:
    v = b.base_velocity
    return bool(np.hypot(v[0], v[1]) < 0.08 and abs(v[2]) < 0.12)


def _drive(
    b: Belief, heading: float, left: float, *, top: float = 0.5
) -> tuple[float, float, float]:
    """Turn by `heading` and walk `left` metres ahead once roughly aligned."""
    ahead = max(0.0, np.cos(heading)) ** 4 if abs(heading) < 1.0 else 0.0
    return (
        float(np.clip(0.9 * left, 0.15, top) * ahead),
        0.0,
        _clip(1.6 * heading, 0.8),
    )


def _walk_to(b: Belief) -> Array:
    distance = float(np.hypot(b.target[0], b.target[1]))
    left, heading = distance - STOP_DISTANCE.get(b.role, 0.8), _bearing(b)
    slack = 1.0 if _still(b) else 0.5
    if left < 0.12 * slack and abs(heading) < 0.22 * slack:
        return _action(b, hand=_idle_hand(b), done=float(_still(b)))
    if left < 0.06:
        base = (0.0, 0.0, _clip(1.5 * heading, 0.6))
    else:
        base = _drive(b, heading, left)
    return _action(b, base=base, hand=_idle_hand(b))


def _face(b: Belief) -> Array:
    heading = _bearing(b)
    if abs(heading) < (0.09 if _still(b) else 0.05):
        return _action(b, hand=_idle_hand(b), done=float(_still(b)))
    turn = np.sign(heading) * float(np.clip(1.5 * abs(heading), 0.12, 0.7))
    return _action(b, base=(0.0, 0.0, float(turn)), hand=_idle_hand(b))


def _move_by(b: Belief) -> Array:
    yaw = b.target_yaw
    slack = 1.0 if _still(b) else 0.6
    near = abs(b.target[0]) < 0.06 * slack and abs(b.target[1]) < 0.085 * slack
    if near and abs(yaw) < 0.09 * slack:
        return _action(b, hand=_idle_hand(b), done=float(_still(b)))
    x = float(np.clip(_step(b.target[0], 0.12, 0.5), -0.35, 0.5))
    y = _step(b.target[1], 0.15, 0.35)
    turn = float(np.sign(yaw) * np.clip(1.5 * abs(yaw), 0.1, 0.7))
    base = (x, y, turn if abs(yaw) > 0.03 else 0.0)
    return _action(b, base=base, hand=_idle_hand(b))


def _approach(
    b: Belief, standoff: Array, *, hand: Array, lean: float = 0.0
) -> Array | None:
    """Base motion until the target lies at `standoff`; None once it does.

    A robot that stands still may be `lean` [m] farther off: a table can be in its way.
    """
    e = b.target[:2] - standoff
    distance = float(np.hypot(b.target[0], b.target[1]))
    if distance > NEAR:
        heading = _bearing(b) - float(np.arcsin(np.clip(standoff[1] / distance, -1, 1)))
        return _action(b, base=_drive(b, heading, distance - 0.5), hand=hand)
    # the gait sways by 4 cm: stop early, start late
    calm = _still(b) or b.hand[0] > (0.31 if b.holding else 0.25)
    tolerance = CALM_TOLERANCE if calm else MOVING_TOLERANCE
    off = np.abs(e) - [lean if calm and e[0] > 0 else 0.0, 0.0]
    if np.all(off < tolerance):
        return None
    base = (_step(e[0], 0.12, 0.22), _step(e[1], 0.15, 0.25), 0.0)
    return _action(b, base=base, hand=hand)


def _step(error: float, least: float, most: float) -> float:
    """Speed that removes an error; the gait hardly answers below `least`."""
    if abs(error) < 0.02:
        return 0.0
    return float(np.sign(error) * np.clip(1.4 * abs(error), least, most))


def _pick(b: Belief) -> Array:
    move = _approach(b, STANDOFF, hand=REST)
    if move is not None:
        move[9] = 0.0
        return move
    grasp = easy_pose(b.target[0], b.target[1], b.target[2] + 0.006)
    axis = np.array([np.cos(grasp[4]), 0.0, -np.sin(grasp[4])])
    grasp[:3] += 0.01 * axis  # a little past the middle: pads hold with their length
    if b.grip_command > 0.5:
        return _close(b, grasp)
    return _reach(b, grasp, axis)


def _close(b: Belief, grasp: Array) -> Array:
    """Keep closing; if the fingers met on nothing, open and go back."""
    near = float(np.linalg.norm(b.hand[:3] - grasp[:3])) < 0.05
    if b.grip_width > 0.012 and near:
        return _action(b, hand=grasp, grip=1.0)
    return _action(b, grip=0.0)


def _reach(b: Belief, grasp: Array, axis: Array) -> Array:
    """Down a funnel along the hand's axis, then close."""
    e = b.hand[:3] - grasp[:3]
    along = float(e @ axis)
    across = float(np.linalg.norm(e - along * axis))
    if float(np.linalg.norm(e)) < 0.013 and b.grip_width > 0.07:
        return _action(b, hand=grasp, grip=1.0)
    if across < 0.012 + 0.4 * max(0.0, -along - 0.05):
        return _action(b, hand=grasp, grip=0.0)
    before = grasp.copy()
    before[:3] += -0.095 * axis + [0.0, 0.0, 0.02]
    if along > -0.05 and across < 0.03:  # between the fingers: straighten, then on
        before[:3] = grasp[:3] + (along - 0.02) * axis
    if b.hand[2] < grasp[2] + 0.03 and across > 0.05:
        before = easy_pose(0.21, b.hand_target[1], max(0.90, grasp[2] + 0.05))
    return _action(b, hand=before, grip=0.0)


def _lift(b: Belief) -> Array:
    goal = CARRY
    if b.hand[2] < CLEAR_Z:
        goal = easy_pose(b.hand_target[0], b.hand_target[1], CARRY[2])
    there = float(np.linalg.norm(b.hand[:3] - CARRY[:3])) < 0.04
    return _action(b, hand=goal, grip=1.0, done=float(there))


def _put(b: Belief) -> Array:
    deep = b.target[2] < DEEP_Z
    if deep:
        move = _approach(b, DEEP_STANDOFF, hand=CARRY)
    else:
        move = _approach(b, PUT_STANDOFF, hand=CARRY, lean=PUT_LEAN)
    if move is not None:
        return move
    x, y, z = (float(v) for v in b.target)
    if deep:  # its mouth is wide: no need to lean over the middle
        x = max(x - 0.07, min(x, 0.39))
    x = min(x, FAR_X)  # short of the middle of what stands far in
    over = easy_pose(x, y, CARRY[2])
    release = easy_pose(x, y, max(z + b.below + OVER_RIM, BIN_Z if deep else LEAST_Z))
    off = float(np.hypot(b.hand[0] - x, b.hand[1] - y))
    if off < 0.025 and b.hand[2] < release[2] + 0.02:
        return _action(b, hand=release, grip=0.0)
    if off < 0.03:
        return _action(b, hand=release, grip=1.0)
    if b.hand[2] < CLEAR_Z - 0.03 and off > 0.06:
        over[:2] = b.hand_target[:2]
    return _action(b, hand=over, grip=1.0)


def _clear(b: Belief) -> Array:
    """After letting go: up, then back to rest."""
    goal = REST
    if b.hand[2] < CLEAR_Z - 0.02 and b.hand[0] > 0.24:
        goal = easy_pose(b.hand_target[0], b.hand_target[1], CARRY[2])
    there = b.hand[0] < 0.27
    return _action(b, hand=goal, grip=0.0, done=float(there))


def _wave(b: Belief) -> Array:
    up = np.array([0.26, -0.30, 1.12, 0.0, -0.9, 0.0])
    if b.elapsed_s < 4.5:
        up[1] += 0.09 * np.sin(2 * np.pi * b.elapsed_s) * min(1.0, b.elapsed_s / 1.5)
        return _action(b, hand=up)
    there = float(np.linalg.norm(b.hand[:3] - REST[:3])) < 0.06
    return _action(b, hand=REST, done=float(there))
