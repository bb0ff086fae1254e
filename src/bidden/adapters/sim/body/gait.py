"""The walking network (fetched, not ours): 100 numbers in, 29 joint targets out.

The arms are masked: the network sees them at rest whatever they do, because with
true arms it falls in front of a table (measured: 20 of 20) and without never.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np

from bidden.brain.models.session import Session
from bidden.core.messages import Array
from bidden.robot.g1 import ARMS, DEFAULT_Q
from bidden.runtime.assets import asset_path

ACTION_SCALE = 0.25  # [rad] per unit of network output
CYCLE_S = 1.0  # [s] of one gait cycle
STILL = 0.01  # commands below this stand still [m/s], [rad/s]
TICK_S = 0.02


class Gait:
    """Keeps the network's phase and last action; one call is one 50 Hz tick."""

    def __init__(self) -> None:
        contract = Path(str(resources.files("bidden.weights") / "gait.json"))
        self._session = Session.load(asset_path("gait.onnx"), contract)
        self.reset()

    def reset(self) -> None:
        """Stand."""
        self._phase = np.array([np.pi, np.pi])
        self._standing = True
        self._last = np.zeros(29)

    def targets(
        self,
        base_velocity: Array,
        gyro: Array,
        *,
        gravity: Array,
        q: Array,
        dq: Array,
    ) -> Array:
        """Joint targets [rad], (29,); those of the arms are to be ignored.

        Args:
            base_velocity: wanted vx, vy [m/s], wz [rad/s].
            gyro: pelvis angular velocity in the pelvis frame [rad/s].
            gravity: unit gravity in the pelvis frame.
            q: joint positions [rad], (29,).
            dq: joint velocities [rad/s], (29,).
        """
        q, dq, last = q.copy(), dq.copy(), self._last.copy()
        q[ARMS], dq[ARMS], last[ARMS] = DEFAULT_Q[ARMS], 0.0, 0.0
        vx, vy, wz = base_velocity
        # terms in alphabetical order of the training framework's names
        observation = np.concatenate(
            [
                last,
                gyro * 0.25,
                (wz, vx, vy),
                np.cos(self._phase),
                q - DEFAULT_Q,
                dq * 0.05,
                gravity,
                np.sin(self._phase),
            ]
        ).astype(np.float32)
        action = self._session.run({"actor_obs": observation[None]})["action"][0]
        self._last = np.clip(action.astype(float), -100, 100)
        self._advance(moving=np.hypot(vx, vy) >= STILL or abs(wz) >= STILL)
        return DEFAULT_Q + ACTION_SCALE * self._last

    def _advance(self, *, moving: bool) -> None:
        step = 2 * np.pi * TICK_S / CYCLE_S
        self._phase = np.fmod(self._phase + step + np.pi, 2 * np.pi) - np.pi
        if not moving:
            self._phase = np.array([np.pi, np.pi])
            self._standing = True
        elif self._standing:
            self._phase = np.array([0.0, np.pi])
            self._standing = False
