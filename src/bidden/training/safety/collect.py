"""Plays bouts in random rooms and rehearses chunks: what was asked, what came of it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np

from bidden.adapters.sim.policies import ExpertPolicy
from bidden.adapters.sim.scene import random_scene
from bidden.core.messages import (
    ActionChunk,
    Array,
    Goal,
    Observation,
    RobotState,
    Skill,
)
from bidden.safety import Scene
from bidden.safety.scene import BOXES_MAX

from .rig import Rig, Truth
from .seen import seen_scene

BOUTS: Final = 5  # in each room
PROBES: Final = 8  # rehearsed chunks in each bout
MASS: Final = 34.0  # [kg] of the robot, for the size of pushes
STATE: Final = tuple(f.name for f in fields(RobotState) if f.name != "stamp_ns")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Probe:
    """One rehearsed chunk."""

    state: RobotState
    scene: Scene
    chunk: ActionChunk
    hand_target: Array  # (2, 6)
    truth: Truth
    kind: str  # how the chunk was made
    seed: int


class Bouts:
    """Everything that is played in one room."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._rng = np.random.default_rng((seed, 31))
        self.rig = Rig(random_scene(seed), self._rng)
        self._expert = ExpertPolicy(self.rig.world)

    def play(self) -> list[Probe]:
        """All probes of this room."""
        return [probe for _ in range(BOUTS) for probe in self._bout()]

    def _bout(self) -> list[Probe]:
        r, rig = self._rng, self.rig
        style = str(r.choice(["goals", "astray", "pushed"], p=[0.35, 0.35, 0.3]))
        self._start(style)
        self._set_goal()
        if r.random() < (0.5 if style == "pushed" else 0.2):
            rig.load_hands(r.uniform(0, 3.0, 2) * (r.random(2) < 0.6))
        if style == "pushed" and r.random() < 0.4:
            rig.set_friction(float(r.uniform(0.15, 0.5)))
        probes: list[Probe] = []
        for _ in range(PROBES):
            for _ in range(int(r.integers(1, 5))):
                rig.executor.load(self._chunk(self._kind(style))[0])
                rig.run(10, watch=self._is_over)
            if style == "pushed" and r.random() < 0.7:
                self._push()
            if self._is_over():
                break
            probes.append(self._probe(style))
        return probes

    def _is_over(self) -> bool:
        return self.rig.has_fallen() or bool(self.rig.touches())

    def _start(self, style: str) -> None:
        """Somewhere free; often close to a thing."""
        r, rig = self._rng, self.rig
        near, gaps = {
            "goals": (0.6, (0.2, 0.9)),
            "astray": (0.9, (0.2, 0.6)),
            "pushed": (0.3, (0.3, 0.9)),
        }[style]
        for _ in range(20):
            x, y, yaw = rig.world.scene.robot_start
            if r.random() < near:
                things = [t for t in rig.world.truth().values() if t.kind != "object"]
                thing = things[int(r.integers(len(things)))]
                angle = thing.yaw + np.pi + r.normal(0, 0.5)
                gap = thing.half_size[0] + r.uniform(*gaps)
                x = float(thing.p_W[0] + gap * np.cos(angle))
                y = float(thing.p_W[1] + gap * np.sin(angle))
                yaw = float(angle + np.pi + r.normal(0, 0.6))
                if r.random() < 0.2:
                    yaw = float(r.uniform(-np.pi, np.pi))
            rig.stand(x, y, yaw)
            if not self._is_over():
                return

    def _set_goal(self) -> None:
        r, truth = self._rng, self.rig.world.truth()
        skill = r.choice(
            [Skill.PICK, Skill.WALK_TO, Skill.FACE, Skill.MOVE_BY, Skill.WAVE],
            p=[0.45, 0.25, 0.1, 0.12, 0.08],
        )
        role = "object" if skill == Skill.PICK else "landmark"
        kinds = ("object",) if skill == Skill.PICK else ("landmark", "table")
        names = [n for n, t in truth.items() if t.kind in kinds]
        has_thing = skill in (Skill.PICK, Skill.WALK_TO, Skill.FACE) and names
        phrases = {role: str(r.choice(names))} if has_thing else {}
        if not has_thing and skill != Skill.WAVE:
            skill = Skill.MOVE_BY
        self._goal = Goal(
            skill=Skill(skill),
            instruction="",
            phrases=phrases,
            amount=r.uniform((-0.4, -0.5, -2.0), (1.0, 0.5, 2.0)),
            hand=int(r.random() < 0.3),
        )
        self._began = self.rig.robot.now_ns
        self._origin = self.rig.robot.read().base_pose.copy()
        self._expert.reset(self._goal)

    def _observe(self) -> Observation:
        executor = self.rig.executor
        return Observation(
            stamp_ns=self.rig.robot.now_ns,
            state=self.rig.robot.read(),
            images={},
            goal=self._goal,
            started_ns=self._began,
            start_pose=self._origin,
            hand_target=executor.hand_target.copy(),
            grip_command=executor.grip.copy(),
        )

    def _kind(self, style: str) -> str:
        p = {
            "goals": (0.75, 0.15, 0.1, 0.0, 0.0, 0.0),
            "astray": (0.1, 0.1, 0.1, 0.45, 0.2, 0.05),
            "pushed": (0.3, 0.1, 0.1, 0.05, 0.05, 0.4),
        }[style]
        kinds = ["expert", "noisy", "blunder", "towards", "reach", "random"]
        return str(self._rng.choice(kinds, p=p))

    def _chunk(self, kind: str) -> tuple[ActionChunk, str]:
        r = self._rng
        chunk = self._expert.act(self._observe())
        actions = chunk.actions.copy()
        if kind == "noisy":
            actions[:, :3] += r.normal(0, (0.08, 0.06, 0.12))
            actions[:, 3:6] += r.normal(0, 0.004, 3)
            actions[:, 6:9] += r.normal(0, 0.02, 3)
        elif kind == "blunder":
            actions[:, :3] += r.normal(0, (0.3, 0.2, 0.5))
            actions[:, 3:6] += r.normal(0, 0.015, 3)
        elif kind == "towards":
            actions[:, :3] = self._towards()
        elif kind == "reach":
            way = r.normal(size=3) * (1.0, 1.0, 0.7)
            way *= r.uniform(0.01, 0.06) / np.linalg.norm(way)
            actions[:, 3:6] = way
            actions[:, :3] *= float(r.random() < 0.5)
        elif kind == "random":
            top = np.array([0.5, 0.25, 0.7, *[0.015] * 3, *[0.05] * 3])
            actions[:, :9] = r.normal(size=9) * top
        if r.random() < 0.02:
            actions[:, :9] *= r.uniform(1.0, 4.0)
        stamp = self.rig.robot.now_ns
        made = ActionChunk(stamp_ns=stamp, actions=actions, spread=0 * actions)
        return made, kind

    def _towards(self) -> Array:
        """A base velocity that leads to something near."""
        r, world = self._rng, self.rig.world
        things = [t for t in world.truth().values() if t.kind != "object"]
        points = np.array([world.to_base(t.p_W) for t in things])
        nearest = np.argsort(np.hypot(points[:, 0], points[:, 1]))[:3]
        p = points[int(r.choice(nearest))]
        angle = float(np.arctan2(p[1], p[0]) + r.normal(0, 0.25))
        speed = float(r.uniform(0.1, 0.8))
        return np.array(
            [
                np.clip(speed * np.cos(angle), -0.5, 0.8),
                np.clip(speed * np.sin(angle), -0.4, 0.4),
                r.normal(0, 0.2),
            ]
        )

    def _push(self) -> None:
        """A push that has begun before the next probe."""
        r, rig = self._rng, self.rig
        seconds = float(r.uniform(0.06, 0.3))
        change = min(abs(float(r.normal(0, 0.9))), 2.2)  # [m/s]
        angle = r.uniform(-np.pi, np.pi)
        force = change * MASS / seconds * np.array([np.cos(angle), np.sin(angle), 0.0])
        rig.push(force, seconds=seconds)
        rig.run(int(r.integers(2, 30)), watch=rig.has_fallen)

    def _probe(self, style: str) -> Probe:
        rig = self.rig
        chunk, kind = self._chunk(self._kind(style))
        state = rig.robot.read()
        scene = seen_scene(rig.world, rig.robot.now_ns, state.base_pose, self._rng)
        target = rig.executor.hand_target.copy()
        truth = rig.rehearse(chunk)
        return Probe(
            state=state,
            scene=scene,
            chunk=chunk,
            hand_target=target,
            truth=truth,
            kind=f"{style}/{kind}",
            seed=self.seed,
        )


