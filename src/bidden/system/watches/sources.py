"""Whether two sources of one quantity agree: an innovation gate on the body's senses.

Where the body believes it went, against how fast it says it was; how far it turned,
against its gyroscope; how far a joint moved, against its measured speed.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from bidden.core.frames import wrap
from bidden.core.messages import Advice, RobotState, Rung
from bidden.robot.g1 import ARMS
from bidden.safety import Check


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcesConfig:
    """How far apart sources may be; the worst of 90 s of walking and pushes beside."""

    window_s: float = 0.5  # over which base motion is compared
    slow_m: float = 0.08  # of the odometry; measured 0.045
    hold_m: float = 0.16
    slow_rad: float = 0.20  # of the turn; measured 0.105
    hold_rad: float = 0.35
    arm_rad: float = 0.05  # of an arm joint in one tick; measured 0.008
    leg_rad: float = 0.15  # of a leg or waist joint in one tick; measured 0.068


class SourcesLookout:
    """Slows when sources drift apart, and holds when it is much; a `Lookout`."""

    def __init__(self, config: SourcesConfig | None = None) -> None:
        self.config = config or SourcesConfig()
        self._last: RobotState | None = None
        # stamp, and x y yaw of the odometry less those summed up from speeds
        self._past: deque[tuple[int, tuple[float, float, float]]] = deque()
        self._summed = (0.0, 0.0, 0.0)
        joints = np.full(29, self.config.leg_rad)
        joints[ARMS] = self.config.arm_rad
        self._joint_bound = joints

    def look(self, state: RobotState) -> Advice | None:
        """Compare one sample; states that the shield refuses are left to it."""
        last = self._last
        if not _is_usable(state) or (last and not state.stamp_ns > last.stamp_ns):
            return None
        self._last = state
        if last is None:
            return None
        period = (state.stamp_ns - last.stamp_ns) * 1e-9
        if not period <= 0.1:  # after a gap nothing can be compared
            self._past.clear()
            return None
        joint = self._joint(last, state, period)
        shift, turn = self._base(last, state, period)
        c = self.config
        worst = max(shift / c.slow_m, turn / c.slow_rad, 2.0 * joint)
        if worst <= 1.0:
            return None
        is_much = shift > c.hold_m or turn > c.hold_rad or joint > 1.0
        return Advice(
            stamp_ns=state.stamp_ns,
            rung=Rung.HOLD if is_much else Rung.SLOW,
            reason=Check.SOURCES_DISAGREE,
            score=worst,
            bound=1.0,
        )

    def _joint(self, last: RobotState, state: RobotState, period: float) -> float:
        """How far off the worst joint is, as a share of its bound."""
        moved = state.q - last.q - 0.5 * period * (state.dq + last.dq)
        return float((np.abs(moved) / self._joint_bound).max())

    def _base(
        self, last: RobotState, state: RobotState, period: float
    ) -> tuple[float, float]:
        """Disagreement about the way [m] and the turn [rad] of the last window."""
        yaw = float(state.base_pose[2])
        vx, vy, _ = state.base_velocity.tolist()
        c, s = math.cos(yaw), math.sin(yaw)
        x, y, turned = self._summed
        x, y = x + period * (c * vx - s * vy), y + period * (s * vx + c * vy)
        turned += period * float(state.gyro[2])
        self._summed = x, y, turned
        # how far the odometry is ahead of what the speeds add up to
        px, py, _ = state.base_pose.tolist()
        ahead = (px - x, py - y, yaw - turned)
        self._past.append((state.stamp_ns, ahead))
        while state.stamp_ns - self._past[0][0] > self.config.window_s * 1e9:
            self._past.popleft()
        before = self._past[0][1]
        shift = math.hypot(ahead[0] - before[0], ahead[1] - before[1])
        return shift, abs(wrap(ahead[2] - before[2]))


def _is_usable(state: RobotState) -> bool:
    parts = (
        (state.q, 29), (state.dq, 29), (state.gyro, 3),
        (state.base_pose, 3), (state.base_velocity, 3),
    )  # fmt: skip
    return all(np.shape(a) == (n,) and bool(np.isfinite(a).all()) for a, n in parts)
