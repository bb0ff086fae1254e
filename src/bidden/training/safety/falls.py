"""Runs on an empty floor that may end in a fall: pushes, loads, slippery soles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from bidden.adapters.sim.scene import SceneConfig
from bidden.core.messages import ActionChunk, Array, RobotState

from .rig import Rig

TICK_S: Final = 0.02
AFTER_S: Final = 2.5  # [s] that a run goes on after its last disturbance
MASS: Final = 34.0  # [kg] of the robot, for the size of pushes
COLUMNS: Final = (
    ("gravity", 3), ("gyro", 3), ("base_velocity", 3), ("q", 29), ("dq", 29),
    ("torque", 29),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """One run, tick by tick, to its end or to the fall."""

    seed: int
    cause: str
    states: Array  # columns of `COLUMNS`, (T, 96) float32
    fell: bool  # in the last tick


class Falls:
    """Plays such runs, one after the other, in one empty room."""

    def __init__(self) -> None:
        self.rig = Rig(SceneConfig(room_half=30.0), np.random.default_rng(0))

    def play(self, seed: int) -> Run:
        """A run; the same seed gives the same one."""
        rig, r = self.rig, np.random.default_rng((seed, 41))
        rig.world.rng = np.random.default_rng((seed, 42))
        rig.stand(0.0, 0.0, float(r.uniform(-np.pi, np.pi)))
        cause = str(
            r.choice(["push", "slip", "load", "calm"], p=[0.65, 0.15, 0.1, 0.1])
        )
        rows: list[Array] = []
        self._walk(r, rows, ticks=int(r.integers(20, 70)))
        self._disturb(cause, r)
        for _ in range(int(AFTER_S / TICK_S / 25)):
            self._walk(r, rows, ticks=25)
        return Run(seed=seed, cause=cause, states=np.stack(rows), fell=rig.has_fallen())

    def _disturb(self, cause: str, r: np.random.Generator) -> None:
        rig = self.rig
        if cause == "slip":
            rig.set_friction(float(r.uniform(0.03, 0.3)))
        if cause == "load":
            rig.load_hands(r.uniform(0.0, 8.0, 2) * (r.random(2) < 0.7))
        if cause == "push" and r.random() < 0.3:
            rig.load_hands(r.uniform(0.0, 2.0, 2))
        if cause == "push" and r.random() < 0.2:
            rig.set_friction(float(r.uniform(0.2, 0.5)))
        if cause != "calm":
            seconds = float(r.uniform(0.06, 0.4))
            top = {"push": 0.95, "slip": 0.4, "load": 0.3}[cause]
            change = min(abs(float(r.normal(0, top))), 2.2)  # [m/s]
            angle = float(r.uniform(-np.pi, np.pi))
            force = change * MASS / seconds
            way = np.array([np.cos(angle), np.sin(angle), 0.0])
            rig.push(force * way, seconds=seconds)

    def _walk(self, r: np.random.Generator, rows: list[Array], *, ticks: int) -> None:
        """Some ticks with one random command."""
        rig = self.rig
        if rig.has_fallen():
            return
        actions = np.zeros((8, 12))
        if r.random() < 0.75:
            actions[:, :3] = r.uniform((-0.4, -0.35, -0.8), (0.8, 0.35, 0.8))
        chunk = ActionChunk(
            stamp_ns=rig.robot.now_ns, actions=actions, spread=0 * actions
        )
        rig.executor.load(chunk)

        def keep() -> bool:
            rows.append(pack(rig.robot.read()))
            return rig.has_fallen()

        rig.run(ticks, watch=keep)


def pack(state: RobotState) -> Array:
    """A state as one row of numbers."""
    return np.concatenate([getattr(state, name) for name, _ in COLUMNS]).astype("f4")


def unpack(row: Array, stamp_ns: int) -> RobotState:
    """The state of a row; what is not in it is zero."""
    parts: dict[str, Array] = {}
    at = 0
    for name, width in COLUMNS:
        parts[name] = row[at : at + width].astype(float)
        at += width
    return RobotState(
        stamp_ns=stamp_ns,
        base_pose=np.zeros(3),
        grip_width=np.full(2, 0.09),
        grip_force=np.zeros(2),
        **parts,
    )


def save_runs(runs: list[Run], path: Path) -> None:
    """Write runs to a file of plain arrays."""
    np.savez_compressed(
        path,
        states=np.concatenate([run.states for run in runs]),
        length=np.array([len(run.states) for run in runs]),
        seed=np.array([run.seed for run in runs]),
        cause=np.array([run.cause for run in runs]),
        fell=np.array([run.fell for run in runs]),
    )


def load_runs(path: Path) -> list[Run]:
    """Read them back."""
    with np.load(path, allow_pickle=False) as f:
        ends = np.cumsum(f["length"])
        parts = np.split(f["states"], ends[:-1])
        return [
            Run(seed=int(s), cause=str(c), states=part, fell=bool(fell))
            for part, s, c, fell in zip(
                parts, f["seed"], f["cause"], f["fell"], strict=True
            )
        ]
