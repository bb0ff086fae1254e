"""Runs on an empty floor that may end in a fall: pushes, loads, slippery soles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from bidden.adapters.sim.scene import SceneConfig
from bidden.core.messages import ActionChunk, Array, RobotState
from bidden.robot.capsules import BodyCapsules
from bidden.robot.kinematics import Kinematics

from .rig import Rig

TICK_S: Final = 0.02
AFTER_S: Final = 2.5  # [s] that a run goes on after its last disturbance
LANDING_S: Final = 0.8  # [s] that it goes on after the fall, to see the body land
MASS: Final = 34.0  # [kg] of the robot, for the size of pushes
PUSH_MOST: Final = 2.2  # [m/s] that a push changes the whole body by
TURN: Final = 2.0 * np.pi
BRANCHES: Final = 5  # runs of one family, from one moment of one walk
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
    onset: int  # tick at which the disturbance began
    change: float  # [m/s] that the push would change the body's speed by
    landed_s: float  # [s] from the fall until a part but a foot is on the floor, or nan


class Falls:
    """Plays such runs, one after the other, in one empty room."""

    def __init__(self) -> None:
        self.rig = Rig(SceneConfig(room_half=30.0), np.random.default_rng(0))
        self._kinematics, self._capsules = Kinematics(), BodyCapsules()
        self.cause, self.change = "", float("nan")  # of the run that is being played

    def play(self, seed: int) -> Run:
        """A run as they come; the same seed gives the same one."""
        rows: list[Array] = []
        onset = 0
        for state in self.ticks(seed):
            rows.append(pack(state))
            onset += int(np.isnan(self.change))
        fell = self.rig.has_fallen()
        return Run(
            seed=seed,
            cause=self.cause,
            states=np.stack(rows),
            fell=fell,
            onset=onset,
            change=self.change,
            landed_s=self._land() if fell else float("nan"),
        )

    def ticks(self, seed: int) -> Iterator[RobotState]:
        """The same run tick by tick, to its end or to the fall."""
        r = np.random.default_rng((seed, 41))
        self._stand(seed, r)
        self.change = float("nan")
        self.cause = str(
            r.choice(["push", "slip", "load", "calm"], p=[0.65, 0.15, 0.1, 0.1])
        )
        yield from self._walk(r, int(r.integers(20, 70)))
        self.change = self._disturb(self.cause, r)
        yield from self.rest(r)

    def family(self, seed: int) -> list[Run]:
        """Runs that part at one moment of a walk, many on the verge of falling.

        A push keeps its side and its length from run to run; its size is halved
        towards that from which the robot falls.
        """
        r = np.random.default_rng((seed, 43))
        self._stand(seed, r)
        cause = str(r.choice(["push", "slip", "load"], p=[0.8, 0.12, 0.08]))
        before = [pack(state) for state in self._walk(r, int(r.integers(20, 70)))]
        moment = self.rig.freeze()
        angle, seconds = float(r.uniform(-np.pi, np.pi)), float(r.uniform(0.06, 0.4))
        kg = r.uniform(0.0, 2.0, 2) * (r.random() < 0.3)
        friction = float(r.uniform(0.2, 0.5)) if r.random() < 0.2 else 0.6
        low, high, change = 0.0, PUSH_MOST, float(r.uniform(0.3, 1.7))
        runs = []
        for _ in range(BRANCHES):
            self.rig.thaw(moment)
            if cause == "push":
                self.rig.load_hands(kg)
                self.rig.set_friction(friction)
                self._push(change, angle, seconds=seconds)
                pushed = change
            else:
                pushed = self._disturb(cause, r)
            run = self._branch(r, before, seed=seed, cause=cause, change=pushed)
            runs.append(run)
            low, high = (low, change) if run.fell else (change, high)
            change = low + (high - low) * float(r.uniform(0.25, 0.75))
        return runs

    def strong(self, seed: int) -> list[Run]:
        """Hard pushes from one moment of a walk: most fall at once."""
        r = np.random.default_rng((seed, 46))
        self._stand(seed, r)
        before = [pack(state) for state in self._walk(r, int(r.integers(20, 70)))]
        moment = self.rig.freeze()
        runs = []
        for _ in range(BRANCHES):
            self.rig.thaw(moment)
            change, angle = float(r.uniform(1.4, PUSH_MOST)), float(r.uniform(0, TURN))
            self._push(change, angle, seconds=float(r.uniform(0.06, 0.4)))
            runs.append(self._branch(r, before, seed=seed, cause="push", change=change))
        return runs

    def _branch(
        self,
        r: np.random.Generator,
        before: list[Array],
        *,
        seed: int,
        cause: str,
        change: float,
    ) -> Run:
        """A run that began with ticks that others share."""
        rows = [*before, *(pack(state) for state in self.rest(r))]
        return Run(
            seed=seed,
            cause=cause,
            states=np.stack(rows),
            fell=self.rig.has_fallen(),
            onset=len(before),
            change=change,
            landed_s=float("nan"),
        )

    def _stand(self, seed: int, r: np.random.Generator) -> None:
        self.rig.world.rng = np.random.default_rng((seed, 42))
        self.rig.stand(0.0, 0.0, float(r.uniform(-np.pi, np.pi)))

    def _disturb(self, cause: str, r: np.random.Generator) -> float:
        """Begin what may make it fall; gives the size of the push [m/s]."""
        rig = self.rig
        if cause == "slip":
            rig.set_friction(float(r.uniform(0.03, 0.3)))
        if cause == "load":
            rig.load_hands(r.uniform(0.0, 8.0, 2) * (r.random(2) < 0.7))
        if cause == "push" and r.random() < 0.3:
            rig.load_hands(r.uniform(0.0, 2.0, 2))
        if cause == "push" and r.random() < 0.2:
            rig.set_friction(float(r.uniform(0.2, 0.5)))
        if cause == "calm":
            return 0.0
        seconds = float(r.uniform(0.06, 0.4))
        top = {"push": 0.95, "slip": 0.4, "load": 0.3}[cause]
        change = min(abs(float(r.normal(0, top))), PUSH_MOST)
        self._push(change, float(r.uniform(-np.pi, np.pi)), seconds=seconds)
        return change

    def _push(self, change: float, angle: float, *, seconds: float) -> None:
        way = np.array([np.cos(angle), np.sin(angle), 0.0])
        self.rig.push(change * MASS / seconds * way, seconds=seconds)

    def rest(self, r: np.random.Generator) -> Iterator[RobotState]:
        """Walk on to the end or to the fall, with a new command every half second."""
        for _ in range(int(AFTER_S / TICK_S / 25)):
            yield from self._walk(r, 25)

    def _walk(self, r: np.random.Generator, ticks: int) -> Iterator[RobotState]:
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
        for _ in range(ticks):
            rig.run(1)
            yield rig.robot.read()
            if rig.has_fallen():
                return

    def _land(self) -> float:
        """Seconds from now until a part but a foot reaches the floor, or nan."""
        for tick in range(round(LANDING_S / TICK_S)):
            if self.lowest() <= 0.0:
                return tick * TICK_S
            self.rig.run(1)
        return float("nan")

    def lowest(self) -> float:
        """Height of the body's lowest capsule over the floor [m]; soles are none."""
        w = self.rig.world
        R_WP = w.data.xmat[w.pelvis].reshape(3, 3)
        X_PL = self._kinematics.link_poses(w.data.qpos[w.q_adr])
        up = np.einsum("i,nij->nj", R_WP[2], self._capsules.segments(X_PL))
        height = up.min(axis=1) + w.data.qpos[w.base_q + 2] - self._capsules.radius
        return float(height.min())


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


def save_runs(runs: Iterable[Run], path: Path) -> None:
    """Write runs to a file of plain arrays; whole or not at all."""
    runs = list(runs)
    columns: dict[str, Any] = {
        name: np.array([getattr(run, name) for run in runs]) for name in _NAMES
    }
    half = path.with_suffix(".part.npz")
    np.savez_compressed(
        half,
        states=np.concatenate([run.states for run in runs]),
        length=np.array([len(run.states) for run in runs]),
        **columns,
    )
    half.replace(path)


def load_runs(path: Path) -> list[Run]:
    """Read them back."""
    with np.load(path, allow_pickle=False) as f:
        parts = np.split(f["states"], np.cumsum(f["length"])[:-1])
        columns = [f[name].tolist() for name in _NAMES]
    return [
        Run(states=part, **dict(zip(_NAMES, row, strict=True)))
        for part, row in zip(parts, zip(*columns, strict=True), strict=True)
    ]


_NAMES: Final = ("seed", "cause", "fell", "onset", "change", "landed_s")
