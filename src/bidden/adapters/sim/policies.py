"""Policies of simulation alone: the expert that sees the truth, and chance."""

from __future__ import annotations

import numpy as np

from bidden.brain.policy.belief import UNKNOWN_BELOW, mirror_actions
from bidden.brain.policy.build import build_belief
from bidden.core.messages import (
    LEFT,
    ActionChunk,
    Array,
    Goal,
    Grounding,
    Observation,
    Skill,
)

from .experts import expert_chunk
from .world import Thing, World

CHUNK_STEPS = 8


class ExpertPolicy:
    """The ceiling: scripted skills on true positions."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._target: tuple[str, str] | None = None
        self._hangs: float | None = None

    @property
    def name(self) -> str:
        """Recorded with every chunk."""
        return "expert"

    def reset(self, goal: Goal) -> None:
        """Find the named thing in the truth; the nearest if several fit."""
        self._target = self._hangs = None
        for role, phrase in goal.phrases.items():
            things = matching(self._world, phrase)
            if things:
                x, y, _ = self._world.robot_pose()
                best = min(things, key=lambda t: float(np.hypot(*(t.p_W[:2] - (x, y)))))
                self._target = (role, best.name)

    def act(self, observation: Observation) -> ActionChunk:
        """The expert's chunk."""
        role, target = "pose", None
        groundings: tuple[Grounding, ...] = ()
        if self._target:
            role, name = self._target
            target = self._world.to_base(self._world.truth()[name].p_W)
            groundings = (
                Grounding(
                    role=role, phrase=name, p_B=target, spread_m=0.0, confidence=1.0
                ),
            )
        below = self._below(observation)
        belief = build_belief(observation, role=role, target=target, below=below)
        actions = expert_chunk(belief, CHUNK_STEPS)
        if observation.goal.hand == LEFT:
            actions = mirror_actions(actions)
        actions[:, 10] = observation.goal.hand
        return ActionChunk(
            stamp_ns=observation.stamp_ns,
            actions=actions,
            spread=np.zeros_like(actions),
            policy=self.name,
            groundings=groundings,
            searching=not belief.known and bool(observation.goal.phrases),
        )

    def _below(self, o: Observation) -> float:
        """How far the held thing hangs down; kept from where it still hung free."""
        if o.goal.skill is not Skill.PUT:
            return UNKNOWN_BELOW
        if self._hangs is None:
            self._hangs = self._world.hangs_below(o.goal.hand)
        return UNKNOWN_BELOW if self._hangs is None else self._hangs


class RandomPolicy:
    """The floor: smooth noise within the limits, done after a while."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._mean = np.zeros(12)
        self._calls = 0

    @property
    def name(self) -> str:
        """Recorded with every chunk."""
        return "random"

    def reset(self, goal: Goal) -> None:
        """Start over."""
        self._mean, self._calls = np.zeros(12), 0

    def act(self, observation: Observation) -> ActionChunk:
        """A random chunk."""
        self._calls += 1
        top = np.array([0.4, 0.2, 0.6, 0.02, 0.02, 0.02, 0.05, 0.05, 0.05, 1, 0, 0])
        self._mean = 0.8 * self._mean + 0.5 * self._rng.normal(size=12) * top
        actions: Array = np.repeat(self._mean[None], CHUNK_STEPS, axis=0)
        actions[:, 9] = float(self._mean[9] > 0)
        actions[:, 10] = observation.goal.hand
        actions[:, 11] = float(self._calls > 50)
        return ActionChunk(
            stamp_ns=observation.stamp_ns,
            actions=actions,
            spread=np.ones_like(actions),
            policy=self.name,
        )


def matching(world: World, phrase: str) -> list[Thing]:
    """Things that a canonical phrase names: "red cube", "cube", "low table", "door"."""
    words = phrase.split()
    noun = words[-1]
    things = [t for t in world.truth().values() if t.shape == noun]
    for word in words[:-1]:
        if word in ("low", "high"):
            sign = 1 if word == "low" else -1
            things = sorted(things, key=lambda t: sign * t.half_size[2])[:1]
        elif word in ("left", "right"):
            continue
        else:
            things = [t for t in things if t.colour == word]
    return things
