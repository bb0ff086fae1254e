"""Signs that a policy does not know what it is doing, read from outside.

Any policy behind the port can be read: from its chunks, from what the body made of
them, and from what the robot measures. Every signal is 0 or more, and more is worse.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np

from bidden.core.frames import from_planar, to_planar, wrap
from bidden.core.messages import ActionChunk, Array, Goal, Grounding, Observation, Skill
from bidden.robot.kinematics import Kinematics
from bidden.safety import Limits


class Signal(StrEnum):
    """Names of the signals, in the order of their columns."""

    REVERSAL = "reversal"  # what is played turns back on itself
    DISAGREEMENT = "disagreement"  # with the chunk before, on the time both cover
    JUMP = "jump"  # from the step that was due to the one that replaces it
    SPREAD = "spread"  # the policy's own standard deviation
    SATURATION = "saturation"  # share of numbers at the limit of what is allowed
    DRAG = "drag"  # the base does not move as it was asked to
    REACH = "reach"  # the hand is not where it was asked to be
    UNSURE = "unsure"  # one less the confidence in where the target is
    WANDER = "wander"  # the target moves about in the room
    MUTE = "mute"  # the policy says that it cannot act
    EMPTY = "empty"  # a hand is closed on nothing
    STALL = "stall"  # time since the target came nearer
    LATE = "late"  # time since the goal was given
    LOST = "lost"  # time for which it has been looking for the target
    SHORT = "short"  # distance to the target when the policy says that it is done


SIGNALS: Final = tuple(Signal)
# Trailing mean over so many chunks, 5 a second; times pool themselves
POOL: Final[dict[Signal, int]] = {
    Signal.REVERSAL: 10,
    Signal.DISAGREEMENT: 5,
    Signal.JUMP: 5,
    Signal.SPREAD: 5,
    Signal.SATURATION: 5,
    Signal.DRAG: 5,
    Signal.REACH: 5,
    Signal.UNSURE: 10,
    Signal.WANDER: 10,
    Signal.MUTE: 5,
    Signal.EMPTY: 5,
    Signal.STALL: 1,
    Signal.LATE: 1,
    Signal.LOST: 1,
    Signal.SHORT: 1,
}
# One brisk step of each of `ACTION_NAMES` up to the hand's turn
_UNIT: Final[Array] = np.array([0.4, 0.2, 0.6, 0.02, 0.02, 0.02, 0.1, 0.1, 0.1])
_MOVES: Final = len(_UNIT)
_NEARER: Final = 0.02  # [m] or [rad] that count as progress
_SHUT: Final = 0.5  # grip command from which a hand is meant to be closed
_NOTHING: Final = 0.012  # [m] between closed fingers below which nothing is held
_DONE: Final = 0.5  # probability from which a policy says that it is done
_FAR: Final = 5.0  # [m] that stand for a target that is not known
_LIMITS: Final = Limits()
_FULL: Final = 0.98  # share of a limit that counts as at the limit


@dataclass(slots=True)
class _Effort:
    """What a goal has cost so far, over all attempts."""

    goal: Goal
    given_ns: int | None = None  # when it was first tried
    searched_s: float = 0.0


@dataclass(slots=True)
class Signals:
    """Reads the signals of one goal after another. Not thread-safe."""

    _efforts: deque[_Effort] = field(default_factory=lambda: deque(maxlen=8))
    _before: ActionChunk | None = None
    _point_O: Array | None = None
    _nearest: float = np.inf
    _nearer_ns: int = 0
    _kinematics: Kinematics = field(default_factory=Kinematics)

    def reset(self, goal: Goal) -> None:
        """A goal begins; the same one again is another attempt, and time goes on."""
        known = [effort for effort in self._efforts if effort.goal is goal]
        self._efforts.append(known[0] if known else _Effort(goal))
        self._before, self._point_O = None, None
        self._nearest, self._nearer_ns = np.inf, -1

    def step(self, chunk: ActionChunk, o: Observation) -> Array:
        """The signals of one chunk in the order of `SIGNALS`, (15,).

        Args:
            chunk: what the policy wants; shape and finiteness were checked.
            o: what it was made from.
        """
        effort = self._efforts[-1]
        if effort.given_ns is None:
            effort.given_ns = o.started_ns
        target = next((g for g in chunk.groundings if g.role in o.goal.phrases), None)
        left = self._left(target, o)
        value = {
            **self._motion(chunk),
            **self._body(o),
            Signal.SPREAD: _spread(chunk),
            Signal.SATURATION: _saturation(chunk),
            Signal.UNSURE: _unsure(target, o.goal),
            Signal.WANDER: self._wander(target, o),
            Signal.MUTE: float(bool(chunk.note)),
            Signal.EMPTY: _empty(o),
            Signal.STALL: self._stall(left, o),
            Signal.LATE: (o.stamp_ns - effort.given_ns) * 1e-9,
            Signal.LOST: self._lost(chunk, o, effort),
            Signal.SHORT: _short(chunk, left),
        }
        self._before = chunk
        return np.array([value[name] for name in SIGNALS])

    def _motion(self, chunk: ActionChunk) -> dict[Signal, float]:
        """What two chunks in a row say of each other."""
        before, now = self._before, _scaled(chunk)
        none = dict.fromkeys((Signal.REVERSAL, Signal.DISAGREEMENT, Signal.JUMP), 0.0)
        if before is None:
            return none
        due = round((chunk.stamp_ns - before.stamp_ns) * 1e-9 / chunk.period_s)
        then = _scaled(before)
        if not 0 < due < len(then):
            return none
        both = min(len(then) - due, len(now))
        apart = then[due : due + both] - now[:both]
        back = -float(then[:due].mean(0) @ now[:due].mean(0))
        return {
            Signal.REVERSAL: float(np.sqrt(max(back, 0.0))),
            Signal.DISAGREEMENT: float(np.sqrt(np.mean(np.sum(apart**2, 1)))),
            Signal.JUMP: float(np.linalg.norm(apart[0])),
        }

    def _body(self, o: Observation) -> dict[Signal, float]:
        """How far the body is from what it was asked to do.

        One that is held cannot follow; that must not be a reason to hold it longer.
        """
        if o.was_held:
            return {Signal.DRAG: 0.0, Signal.REACH: 0.0}
        drag = 0.0
        if self._before is not None:
            due = (o.stamp_ns - self._before.stamp_ns) * 1e-9 / self._before.period_s
            played = self._before.actions[: max(1, round(due)), :3].mean(0)
            drag = float(np.linalg.norm((played - o.state.base_velocity) / _UNIT[:3]))
        hand = o.goal.hand
        X = self._kinematics.hand_poses(o.state.q, o.state.gravity)[hand]
        reach = float(np.linalg.norm(o.hand_target[hand][:3] - X[:3, 3]))
        return {Signal.DRAG: drag, Signal.REACH: reach}

    def _wander(self, target: Grounding | None, o: Observation) -> float:
        """How far the target has moved in the room since the last chunk [m]."""
        before, self._point_O = self._point_O, None
        if target is None:
            return 0.0
        self._point_O = from_planar(target.p_B, o.state.base_pose)
        if before is None:
            return 0.0
        return float(np.linalg.norm(self._point_O - before))

    def _stall(self, left: float | None, o: Observation) -> float:
        """Time since there was less left to do [s]; 0 for goals without a target."""
        if left is None:
            return 0.0
        if self._nearer_ns < 0 or left < self._nearest - _NEARER:
            self._nearest, self._nearer_ns = left, o.stamp_ns
        return (o.stamp_ns - self._nearer_ns) * 1e-9

    def _lost(self, chunk: ActionChunk, o: Observation, effort: _Effort) -> float:
        """Time spent looking, over all attempts [s]."""
        if chunk.searching and self._before is not None:
            effort.searched_s += (o.stamp_ns - self._before.stamp_ns) * 1e-9
        return effort.searched_s

    def _left(self, target: Grounding | None, o: Observation) -> float | None:
        """What is left to do [m + rad]; infinite while the target is not known."""
        skill = o.goal.skill
        if skill is Skill.MOVE_BY:
            return _left_to_move(o)
        if not o.goal.phrases:
            return None
        if target is None:
            return np.inf
        p = target.p_B
        bearing = abs(float(np.arctan2(p[1], p[0])))
        if skill is Skill.FACE:
            return bearing
        if skill is Skill.WALK_TO:
            return float(np.hypot(p[0], p[1])) + 0.2 * bearing
        X = self._kinematics.hand_poses(o.state.q, o.state.gravity)[o.goal.hand]
        return float(np.linalg.norm(X[:3, 3] - p))


def _scaled(chunk: ActionChunk) -> Array:
    """Motion in brisk steps, (T, 9)."""
    moves: Array = chunk.actions[:, :_MOVES] / _UNIT
    return moves


def _short(chunk: ActionChunk, left: float | None) -> float:
    """What is left to do [m + rad] while the policy says done; 0 while it does not."""
    if left is None or not chunk.actions[0, 11] > _DONE:
        return 0.0
    return min(left, _FAR)


def _spread(chunk: ActionChunk) -> float:
    if chunk.spread.shape != chunk.actions.shape:
        return 0.0
    scaled = chunk.spread[:, :_MOVES] / _UNIT
    return float(np.nan_to_num(np.sqrt(np.mean(np.sum(scaled**2, 1))), nan=1e3))


def _saturation(chunk: ActionChunk) -> float:
    """Share of base velocities and hand steps at or beyond the shield's limits."""
    vx, vy, wz = chunk.actions[:, :3].T
    hand = np.linalg.norm(chunk.actions[:, 3:6], axis=1) / chunk.period_s
    forward = np.where(vx > 0, _LIMITS.base_forward, _LIMITS.base_backward)
    share = np.stack(
        [
            np.abs(vx) / forward,
            np.abs(vy) / _LIMITS.base_sideways,
            np.abs(wz) / _LIMITS.base_turn,
            hand / _LIMITS.hand_speed,
        ]
    )
    return float(np.mean(share >= _FULL))


def _unsure(target: Grounding | None, goal: Goal) -> float:
    if not goal.phrases:
        return 0.0
    return 1.0 if target is None else float(1.0 - target.confidence)


def _empty(o: Observation) -> float:
    """Whether a hand that should hold something holds nothing."""
    shut = o.grip_command > _SHUT
    return float(np.any(shut & ~(o.state.grip_width > _NOTHING)))


def _left_to_move(o: Observation) -> float:
    """What is left of an amount to move, from odometry [m + 0.2 rad]."""
    amount = np.zeros(3) if o.goal.amount is None else o.goal.amount
    goal = from_planar(np.array([amount[0], amount[1], 0.0]), o.start_pose)
    p = to_planar(goal, o.state.base_pose)
    half = amount[2] / 2  # counted around the middle, as a half circle has two ways
    turn = half - wrap(o.state.base_pose[2] - o.start_pose[2] - half)
    return float(np.hypot(p[0], p[1]) + 0.2 * abs(turn))