def save(probes: list[Probe], path: Path) -> None:
    """Write probes to a file of plain arrays."""
    rows: dict[str, list[Array]] = {}
    for p in probes:
        row: dict[str, object] = {n: getattr(p.state, n) for n in STATE}
        row |= {"stamp_ns": p.state.stamp_ns, "kind": p.kind, "seed": p.seed}
        row |= {"actions": p.chunk.actions, "hand_target": p.hand_target}
        row |= {f.name: getattr(p.truth, f.name) for f in fields(Truth)}
        row["boxes"] = _packed_boxes(p.scene)
        row["people"] = _packed_person(p.scene)
        for name, value in row.items():
            rows.setdefault(name, []).append(np.asarray(value))
    arrays: dict[str, Any] = {name: np.stack(v) for name, v in rows.items()}
    half = path.with_suffix(".part.npz")  # whole or not at all
    np.savez_compressed(half, **arrays)
    half.replace(path)


def _packed_boxes(scene: Scene) -> Array:
    """Boxes as rows of centre, half size, yaw; rows that are not there are nan."""
    packed = np.full((BOXES_MAX, 7), np.nan)
    rows = np.column_stack([scene.box_centre, scene.box_half, scene.box_yaw])
    packed[: len(rows)] = rows
    return packed


def _packed_person(scene: Scene) -> Array:
    """The first person's axis, or nan, (6,)."""
    if len(scene.person_radius) == 0:
        return np.full(6, np.nan)
    flat: Array = scene.person_ends[0].reshape(6)
    return flat


