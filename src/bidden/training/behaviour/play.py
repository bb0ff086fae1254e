"""Plays household tasks for training: the learner may act, the expert labels.

The eyes are simulated by a noise model on true positions: known once it was in the
camera's view, a slow error that shrinks when near, as the tracker's does. Pictures
are not needed, so that one core plays 12 simulated seconds in one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bidden.adapters.sim.experts import expert_chunk
from bidden.adapters.sim.g1 import SimRobot
from bidden.adapters.sim.scene import random_scene
from bidden.adapters.sim.world import World
from bidden.brain.policy.belief import UNKNOWN_BELOW, Belief, features, mirror_actions
from bidden.brain.policy.build import build_belief
from bidden.core.messages import (
    LEFT,
    ActionChunk,
    Array,
    Goal,
    Observation,
    Skill,
)
from bidden.robot.g1 import CAMERAS
from bidden.robot.kinematics import Kinematics, camera_matrix
from bidden.safety import Shield
from bidden.system.executor import Executor
from bidden.system.loop import ControlLoop

STEPS = 8
TICKS_PER_CHUNK = 10
LIMIT_S = {Skill.PICK: 35.0, Skill.PUT: 35.0, Skill.WAVE: 9.0, Skill.STOP: 1.0}
BELOW_SPREAD = 0.006  # [m] error of the height over a table: depth and kinematics
Actor = Callable[[Array], Array]  # features (N,) -> actions (8, 12)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayConfig:
    """How one episode of play is varied."""

    learner_share: float = 0.0  # probability that the learner acts, per goal
    noise: float = 0.3  # share of goals played with disturbed actions
    blunder: float = 0.02  # probability per chunk that a random action is played


class Eyes:
    """What a tracker would believe about one point."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._kinematics = Kinematics()
        self._mount = CAMERAS[0]
        self._K = camera_matrix(self._mount)
        self.forget()

    def forget(self) -> None:
        """A new goal names a new thing."""
        self.known = self._rng.random() < 0.15  # seen earlier
        self._error = self._rng.normal(size=3)
        self._age = 0

    def see(self, p_B: Array, q: Array, gravity: Array) -> Array | None:
        """The believed point, or None while it has not been in view."""
        X_BC = self._kinematics.camera_pose(q, gravity, mount=self._mount)
        p_C = X_BC[:3, :3].T @ (p_B - X_BC[:3, 3])
        if p_C[2] > 0.1:
            u, v, _ = self._K @ (p_C / p_C[2])
            inside = (
                8 < u < self._mount.width_px - 8 and 8 < v < self._mount.height_px - 8
            )
            if inside and self._rng.random() < 0.7:
                self.known = True
                # every look corrects some of the error
                self._error = 0.8 * self._error + 0.6 * self._rng.normal(size=3)
        if not self.known:
            return None
        distance = float(np.hypot(p_B[0], p_B[1]))
        sigma = 0.003 + 0.012 * max(0.0, distance - 0.35)
        return p_B + self._error * sigma


