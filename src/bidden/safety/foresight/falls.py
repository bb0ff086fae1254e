"""Whether the robot is about to fall, tick by tick, from what its body measures."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from bidden.core.messages import Array, RobotState
from bidden.robot.balance import GRAVITY, Balance
from bidden.robot.g1 import JOINTS
from bidden.robot.kinematics import shared_kinematics

from .risk import Nets, RiskData, load_risk

MEMORY: Final = 16  # ticks: now and 0.3 s before
SOON_S: Final = 0.2  # [s] what a fall must be seen ahead
SIGNS: Final = (
    "tilt", "tilt_soon", "tilt_rate", "roll_rate", "height", "height_soon", "sinking",
    "speed", "off_line", "off_line_soon", "off_foot", "stride",
    "lean_x", "lean_y", "leaning_x", "leaning_y", "speed_x", "speed_y",
    "right_x", "right_y", "left_x", "left_y", "right_z", "left_z",
)  # fmt: skip
HEIGHT: Final = SIGNS.index("height")
LEGS: Final = JOINTS[:12]  # left leg, right leg
BEFORE: Final = (2, 5, 10, 15)  # ticks over which signs may have changed
PULLED: Final = (2, 5)  # ticks over which the legs' torques may have
FALLING_INPUTS: Final = (
    *SIGNS,
    *(f"{name}_{what}" for what in ("q", "dq", "torque") for name in LEGS),
    *(f"{name}_in_{0.02 * k:.2f}" for k in BEFORE for name in SIGNS),
    *(f"{name}_torque_in_{0.02 * k:.2f}" for k in PULLED for name in LEGS),
)
_N, _J = len(SIGNS), len(LEGS)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FallMemory:
    """What a predictor remembers; the newest row is the last."""

    rows: tuple[Array, ...] = ()  # of the last ticks: signs, legs' q, dq, torque, (60,)
    above: int = 0  # ticks in a row over the bound


class FallPredictor:
    """Foresees a fall of the next half second or so; holds constants only."""

    def __init__(self, data: RiskData | None = None) -> None:
        data = data or load_risk()
        self._signs = FallSigns()
        self._falling = Nets(data.falling, FALLING_INPUTS)
        self.alarm = data.alarm

    def __call__(
        self, memory: FallMemory, state: RobotState
    ) -> tuple[FallMemory, float]:
        """What to remember, and the log-odds of a fall; nan when the state is."""
        memory = self._signs(memory, state)
        score = self._falling.score(falling_inputs(memory))
        above = 0 if score < self.alarm else memory.above + 1
        return replace(memory, above=above), score


class FallSigns:
    """Reads the signs of a fall from one state; holds constants only."""

    def __init__(self) -> None:
        self._kinematics, self._balance = shared_kinematics(), Balance()

    def __call__(self, memory: FallMemory, state: RobotState) -> FallMemory:
        """The memory with one more row."""
        X_PL = self._kinematics.link_poses(state.q)
        X_BP = self._kinematics.ground(X_PL, state.gravity)
        R = X_BP[:3, :3]
        com = R @ self._balance.com(X_PL)
        soles = self._kinematics.sole_points(X_PL, X_BP)
        (rx, ry, rz), (lx, ly, lz) = (soles.sum(axis=1) / soles.shape[1]).tolist()
        height, up = float(X_BP[2, 3]), float(com[2])
        rows = memory.rows
        before = float(rows[-3][HEIGHT]) if len(rows) >= 3 else height
        sinking = (before - height) / 0.06
        wx, wy, _ = (R @ state.gyro).tolist()
        vx, vy, _ = state.base_velocity.tolist()
        vx, vy = vx + wy * up, vy - wx * up  # of the centre of mass
        omega = math.sqrt(GRAVITY / max(height + up, 0.1))
        cx, cy = float(com[0]), float(com[1])
        px, py = cx + vx / omega, cy + vy / omega
        mx, my = 0.5 * (rx + lx), 0.5 * (ry + ly)
        grown = math.exp(omega * SOON_S)
        soon_x, soon_y = mx + grown * (px - mx), my + grown * (py - my)
        # the pelvis' up axis and how it moves: d(up)/dt = turn x up
        ux, uy, uz = R[:, 2].tolist()
        sx, sy = wy * uz, -wx * uz  # turning about the vertical moves no weight
        lean = math.hypot(ux, uy)
        motion = (ux, uy, sx, sy, vx, vy)
        feet = (rx - cx, ry - cy, lx - cx, ly - cy, rz, lz)
        signs = np.array(
            [
                math.atan2(lean, uz),
                math.hypot(ux + SOON_S * sx, uy + SOON_S * sy),
                (ux * sx + uy * sy) / max(lean, 0.02),
                math.hypot(wx, wy),
                height,
                height - SOON_S * sinking,
                sinking,
                math.hypot(vx, vy),
                _off_line(px, py, rx - lx, ry - ly, at=(lx, ly)),
                _off_line(soon_x, soon_y, rx - lx, ry - ly, at=(lx, ly)),
                min(math.hypot(px - rx, py - ry), math.hypot(px - lx, py - ly)),
                math.hypot(rx - lx, ry - ly),
                *motion,
                *feet,
            ]
        )
        legs = (state.q[:_J], state.dq[:_J], state.torque[:_J])
        row = np.concatenate([signs, *legs])
        return replace(memory, rows=(*rows[-(MEMORY - 1) :], row))


def falling_inputs(memory: FallMemory) -> Array:
    """By `FALLING_INPUTS`: the newest row, and how it changed, (180,)."""
    rows, now = memory.rows, memory.rows[-1]
    old = [rows[max(-1 - k, -len(rows))] for k in (*BEFORE, *PULLED)]
    signs = [now[:_N] - row[:_N] for row in old[: len(BEFORE)]]
    pulls = [now[-_J:] - row[-_J:] for row in old[len(BEFORE) :]]
    return np.concatenate([now, *signs, *pulls])


def _off_line(
    x: float, y: float, dx: float, dy: float, *, at: tuple[float, float]
) -> float:
    """Distance of a point to the line from foot to foot, `at` plus 0..1 of dx, dy."""
    x, y = x - at[0], y - at[1]
    u = min(max((x * dx + y * dy) / max(dx * dx + dy * dy, 1e-9), 0.0), 1.0)
    return math.hypot(x - u * dx, y - u * dy)
