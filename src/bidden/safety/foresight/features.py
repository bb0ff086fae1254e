"""What the chances of contact and of a fall are read from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from bidden.core.messages import Array, RobotState
from bidden.robot import g1
from bidden.robot.balance import GRAVITY, capture_point, polygon_margin
from bidden.safety.limits import Limits
from bidden.safety.scene import Scene

from .base import STEP_S
from .gaps import FAR, GROUPS, KINDS, ForeseenGaps
from .prediction import Forecast

SOON_S: Final = 0.2  # [s] how far the capture point is carried on
GAP_NAMES: Final = (
    *(f"{group}_{kind}" for group in GROUPS for kind in KINDS),
    *(f"{group}_person" for group in GROUPS),
    "self",
)
SPEED_NAMES: Final = ("base_excess", "hand_speed", "hand_lag", "unrest")
CONTACT_INPUTS: Final = (*GAP_NAMES, *SPEED_NAMES)
FALL_INPUTS: Final = (
    "capture_now", "capture_soon", "capture_ahead", "zmp", "tilt", "tilt_soon",
    "tilt_rate", "sinking", "com_speed", "height", "wish", "load", "spin",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Foresight:
    """What is read from one prediction."""

    gaps: Array  # least of the second by `GAP_NAMES` [m], (13,)
    gaps_now: Array  # the same at its start [m], (13,)
    speeds: Array  # by `SPEED_NAMES`, (4,)
    person_gap: Array  # to the nearest person at each look [m], (K, 3 groups)
    balance: Array  # by `FALL_INPUTS`, (13,)

    @property
    def contact(self) -> Array:
        """By `CONTACT_INPUTS`, (17,)."""
        return np.concatenate([self.gaps, self.speeds])


def foresee(
    forecast: Forecast,
    state: RobotState,
    *,
    scene: Scene,
    gaps: ForeseenGaps,
    hand_target: Array,
    limits: Limits,
) -> Foresight:
    """Read a prediction.

    Args:
        forecast: the predicted second.
        state: measured at its start.
        scene: surroundings in the base frame of its start.
        gaps: measures distances.
        hand_target: both hands' target, (2, 6).
        limits: the table of speeds.
    """
    boxes = gaps.to_boxes(forecast.points, scene)
    people = gaps.to_people(forecast.points, scene)
    looks = len(people)
    rows = np.column_stack(
        [
            boxes.reshape(looks, -1),
            people,
            np.minimum(forecast.self_gap, FAR),
        ]
    )
    return Foresight(
        gaps=rows.min(axis=0),
        gaps_now=rows[0],
        speeds=_speeds(forecast, state, hand_target, limits),
        person_gap=people,
        balance=_balance(forecast, state),
    )


def _speeds(
    f: Forecast, state: RobotState, hand_target: Array, limits: Limits
) -> Array:
    high = np.array([limits.base_forward, limits.base_sideways, limits.base_turn])
    low = np.array([limits.base_backward, limits.base_sideways, limits.base_turn])
    share = np.abs(f.wish) / np.where(f.wish >= 0.0, high, low)
    hands = np.linalg.norm(np.diff(f.hands, axis=0), axis=-1) / STEP_S
    lag = np.linalg.norm(hand_target[:, :3] - f.hands[0], axis=-1)
    moved = np.abs(f.arm_q[-1] - f.arm_q[0]).reshape(2, 7).max(axis=1)[::-1] > 1e-9
    return np.array(
        [
            share.max() - 1.0,
            hands.max(),
            np.where(moved, lag, 0.0).max(),
            np.linalg.norm(state.gyro),
        ]
    )


def _balance(f: Forecast, state: RobotState) -> Array:
    """Margins, tilt and motion, by `FALL_INPUTS`."""
    height = max(float(f.com[2]), 0.1)
    omega = float(np.sqrt(GRAVITY / height))
    point = capture_point(f.com, f.com_velocity)
    margin = polygon_margin(f.feet, point)
    middle = f.feet.mean(axis=0)
    soon = middle + (point - middle) * float(np.exp(omega * SOON_S))
    # What the gait will do about it: the feet go with the base, the rest stays.
    change = f.velocity[2:6, :2] - f.velocity[0, :2]
    fastest = change[int(np.argmax(np.square(change).sum(axis=1)))]
    push = (f.velocity[2, :2] - f.velocity[0, :2]) / (2 * STEP_S)
    up = f.X_BP[2, 2]
    tilt = float(np.arccos(np.clip(up, -1.0, 1.0)))
    # Rate of the tilt: the horizontal axis of the fall times the turning rate.
    lean = np.array([-f.X_BP[1, 2], f.X_BP[0, 2], 0.0])
    turning = f.X_BP[:3, :3] @ state.gyro
    rate = float(lean @ turning) / max(float(np.linalg.norm(lean)), 0.02)
    roll = float(np.hypot(turning[0], turning[1]))
    load = float(np.abs(state.torque[g1.ARMS]).sum())
    return np.array(
        [
            margin,
            polygon_margin(f.feet, soon),
            polygon_margin(f.feet, point + fastest / omega),
            polygon_margin(f.feet, f.com[:2] - push / omega**2),
            tilt,
            tilt + SOON_S * rate,
            rate,
            float(f.com_velocity[2]),
            float(np.hypot(f.com_velocity[0], f.com_velocity[1])),
            float(f.X_BP[2, 3]),
            float(np.abs(f.wish[0]).max()),
            load,
            roll,
        ]
    )
