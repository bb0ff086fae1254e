"""The experts are functions of the belief: bounded, finite, without memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidden.adapters.sim.experts import (
    CARRY,
    HAND_STEP,
    REST,
    TURN_STEP,
    expert_action,
    expert_chunk,
)
from bidden.adapters.sim.g1 import SimRobot
from bidden.adapters.sim.policies import ExpertPolicy, RandomPolicy, matching
from bidden.adapters.sim.world import World
from bidden.brain.policy.belief import ROLES, Belief
from bidden.core.messages import LEFT, Goal, Observation, Skill
from bidden.system.executor import REST_HAND

CALM = Belief(
    skill=Skill.PICK, role="object", known=True, target=np.array([1.5, 0.2, 0.8]),
    target_yaw=0.0, hand=REST.copy(), hand_target=REST.copy(), grip_command=0.0,
    grip_width=0.09, grip_force=0.0, base_velocity=np.zeros(3), elapsed_s=0.0,
)  # fmt: skip
HOLDING: dict[str, Any] = {"grip_command": 1.0, "grip_width": 0.04, "grip_force": 9.0}


def numbers(low: float, high: float, n: int) -> st.SearchStrategy[np.ndarray]:
    one = st.floats(low, high, allow_nan=False)
    return st.lists(one, min_size=n, max_size=n).map(lambda v: np.array(v, float))


@st.composite
def beliefs(draw: st.DrawFn) -> Belief:
    return Belief(
        skill=draw(st.sampled_from(Skill)),
        role=draw(st.sampled_from(ROLES)),
        known=draw(st.booleans()),
        target=draw(numbers(-4, 4, 3)),
        target_yaw=draw(st.floats(-7, 7)),
        hand=draw(numbers(-1.5, 1.5, 6)),
        hand_target=draw(numbers(-1.5, 1.5, 6)),
        grip_command=draw(st.sampled_from([0.0, 0.4, 1.0])),
        grip_width=draw(st.floats(0, 0.09)),
        grip_force=draw(st.floats(0, 12)),
        base_velocity=draw(numbers(-1, 1, 3)),
        elapsed_s=draw(st.floats(0, 60)),
        below=draw(st.floats(0.012, 0.085)),
    )


@settings(max_examples=300, deadline=None)
@given(beliefs())
def test_actions_are_finite_and_bounded_in_any_situation(b: Belief) -> None:
    chunk = expert_chunk(b, 8)
    assert chunk.shape == (8, 12)
    assert np.isfinite(chunk).all()
    assert (np.linalg.norm(chunk[:, 3:6], axis=1) <= HAND_STEP + 1e-9).all()
    assert (np.abs(chunk[:, 6:9]) <= TURN_STEP + 1e-9).all()
    assert (np.abs(chunk[:, :3]) <= [0.5, 0.35, 0.8]).all()
    assert ((chunk[:, 9:] >= 0) & (chunk[:, 9:] <= 1)).all()


@settings(max_examples=100, deadline=None)
@given(beliefs())
def test_the_same_situation_gets_the_same_action(b: Belief) -> None:
    before = b.hand.copy(), b.hand_target.copy(), b.target.copy()
    assert np.array_equal(expert_action(b), expert_action(b))
    for then, now in zip(before, (b.hand, b.hand_target, b.target), strict=True):
        assert np.array_equal(then, now)  # and it is left as it is


def test_the_hand_step_is_two_centimetres() -> None:
    assert HAND_STEP == 0.02


@pytest.mark.parametrize("skill", [Skill.WALK_TO, Skill.FACE, Skill.PICK])
def test_what_is_not_known_is_searched_by_turning(skill: Skill) -> None:
    action = expert_action(replace(CALM, skill=skill, known=False))
    assert np.array_equal(action[:2], [0, 0])
    assert action[2] > 0.3
    assert action[11] == 0


def test_far_things_are_walked_to() -> None:
    action = expert_action(CALM)
    assert action[0] > 0.2
    assert action[9] == action[11] == 0


def test_things_behind_are_turned_to_first() -> None:
    action = expert_action(replace(CALM, target=np.array([-1.5, 0.3, 0.8])))
    assert action[0] == 0
    assert action[2] > 0.5


def test_it_closes_on_what_lies_between_the_fingers() -> None:
    at = replace(CALM, target=np.array([0.35, -0.14, 0.8]))
    for _ in range(80):  # the hand goes where it is sent, the base stands
        action = expert_action(at)
        assert not action[:3].any()
        if action[9]:
            break
        hand = at.hand_target + action[3:9]
        at = replace(at, hand=hand, hand_target=hand)
    assert action[9] == 1.0
    assert np.linalg.norm(at.hand[:3] - at.target) < 0.03


def test_an_empty_fist_is_opened_again() -> None:
    fist = replace(
        CALM, target=np.array([0.35, -0.14, 0.8]), grip_command=1.0, grip_width=0.0,
        grip_force=10.0, hand=np.array([0.35, -0.14, 0.8, 0, 0.3, 0]),
    )  # fmt: skip
    assert not fist.holding
    assert expert_action(fist)[9] == 0.0


def test_picking_is_done_when_it_is_carried() -> None:
    carried = replace(CALM, hand=CARRY.copy(), hand_target=CARRY.copy(), **HOLDING)
    assert carried.holding
    assert expert_action(carried)[11] == 1.0
    low = carried.hand.copy()
    low[2] = 0.8
    lifting = expert_action(replace(carried, hand=low, hand_target=low))
    assert lifting[11] == 0
    assert lifting[5] > 0


def test_what_is_held_stays_held_until_over_the_place() -> None:
    there = replace(
        CALM, skill=Skill.PUT, role="receptacle", hand=CARRY.copy(),
        hand_target=CARRY.copy(), target=np.array([1.2, 0.0, 0.8]), **HOLDING,
    )  # fmt: skip
    assert (expert_chunk(there, 8)[:, 9] == 1.0).all()


@pytest.mark.parametrize("below", [0.03, 0.05, 0.07])
def test_things_are_put_down_and_not_dropped(below: float) -> None:
    rim = 0.80
    at = replace(
        CALM, skill=Skill.PUT, role="receptacle", hand=CARRY.copy(), below=below,
        hand_target=CARRY.copy(), target=np.array([0.36, -0.13, rim]), **HOLDING,
    )  # fmt: skip
    for _ in range(80):  # the hand goes where it is sent, the base stands
        action = expert_action(at)
        if not action[9]:
            break
        hand = at.hand_target + action[3:9]
        at = replace(at, hand=hand, hand_target=hand)
    assert not action[9]
    assert np.hypot(*(at.hand[:2] - at.target[:2])) < 0.03
    assert 0 <= at.hand[2] - below - rim <= 0.025


def test_a_tray_far_in_is_reached_for_once_the_robot_is_stopped() -> None:
    far = replace(
        CALM, skill=Skill.PUT, role="receptacle", hand=CARRY.copy(),
        hand_target=CARRY.copy(), target=np.array([0.47, -0.13, 0.8]), **HOLDING,
    )  # fmt: skip
    walking = replace(far, base_velocity=np.array([0.2, 0.0, 0.0]))
    assert expert_action(walking)[0] > 0
    reaching = expert_action(far)
    assert not reaching[:3].any()
    assert reaching[3] > 0


@pytest.mark.parametrize("skill", [Skill.WALK_TO, Skill.FACE, Skill.MOVE_BY])
def test_arriving_is_done_only_when_still(skill: Skill) -> None:
    here = replace(
        CALM, skill=skill, role="landmark",
        target=np.zeros(3) if skill is Skill.MOVE_BY else np.array([0.7, 0.0, 0.5]),
    )  # fmt: skip
    assert expert_action(here)[11] == 1.0
    assert expert_action(replace(here, base_velocity=np.full(3, 0.3)))[11] == 0.0


def test_stop_is_done_at_once_and_wave_after_waving() -> None:
    stop = expert_action(replace(CALM, skill=Skill.STOP))
    assert stop[11] == 1.0
    assert not stop[:9].any()
    wave = replace(CALM, skill=Skill.WAVE)
    assert expert_action(wave)[11] == 0
    assert expert_action(replace(wave, elapsed_s=6.0))[11] == 1.0


# -- as policies ----------------------------------------------------------------------
def observation(world: World, goal: Goal) -> Observation:
    state = SimRobot(world).read()
    return Observation(
        stamp_ns=0, state=state, images={}, goal=goal, started_ns=0,
        start_pose=np.zeros(3), hand_target=REST_HAND.copy(), grip_command=np.zeros(2),
    )  # fmt: skip


def test_phrases_name_things(world: World) -> None:
    truth = world.truth()
    for name, thing in truth.items():
        if thing.kind in ("object", "receptacle"):
            assert [t.name for t in matching(world, name)] == [name]
            assert name in [t.name for t in matching(world, thing.shape)]
    tables = [t for t in truth.values() if t.kind == "table"]
    (low,), (high,) = matching(world, "low table"), matching(world, "high table")
    assert low.p_W[2] == min(t.p_W[2] for t in tables)
    assert high.p_W[2] == max(t.p_W[2] for t in tables)
    assert matching(world, "red sofa") == []


@pytest.mark.parametrize("hand", [0, LEFT])
def test_the_expert_is_a_policy(world: World, hand: int) -> None:
    name = next(t.name for t in world.truth().values() if t.kind == "object")
    goal = Goal(skill=Skill.PICK, instruction="", phrases={"object": name}, hand=hand)
    policy = ExpertPolicy(world)
    policy.reset(goal)
    chunk = policy.act(observation(world, goal))
    assert chunk.actions.shape == (8, 12)
    assert (chunk.actions[:, 10] == hand).all()
    assert not chunk.searching
    p_B = world.to_base(world.truth()[name].p_W)
    assert np.allclose(chunk.groundings[0].p_B, p_B)


def test_the_expert_searches_what_is_not_there(world: World) -> None:
    goal = Goal(skill=Skill.PICK, instruction="", phrases={"object": "grey sofa"})
    policy = ExpertPolicy(world)
    policy.reset(goal)
    assert policy.act(observation(world, goal)).searching


def test_chance_is_of_its_seed(world: World) -> None:
    goal = Goal(skill=Skill.WAVE, instruction="")
    o = observation(world, goal)

    def play(seed: int) -> np.ndarray:
        policy = RandomPolicy(seed)
        policy.reset(goal)
        return np.stack([policy.act(o).actions for _ in range(55)])

    assert np.array_equal(play(1), play(1))
    assert not np.array_equal(play(1), play(2))
    assert play(1)[0, 0, 11] == 0
    assert play(1)[-1, 0, 11] == 1
