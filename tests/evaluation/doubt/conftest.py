"""Trails of episodes that nobody played: chunks and pictures from a seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bidden.core.messages import (
    ActionChunk,
    Goal,
    Grounding,
    Image,
    Observation,
    RobotState,
    Skill,
)
from bidden.evaluation.doubt.trail import Trail, TrailWatch
from bidden.evaluation.household.episode import EpisodeRecord
from bidden.robot.g1 import DEFAULT_Q


def make_image(stamp_ns: int, seed: int) -> Image:
    """A small room, drawn by a seed."""
    rng = np.random.default_rng(seed)
    rgb = rng.integers(30, 220, (20, 20, 3)).repeat(3, 0).repeat(3, 1)
    depth = np.random.default_rng(stamp_ns).normal(1.5, 0.01, (60, 60))
    return Image(
        stamp_ns=stamp_ns,
        camera="head",
        rgb=rgb.astype(np.uint8),
        depth=depth.astype(np.float32),
        K=np.eye(3),
        X_BC=np.eye(4),
    )


def make_observation(goal: Goal, step: int, *, seed: int = 0) -> Observation:
    stamp_ns = step * 200_000_000
    state = RobotState(
        stamp_ns=stamp_ns,
        q=DEFAULT_Q.copy(),
        dq=np.zeros(29),
        torque=np.zeros(29),
        gyro=np.zeros(3),
        gravity=np.array([0.0, 0.0, -1.0]),
        base_pose=np.array([0.03 * step, 0.0, 0.0]),
        base_velocity=np.array([0.1, 0.0, 0.0]),
        grip_width=np.full(2, 0.09),
        grip_force=np.zeros(2),
    )
    return Observation(
        stamp_ns=stamp_ns,
        state=state,
        images={"head": make_image(stamp_ns, seed)},
        goal=goal,
        started_ns=0,
        start_pose=np.zeros(3),
        hand_target=np.tile([0.2, -0.2, 0.9, 0, 0, 0], (2, 1)).astype(float),
        grip_command=np.zeros(2),
    )


def make_chunk(o: Observation, noise: float, rng: np.random.Generator) -> ActionChunk:
    actions = np.zeros((8, 12))
    actions[:, 0] = 0.1 + noise * rng.normal()
    phrase = next(iter(o.goal.phrases.items()), None)
    found: tuple[Grounding, ...] = ()
    if phrase:
        found = (
            Grounding(
                role=phrase[0], phrase=phrase[1], spread_m=0.1, confidence=0.9,
                p_B=np.array([2 - 0.03 * o.stamp_ns * 5e-9, 0.0, 0.5]),
            ),
        )  # fmt: skip
    return ActionChunk(
        stamp_ns=o.stamp_ns,
        actions=actions,
        spread=np.full((8, 12), 0.01),
        policy="compact",
        groundings=found,
    )


def make_trail(
    seed: int = 700_000,
    *,
    success: bool = True,
    noise: float = 0.2,
    steps: int = 12,
    **head: Any,
) -> Trail:
    """An episode with one walk; the more noise, the less it knows."""
    rng, watch = np.random.default_rng(seed), TrailWatch()
    goal = Goal(skill=Skill.WALK_TO, instruction="x", phrases={"landmark": "door"})
    watch.reset(goal)
    for step in range(steps):
        o = make_observation(goal, step, seed=seed % 5)  # five rooms
        assert watch.judge(make_chunk(o, noise, rng), o) is None
    record = EpisodeRecord(
        seed=seed, skill="walk_to", sayings=("x",), named={}, success=success
    )
    return watch.trail(record, policy="compact", weights="w", **head)


@pytest.fixture
def trail_of() -> Callable[..., Trail]:
    return make_trail


@pytest.fixture
def observe() -> Callable[..., Observation]:
    return make_observation


@pytest.fixture
def image_of() -> Callable[..., Image]:
    return make_image