def load(path: Path) -> list[Probe]:
    """Read them back."""
    with np.load(path, allow_pickle=False) as file:
        table = {name: file[name] for name in file.files}
    count = len(table.get("q", ()))  # none where every bout ended at its start
    return [_probe_of({n: v[i] for n, v in table.items()}) for i in range(count)]


def _probe_of(row: dict[str, Array]) -> Probe:
    stamp = int(row["stamp_ns"])
    boxes = row["boxes"][np.isfinite(row["boxes"][:, 0])]
    people = row["people"].reshape(1, 3, 2) if np.isfinite(row["people"][0]) else None
    truth: dict[str, Any] = {f.name: row[f.name] for f in fields(Truth)}
    for name, value in truth.items():
        truth[name] = value.item() if value.ndim == 0 else value
    return Probe(
        state=RobotState(stamp_ns=stamp, **{n: row[n] for n in STATE}),
        scene=Scene(
            stamp_ns=stamp,
            base_pose=row["base_pose"],
            box_centre=boxes[:, :3],
            box_half=boxes[:, 3:6],
            box_yaw=boxes[:, 6],
            person_ends=np.zeros((0, 3, 2)) if people is None else people,
            person_radius=np.full(0 if people is None else 1, 0.2),
        ),
        chunk=ActionChunk(
            stamp_ns=stamp, actions=row["actions"], spread=0 * row["actions"]
        ),
        hand_target=row["hand_target"],
        truth=Truth(**truth),
        kind=str(row["kind"]),
        seed=int(row["seed"]),
    )
