"""Observations, chunks and pictures to doubt about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bidden.core.messages import (
    ActionChunk,
    Array,
    Goal,
    Grounding,
    Image,
    Observation,
    RobotState,
    Skill,
)
from bidden.robot.g1 import ARMS, DEFAULT_Q, READY_ARMS
from bidden.robot.kinematics import Kinematics

STEP_NS = 200_000_000


def make_goal(skill: Skill = Skill.WALK_TO, **fields: Any) -> Goal:
    phrases = {} if skill in (Skill.WAVE, Skill.MOVE_BY) else {"landmark": "door"}
    return Goal(skill=skill, instruction="words", **{"phrases": phrases, **fields})


def make_observation(
    goal: Goal,
    step: int,
    *,
    pose: Array | None = None,
    velocity: Array | None = None,
    grip: float = 0.0,
    width: float = 0.09,
    was_held: bool = False,
) -> Observation:
    q = DEFAULT_Q.copy()
    q[ARMS] = READY_ARMS
    state = RobotState(
        stamp_ns=step * STEP_NS,
        q=q,
        dq=np.zeros(29),
        torque=np.zeros(29),
        gyro=np.zeros(3),
        gravity=np.array([0.0, 0.0, -1.0]),
        base_pose=np.zeros(3) if pose is None else pose,
        base_velocity=np.zeros(3) if velocity is None else velocity,
        grip_width=np.full(2, width),
        grip_force=np.zeros(2),
    )
    hands = Kinematics().hand_poses(q, state.gravity)[:, :3, 3]
    return Observation(
        stamp_ns=state.stamp_ns,
        state=state,
        images={},
        goal=goal,
        started_ns=0,
        start_pose=np.zeros(3),
        hand_target=np.hstack([hands, np.zeros((2, 3))]),
        grip_command=np.full(2, grip),
        was_held=was_held,
    )


def make_chunk(step: int, *, at: Array | None = None, **fields: Any) -> ActionChunk:
    """Eight steps of nothing, with the named thing at a point of B."""
    actions = fields.pop("actions", np.zeros((8, 12)))
    found: tuple[Grounding, ...] = ()
    if at is not None:
        found = (
            Grounding(
                role="landmark", phrase="door", p_B=at, spread_m=0.1, confidence=0.9
            ),
        )
    return ActionChunk(
        stamp_ns=step * STEP_NS,
        actions=actions,
        spread=fields.pop("spread", np.zeros_like(actions)),
        groundings=found,
        **fields,
    )


def make_image(rgb: Array | None = None, stamp_ns: int = 0) -> Image:
    """A room of blocks, unless given; depth with noise."""
    rng = np.random.default_rng(3)
    if rgb is None:
        rgb = rng.integers(30, 220, (20, 20, 3)).repeat(16, 0).repeat(16, 1)
    noise = np.random.default_rng(stamp_ns).normal(1.5, 0.01, rgb.shape[:2])
    return Image(
        stamp_ns=stamp_ns,
        camera="head",
        rgb=rgb.astype(np.uint8),
        depth=noise.astype(np.float32),
        K=np.eye(3),
        X_BC=np.eye(4),
    )


@pytest.fixture
def goal_of() -> Callable[..., Goal]:
    return make_goal


@pytest.fixture
def observe() -> Callable[..., Observation]:
    return make_observation


@pytest.fixture
def chunk_of() -> Callable[..., ActionChunk]:
    return make_chunk


@pytest.fixture
def image_of() -> Callable[..., Image]:
    return make_image
