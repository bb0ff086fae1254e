"""Plays action chunks at the control rate: actions in, joint-level commands out."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np

from bidden.core.messages import (
    ACTION_NAMES,
    LEFT,
    RIGHT,
    ActionChunk,
    Array,
    Command,
    Observation,
    RobotState,
)
from bidden.robot.g1 import GRIP_POINT, READY_ARMS
from bidden.robot.ik import ArmIK
from bidden.robot.ik_kernels import grip_goals
from bidden.robot.kinematics import TORSO, WRISTS, shared_kinematics

_WRISTS = np.array(WRISTS)

# Where a hand rests in B: xyz [m], roll pitch yaw [rad]; the pose of READY_ARMS
REST_HAND: Array = np.array(
    [[0.186, -0.193, 0.90, -0.22, 0.13, -0.09], [0.186, 0.193, 0.90, 0.22, 0.13, 0.09]]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorConfig:
    """Settings of the executor."""

    tick_s: float = 0.02  # control period [s]
    integral_gain: float = 1.5  # [1/s] of the Cartesian error
    integral_limit: float = 0.06  # [m]
    integral_zone: float = 0.04  # [m] of error below which it integrates
    hand_low: tuple[float, float, float] = (0.16, -0.45, 0.66)  # right hand, in B [m]
    hand_high: tuple[float, float, float] = (0.52, 0.22, 1.35)  # [m]


class Executor:
    """Turns the valid step of a chunk into one command.

    Hand targets live in the base frame; a chunk that expired, or none at all, means
    zero base velocity and hands that stay where they are.
    """

    def __init__(self, config: ExecutorConfig | None = None) -> None:
        self.config = config or ExecutorConfig()
        self._kinematics = shared_kinematics()
        self._ik = ArmIK((RIGHT, LEFT))
        low, high = np.array(self.config.hand_low), np.array(self.config.hand_high)
        mirror = np.array([1.0, -1.0, 1.0])
        self._low = np.stack([low, np.minimum(low * mirror, high * mirror)])
        self._high = np.stack([high, np.maximum(low * mirror, high * mirror)])
        self.reset()

    def reset(self) -> None:
        """Forget the chunk; hands at rest."""
        self.chunk: ActionChunk | None = None
        self.hand_target = REST_HAND.copy()
        self.grip = np.zeros(2)
        self._arm_q = READY_ARMS.copy()
        self._used = np.zeros(2, dtype=bool)
        self._integral = np.zeros((2, 3))
        self._before = self.hand_target, self.grip, self._integral  # of this tick

    def load(self, chunk: ActionChunk | None) -> None:
        """Play this chunk from now on; None, or a flawed one, stops motion."""
        self.chunk = None if chunk is None or flaw_of(chunk) else chunk

    def step_of(self, now_ns: int) -> int | None:
        """Index of the action that is due, or None when the chunk has expired."""
        if self.chunk is None:
            return None
        i = int((now_ns - self.chunk.stamp_ns) * 1e-9 / self.chunk.period_s)
        return i if 0 <= i < len(self.chunk.actions) else None

    def tick(self, state: RobotState, now_ns: int) -> Command:
        """The command for this control period."""
        self._before = self.hand_target, self.grip, self._integral
        velocity = np.zeros(3)
        i = self.step_of(now_ns)
        if i is not None and self.chunk is not None:
            action = self.chunk.actions[i]
            if np.all(np.isfinite(action)):
                velocity = np.asarray(action[:3], float)
                self._move_hand(state, action)
        if self._used.any():
            self._follow(state)
        source = now_ns if self.chunk is None else self.chunk.stamp_ns
        return Command(
            stamp_ns=now_ns,
            source_ns=source,
            base_velocity=velocity,
            arm_q=self._arm_q.copy(),
            grip=self.grip.copy(),
        )

    def rehearse(self, state: RobotState, now_ns: int) -> Command:
        """What `tick` would give; nothing is remembered."""
        return copy(self).tick(state, now_ns)

    def accept(self, arm_q: Array, *, is_held: bool = False) -> None:
        """Continue from what the shield really let through, (14,).

        Nothing is done while the body is held: targets do not run ahead of the hands,
        which would leap after them when it is let go.
        """
        self._arm_q = arm_q.copy()
        if is_held:
            self.hand_target, self.grip, self._integral = self._before

    def _move_hand(self, state: RobotState, action: Array) -> None:
        hand = LEFT if action[10] > 0.5 else RIGHT
        # New arrays, none changed in place: `rehearse` has copied this only shallowly
        targets, grip, used = self.hand_target.copy(), self.grip.copy(), self._used
        if np.any(action[3:9]) and not used[hand]:
            self._used = used | (np.arange(2) == hand)
        c = self.config
        share = c.tick_s / (self.chunk.period_s if self.chunk else 0.1)
        target = self.hand_target[hand] + action[3:9] * share
        target[:3] = np.clip(target[:3], self._low[hand], self._high[hand])
        targets[hand] = target
        grip[hand] = np.clip(action[9], 0.0, 1.0)
        self.hand_target, self.grip = targets, grip

    def _follow(self, state: RobotState) -> None:
        """Move the arms' joint targets towards the targets of the hands in use."""
        c = self.config
        X_PL = self._kinematics.link_poses(state.q)
        X_TG, self._integral = grip_goals(
            self._kinematics.ground(X_PL, state.gravity),
            X_PL,
            _WRISTS,
            TORSO,
            self.hand_target,
            self._used,
            self._integral,
            c.integral_gain * c.tick_s,
            c.integral_limit,
            c.integral_zone,
            GRIP_POINT,
        )
        q = self._arm_q.reshape(2, 7)[::-1]  # by hand number: right, left
        q = self._ik.solve(X_TG, q, iterations=1, used=self._used)
        self._arm_q = q[::-1].reshape(14)


def flaw_of(chunk: ActionChunk) -> str:
    """Why a chunk cannot be played, for people; empty when it can."""
    actions: object = chunk.actions  # whatever a policy has put there
    if not isinstance(actions, np.ndarray):
        return f"policy '{chunk.policy}' gave actions that are not an array"
    shape = actions.shape
    if len(shape) != 2 or shape[0] == 0 or shape[1] != len(ACTION_NAMES):
        return (
            f"policy '{chunk.policy}' gave actions of shape {shape}, "
            f"expected (steps, {len(ACTION_NAMES)})"
        )
    if not (actions.dtype.kind in "fiu" and np.all(np.isfinite(actions))):
        return f"policy '{chunk.policy}' gave actions that are not finite"
    if not (np.isfinite(chunk.period_s) and chunk.period_s > 0):
        return f"policy '{chunk.policy}' gave a period of {chunk.period_s} s"
    return ""


def still_actions(observation: Observation, steps: int = 8) -> Array:
    """Actions that stand and keep hand and grip as they are, (steps, 12)."""
    hand = observation.goal.hand
    actions = np.zeros((steps, len(ACTION_NAMES)))
    actions[:, 9] = observation.grip_command[hand]
    actions[:, 10] = hand
    return actions