class Player:
    """One world in which goals are played one after the other."""

    def __init__(
        self, seed: int, config: PlayConfig, actor: Actor | None = None
    ) -> None:
        self._rng = np.random.default_rng((seed, 3))
        self._config, self._actor = config, actor
        self.world = World(random_scene(seed, pairs="train"))
        self.robot = SimRobot(self.world)
        self.loop = ControlLoop(
            self.robot, self.robot.clock, executor=Executor(), shield=Shield()
        )
        self._eyes = Eyes(self._rng)
        self._below: float | None = None
        self.inputs: list[Array] = []
        self.loop.arm()
        self.loop.run(20)

    def play(self) -> list[tuple[str, bool]]:
        """A random run of goals; their skills and whether the expert said done."""
        results = []
        for goal, role, name in self._plan():
            results.append((str(goal.skill), self._pursue(goal, role, name)))
            if self.world.fallen():
                break
            if goal.skill in (Skill.PICK, Skill.PUT):
                back = _goal(Skill.MOVE_BY, goal.hand, (-0.35, 0.0, 0.0))
                results.append(("back", self._pursue(back, "pose", "")))
        return results

    def _plan(self) -> list[tuple[Goal, str, str]]:
        r, truth = self._rng, self.world.truth()
        hand = int(r.random() < 0.3)

        def some(*kinds: str) -> str:
            names = [n for n, t in truth.items() if t.kind in kinds]
            return names[int(r.integers(len(names)))] if names else ""

        plan: list[tuple[Goal, str, str]] = []
        for _ in range(int(r.integers(0, 3))):
            plan.append(self._wander(hand, some))
        thing, place = some("object"), some("receptacle")
        plan.append((_goal(Skill.PICK, hand), "object", thing))
        if r.random() < 0.35:
            plan.append(self._wander(hand, some))
        if place and r.random() < 0.85:
            plan.append((_goal(Skill.PUT, hand), "receptacle", place))
        return plan

    def _wander(self, hand: int, some: Callable[..., str]) -> tuple[Goal, str, str]:
        r = self._rng
        kind = r.choice(
            ["walk", "face", "move", "turn", "wave"], p=[0.34, 0.2, 0.16, 0.16, 0.14]
        )
        if kind == "wave":
            return _goal(Skill.WAVE, hand), "pose", ""
        if kind == "move":
            way = r.uniform(-0.4, 1.0) if r.random() < 0.7 else 0.0
            side = 0.0 if way else r.uniform(-0.5, 0.5)
            return _goal(Skill.MOVE_BY, hand, (way, side, 0.0)), "pose", ""
        if kind == "turn":
            return (
                _goal(Skill.MOVE_BY, hand, (0.0, 0.0, r.uniform(-3.1, 3.1))),
                "pose",
                "",
            )
        role = str(r.choice(["object", "receptacle", "landmark"], p=[0.25, 0.15, 0.6]))
        kinds = ("landmark", "table") if role == "landmark" else (role,)
        name = some(*kinds) or some("object")
        if not name:
            role = "object"
        skill = Skill.WALK_TO if kind == "walk" else Skill.FACE
        return _goal(skill, hand), role, name

    def _pursue(self, goal: Goal, role: str, name: str) -> bool:
        c, r = self._config, self._rng
        began, start = self.robot.now_ns, self.robot.read().base_pose.copy()
        learner = self._actor if r.random() < c.learner_share else None
        noisy = r.random() < c.noise
        limit, done = LIMIT_S.get(goal.skill, 25.0), 0
        self._eyes.forget()
        self._below = None
        while (self.robot.now_ns - began) * 1e-9 < limit and not self.world.fallen():
            belief = self._belief(goal, role, name=name, began=began, start=start)
            right = expert_chunk(belief, STEPS)
            seen = features(belief)
            self.inputs.append(seen)
            done = done + 1 if right[0, 11] > 0.5 else 0
            if done >= 3:
                break
            played = right if learner is None else learner(seen)
            self._run(self._disturb(played, noisy=noisy), goal.hand)
        self.loop.executor.load(None)
        self.loop.run(10)
        return done >= 3

    def _belief(
        self, goal: Goal, role: str, *, name: str, began: int, start: Array
    ) -> Belief:
        state, executor = self.robot.read(), self.loop.executor
        target = None
        if name:
            p_B = self.world.to_base(self.world.truth()[name].p_W)
            target = self._eyes.see(p_B, state.q, state.gravity)
        observation = Observation(
            stamp_ns=self.robot.now_ns,
            state=state,
            images={},
            goal=goal,
            started_ns=began,
            start_pose=start,
            hand_target=executor.hand_target,
            grip_command=executor.grip,
        )
        below = self._hangs(goal.hand) if goal.skill is Skill.PUT else UNKNOWN_BELOW
        return build_belief(observation, role=role, target=target, below=below)

    def _hangs(self, hand: int) -> float:
        """How far a held thing hangs down, as its look at the table would tell."""
        if self._below is None:
            found = self.world.hangs_below(hand)
            known = found is not None and self._rng.random() < 0.9
            self._below = UNKNOWN_BELOW
            if known and found is not None:
                self._below = found + self._rng.normal(0, BELOW_SPREAD)
        return self._below

    def _disturb(self, actions: Array, *, noisy: bool) -> Array:
        r = self._rng
        played = actions.copy()
        if noisy:
            played[:, :3] += r.normal(0, (0.08, 0.06, 0.12))
            played[:, 3:6] += r.normal(0, 0.004, 3)
            played[:, 6:9] += r.normal(0, 0.02, 3)
        if r.random() < self._config.blunder:
            played[:, :3] += r.normal(0, (0.3, 0.2, 0.5))
            played[:, 3:6] += r.normal(0, 0.012, 3)
            if r.random() < 0.15:
                played[:, 9] = 1.0 - played[:, 9]
        return played

    def _run(self, actions: Array, hand: int) -> None:
        chosen = mirror_actions(actions) if hand == LEFT else actions.copy()
        chosen[:, 10] = hand
        self.loop.executor.load(
            ActionChunk(
                stamp_ns=self.robot.now_ns, actions=chosen, spread=np.zeros_like(chosen)
            )
        )
        self.loop.run(TICKS_PER_CHUNK)


def _goal(
    skill: Skill, hand: int, amount: tuple[float, float, float] | None = None
) -> Goal:
    return Goal(
        skill=skill,
        instruction="",
        hand=hand,
        amount=None if amount is None else np.array(amount),
    )
