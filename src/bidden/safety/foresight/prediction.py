"""A chunk played in the head: base, hands, capsules, and balance over one second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from bidden.core.frames import rotation_rpy
from bidden.core.messages import LEFT, RIGHT, Array, RobotState
from bidden.robot import g1
from bidden.robot.balance import Balance
from bidden.robot.capsules import BodyCapsules
from bidden.robot.ik import JOINT_SPEED, ArmIK
from bidden.robot.kinematics import TORSO, WRISTS, grip_poses, shared_kinematics
from bidden.safety.limits import Limits

from .base import STEP_S, limit_wish, predict_base

STEPS: Final = 10  # predicted steps of 0.1 s: a chunk of 8, and standing after it
LOOKS: Final = np.array([0, 1, 2, 3, 4, 5, 6, 8, 10])  # steps at which gaps are taken
ARM_ANSWER: Final = 0.75  # share of the way to its target that an arm goes in 0.1 s
_HALF: Final = (0.0, 0.5, 1.0)  # points along each capsule


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Forecast:
    """What a chunk is expected to do, T = 11 steps of 0.1 s with now as the first."""

    wish: Array  # raw base commands [m/s], [rad/s], (10, 3)
    hand_wish: float  # fastest raw command of a hand [m/s]
    base: Array  # pose x, y [m], yaw [rad] in the base frame of now, (T, 3)
    velocity: Array  # of the base, in its own frame, (T, 3)
    arm_q: Array  # arms, left then right [rad], (T, 14)
    hands: Array  # grip points right, left in the base frame of then [m], (T, 2, 3)
    points: Array  # on all capsules at `LOOKS`, base frame of now [m], (K, N, 3, 3)
    self_gap: Array  # least gap of the arms to the own body at `LOOKS` [m], (K,)
    com: Array  # centre of mass now, base frame [m], (3,)
    com_velocity: Array  # over the ground now [m/s], (3,)
    feet: Array  # contact points under both soles now [m], (M, 2)
    X_BP: Array  # pose of the pelvis now, (4, 4)


class Prediction:
    """Predicts chunks; holds constants only."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._kinematics, self._balance = shared_kinematics(), Balance()
        self.body = BodyCapsules()
        step = JOINT_SPEED * 2 * STEP_S  # solved at every second step
        self._ik = (ArmIK(RIGHT, max_step=step), ArmIK(LEFT, max_step=step))

    def __call__(
        self, actions: Array, state: RobotState, *, hand_target: Array, reach: Array
    ) -> Forecast:
        """The second that follows if a chunk is played as it is.

        Args:
            actions: finite, (T, 12), steps of 0.1 s.
            state: measured now, finite.
            hand_target: both hands' target in B, xyz [m] rpy [rad], (2, 6).
            reach: lowest and highest target of both hands [m], (2, 2, 3).
        """
        wish = np.zeros((STEPS, 3))
        count = min(len(actions), STEPS)
        wish[:count] = actions[:count, :3]
        base, velocity = predict_base(
            limit_wish(wish, self._limits), state.base_velocity
        )
        X_PL = self._kinematics.link_poses(state.q)
        X_BP = self._kinematics.ground(X_PL, state.gravity)
        arms = self._swing(
            actions[:count], state.q, X_BP @ X_PL[TORSO], hand_target, reach
        )
        q = np.repeat(state.q[None], STEPS + 1, axis=0)
        q[:, g1.ARMS] = arms
        X_PL_ahead = self._kinematics.link_poses(q)
        hands = grip_poses(X_BP @ X_PL_ahead[:, WRISTS])[..., :3, 3]
        segments = self.body.segments(X_PL_ahead[LOOKS])
        soles = self._kinematics.sole_points(X_PL, X_BP)
        com, com_velocity = self._balance.com_motion(
            X_PL,
            state.dq,
            R_BP=X_BP[:3, :3],
            gyro=state.gyro,
            base=state.base_velocity,
        )
        return Forecast(
            wish=wish,
            hand_wish=float(np.linalg.norm(actions[:, 3:6], axis=1).max()) / STEP_S,
            base=base,
            velocity=velocity,
            arm_q=arms,
            hands=hands,
            points=_moved(_points_on(segments), X_BP, base[LOOKS]),
            self_gap=self.body.self_distances(segments).min(axis=-1),
            com=X_BP[:3, :3] @ com + X_BP[:3, 3],
            com_velocity=com_velocity,
            feet=soles.reshape(-1, 3)[:, :2],
            X_BP=X_BP,
        )

    def _swing(
        self, actions: Array, q: Array, X_BT: Array, hand_target: Array, reach: Array
    ) -> Array:
        """Arms after each step, by the inverse kinematics that will drive them."""
        arms = np.repeat(q[None, g1.ARMS], STEPS + 1, axis=0)
        side = (actions[:, 10] > 0.5).astype(int)
        for hand in (RIGHT, LEFT):
            mine = side == hand
            if not mine.any():
                continue
            target, goal = hand_target[hand].copy(), q[g1.ARM[hand]].copy()
            now, own = goal.copy(), g1.ARM_IN_COMMAND[hand]
            for k in range(0, STEPS, 2):
                for i in range(k, min(k + 2, len(actions))):
                    target += mine[i] * actions[i, 3:9]
                    target[:3] = np.clip(target[:3], reach[0, hand], reach[1, hand])
                before = goal
                goal = self._ik[hand].solve(
                    _in_torso(target, X_BT), goal, iterations=1 + (k == 0)
                )
                for i, aim in enumerate((0.5 * (before + goal), goal)):
                    now = now + ARM_ANSWER * (aim - now)
                    arms[k + i + 1, own] = now
        return arms


def at_tenths(actions: Array, period_s: float) -> Array:
    """The actions of a chunk in steps of 0.1 s, at most one second of them."""
    if abs(period_s - STEP_S) < 1e-9:
        return actions[:STEPS]
    rows = (np.arange(STEPS) * STEP_S / period_s + 1e-9).astype(int)
    steps: Array = actions[rows[rows < len(actions)]].copy()
    steps[:, 3:9] *= STEP_S / period_s
    return steps


def _in_torso(target: Array, X_BT: Array) -> Array:
    """Pose of the grip point in the torso frame for a target in the base frame."""
    R, p = X_BT[:3, :3], X_BT[:3, 3]
    X = np.eye(4)
    X[:3, :3] = R.T @ rotation_rpy(target[3:])
    X[:3, 3] = R.T @ (target[:3] - p)
    return X


def _points_on(segments: Array) -> Array:
    """Three points on each capsule's axis, (K, N, 3 points, 3)."""
    a, b = segments[..., 0], segments[..., 1]
    return np.stack([a + u * (b - a) for u in _HALF], axis=-2)


def _moved(points_P: Array, X_BP: Array, base: Array) -> Array:
    """Points of the pelvis frame, carried along with the base."""
    p = points_P @ X_BP[:3, :3].T + X_BP[:3, 3]
    c, s = np.cos(base[:, 2]), np.sin(base[:, 2])
    zero, one = np.zeros_like(c), np.ones_like(c)
    turned = np.array([[c, s, zero], [-s, c, zero], [zero, zero, one]])
    R = turned.transpose(2, 0, 1)[:, None]  # row vectors turn by R from the right
    out: Array = p @ R
    out[..., :2] += base[:, None, None, :2]
    return out
