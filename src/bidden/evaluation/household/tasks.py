"""What is asked in an episode: a task is drawn from a scene by its seed alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from bidden.adapters.sim.scene.catalog import HELD_OUT_PAIRS
from bidden.core.errors import ConfigError
from bidden.core.messages import Array

from .watch import Snapshot, Thing
from .wording import PLAIN, Move, Wording, paraphrases

Split = Literal["seen", "unseen-pairs", "paraphrase", "swap"]
SPLITS: tuple[Split, ...] = get_args(Split)
SKILLS = (
    "pick", "walk_to", "put", "move_by", "bring", "face", "pick_then_put", "wave",
)  # fmt: skip
OBJECT_SKILLS = ("pick", "put", "bring", "pick_then_put")
# Landmarks that stand alone in a scene; tables have no name that a person would say.
_RELATION = {"bowl": "in", "bin": "in", "tray": "on"}
# A walk by an amount stays within this distance of the room's middle [m]: furniture
# begins at 1.25 m and the robot is 0.25 m deep.
_FREE_M = 0.95


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """One thing to ask, and what it means."""

    skill: str  # one of SKILLS
    sayings: tuple[str, ...]  # said one after the other
    roles: dict[str, str] = field(default_factory=dict)  # role -> name of a thing
    relation: str = ""
    amount: Array | None = None  # move_by: dx, dy [m], dyaw [rad] at the start

    @property
    def goals(self) -> int:
        """How many goals it takes."""
        return 2 if self.skill in ("put", "bring", "pick_then_put") else 1


def draw_task(scene: Snapshot, *, split: Split, seed: int) -> Task:
    """The task of one episode; the skill goes round with the seed.

    Raises:
        ConfigError: nothing can be asked in such a scene.
    """
    rng = np.random.default_rng((seed, 1))
    skills = OBJECT_SKILLS if split == "unseen-pairs" else SKILLS
    wording = paraphrases() if split == "paraphrase" else PLAIN
    drawer = _Drawer(scene, wording, rng, held_out=split == "unseen-pairs")
    for task in drawer.tasks(skills, seed):
        return task
    raise ConfigError(f"seed {seed}: the scene holds nothing to ask for")


def draw_swap(scene: Snapshot, *, seed: int) -> tuple[Task, Task]:
    """Two tasks in one scene, worded alike, that name different objects.

    Raises:
        ConfigError: fewer than two objects.
    """
    rng = np.random.default_rng((seed, 2))
    drawer = _Drawer(scene, PLAIN, rng, held_out=False)
    names = [thing.name for thing in drawer.objects]
    if len(names) < 2:
        raise ConfigError(f"seed {seed}: a swap needs two objects, the scene has fewer")
    first, second = (names[i] for i in rng.permutation(len(names))[:2])
    skill = ("pick", "put")[seed % 2] if drawer.receptacles else "pick"
    receptacle = drawer.one(drawer.receptacles)
    state = rng.bit_generator.state
    pair = []
    for name in (first, second):
        rng.bit_generator.state = state  # the same words for both
        pair.append(drawer.with_object(skill, name, receptacle))
    return pair[0], pair[1]


class _Drawer:
    """Draws tasks from one scene."""

    def __init__(
        self,
        scene: Snapshot,
        wording: Wording,
        rng: np.random.Generator,
        *,
        held_out: bool,
    ) -> None:
        self._robot, self._wording, self._rng = scene.robot, wording, rng
        things = [scene.things[name] for name in sorted(scene.things)]
        self.receptacles = [t for t in things if t.kind == "receptacle"]
        self.landmarks = [t for t in things if t.kind == "landmark"]
        self.objects = [
            t
            for t in things
            if t.kind == "object"
            and (not held_out or (t.colour, t.shape) in HELD_OUT_PAIRS)
        ]

    def one(self, things: list[Thing]) -> Thing | None:
        """One of them, or None when there are none."""
        return things[int(self._rng.integers(len(things)))] if things else None

    def tasks(self, skills: tuple[str, ...], seed: int) -> Iterator[Task]:
        """Tasks that this scene allows, the seed's own skill first."""
        for k in range(len(skills)):
            skill = skills[(seed + k) % len(skills)]
            task = self._draw(skill)
            if task is not None:
                yield task

    def _draw(self, skill: str) -> Task | None:
        match skill:
            case "wave":
                return self._task(skill, {})
            case "move_by":
                return self._move()
            case "walk_to" | "face":
                place = self.one(self.landmarks)
                return self._task(skill, {"landmark": place}) if place else None
            case _:
                thing = self.one(self.objects)
                places = self.landmarks if skill == "bring" else self.receptacles
                place = self.one(places)
                if thing is None or (place is None and skill != "pick"):
                    return None
                return self.with_object(skill, thing.name, place)

    def with_object(self, skill: str, name: str, place: Thing | None) -> Task:
        """A task about one object."""
        if skill == "pick" or place is None:
            return self._task("pick", {"object": name})
        role = "landmark" if skill == "bring" else "receptacle"
        return self._task(skill, {"object": name, role: place})

    def _task(self, skill: str, things: dict[str, Thing | str]) -> Task:
        roles = {r: t if isinstance(t, str) else t.name for r, t in things.items()}
        place = things.get("receptacle")
        relation = "" if place is None else _RELATION[roles["receptacle"].split()[-1]]
        slots = {**roles, "rel": relation}
        parts = ("pick", "put_held") if skill == "pick_then_put" else (skill,)
        sayings = tuple(self._wording.say(part, slots, self._rng) for part in parts)
        return Task(skill=skill, sayings=sayings, roles=roles, relation=relation)

    def _move(self) -> Task:
        moves = [move for move in self._wording.moves if self._fits(move)]
        move = moves[int(self._rng.integers(len(moves)))]  # turns always fit
        return Task(skill="move_by", sayings=(move.text,), amount=np.array(move.amount))

    def _fits(self, move: Move) -> bool:
        x, y, yaw = self._robot
        dx, dy, dyaw = move.amount
        if dyaw:
            return True
        c, s = np.cos(yaw), np.sin(yaw)
        return bool(np.hypot(x + c * dx - s * dy, y + s * dx + c * dy) <= _FREE_M)
