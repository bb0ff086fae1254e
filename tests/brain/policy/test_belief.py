"""One place makes network inputs; the mirror and the geometry are exact."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidden.brain.models import Contract, weights_path
from bidden.brain.models.contract import contract_path
from bidden.brain.policy.belief import (
    ROLES,
    SKILLS,
    Belief,
    features,
    mirror,
    mirror_actions,
)
from bidden.brain.policy.build import build_belief
from bidden.core.frames import from_planar, rpy_of, wrap
from bidden.core.messages import (
    ACTION_NAMES,
    LEFT,
    RIGHT,
    Array,
    Goal,
    Observation,
    RobotState,
    Skill,
)
from bidden.robot.g1 import ARMS, DEFAULT_Q, READY_ARMS
from bidden.robot.kinematics import Kinematics

N_FEATURES = 61  # what the shipped action heads read
FLIP_ARM = np.array([1, -1, -1, 1, -1, 1, -1.0])


def numbers(limit: float, n: int) -> st.SearchStrategy[Array]:
    one = st.floats(-limit, limit)
    return st.lists(one, min_size=n, max_size=n).map(np.array)


@st.composite
def beliefs(draw: st.DrawFn) -> Belief:
    return Belief(
        skill=draw(st.sampled_from(SKILLS)),
        role=draw(st.sampled_from(ROLES)),
        known=draw(st.booleans()),
        target=draw(numbers(10, 3)),
        target_yaw=draw(st.floats(-7, 7)),
        hand=draw(numbers(3, 6)),
        hand_target=draw(numbers(3, 6)),
        grip_command=draw(st.floats(0, 1)),
        grip_width=draw(st.floats(0, 0.09)),
        grip_force=draw(st.floats(0, 12)),
        base_velocity=draw(numbers(2, 3)),
        elapsed_s=draw(st.floats(0, 600)),
        below=draw(st.floats(0, 0.1)),
    )


def same(a: Belief, b: Belief) -> bool:
    return all(
        np.array_equal(getattr(a, f.name), getattr(b, f.name)) for f in fields(Belief)
    )


# -- features -----------------------------------------------------------------------
@settings(max_examples=300, deadline=None)
@given(beliefs())
def test_features_have_one_length_and_are_finite(b: Belief) -> None:
    x = features(b)
    assert x.shape == (N_FEATURES,)
    assert x.dtype == np.float32
    assert np.isfinite(x).all()
    assert np.abs(x).max() < 100


@settings(max_examples=100, deadline=None)
@given(beliefs(), numbers(10, 3))
def test_what_is_not_known_does_not_leak(b: Belief, elsewhere: Array) -> None:
    unknown = replace(b, known=False)
    assert np.array_equal(
        features(unknown), features(replace(unknown, target=elsewhere))
    )


@settings(max_examples=50, deadline=None)
@given(beliefs())
def test_every_skill_and_role_has_its_own_input(b: Belief) -> None:
    skills = {features(replace(b, skill=s))[: len(SKILLS)].tobytes() for s in SKILLS}
    assert len(skills) == len(SKILLS)
    i = len(SKILLS)
    roles = {features(replace(b, role=r))[i : i + 4].tobytes() for r in ROLES}
    assert len(roles) == len(ROLES)


@pytest.mark.parametrize(
    ("command", "width", "force", "holds"),
    [
        (1.0, 0.04, 8.0, True),
        (0.4, 0.04, 8.0, False),  # not commanded shut
        (1.0, 0.004, 8.0, False),  # the fingers met
        (1.0, 0.04, 0.5, False),  # still closing
        (1.0, float("nan"), 8.0, False),
        (1.0, 0.04, float("nan"), False),
    ],
)
def test_holding_needs_all_three_signs(
    command: float, width: float, force: float, *, holds: bool
) -> None:
    b = Belief(
        skill=Skill.PICK, role="object", known=True, target=np.zeros(3),
        target_yaw=0.0, hand=np.zeros(6), hand_target=np.zeros(6),
        grip_command=command, grip_width=width, grip_force=force,
        base_velocity=np.zeros(3), elapsed_s=0.0,
    )  # fmt: skip
    assert b.holding is holds


# -- mirror -------------------------------------------------------------------------
@settings(max_examples=200, deadline=None)
@given(beliefs())
def test_the_mirror_of_the_mirror_is_the_belief(b: Belief) -> None:
    assert same(mirror(mirror(b)), b)


@settings(max_examples=100, deadline=None)
@given(numbers(2, 12))
def test_actions_mirror_back(action: Array) -> None:
    assert np.array_equal(mirror_actions(mirror_actions(action)), action)
    chunk = np.stack([action] * 8)
    assert np.array_equal(mirror_actions(chunk)[3], mirror_actions(action))


def test_what_has_no_side_is_not_mirrored() -> None:
    kept = mirror_actions(np.ones(12)) == 1
    names = [name for name, same in zip(ACTION_NAMES, kept, strict=True) if same]
    assert names == [
        "base_vx", "hand_dx", "hand_dz", "hand_dpitch", "grip", "hand", "done"
    ]  # fmt: skip


# -- from an observation ---------------------------------------------------------------
def observe(goal: Goal, *, arms: Array | None = None, **changes: Any) -> Observation:
    q = DEFAULT_Q.copy()
    q[ARMS] = READY_ARMS if arms is None else arms
    state = RobotState(
        stamp_ns=3_000_000_000, q=q, dq=np.zeros(29), torque=np.zeros(29),
        gyro=np.zeros(3), gravity=np.array([0.0, 0.0, -1.0]),
        base_pose=changes.pop("base_pose", np.zeros(3)),
        base_velocity=np.array([0.1, 0.2, 0.3]), grip_width=np.array([0.09, 0.04]),
        grip_force=np.array([0.0, 8.0]),
    )  # fmt: skip
    return Observation(
        stamp_ns=3_000_000_000, state=state, images={}, goal=goal,
        started_ns=1_000_000_000, grip_command=np.array([0.0, 1.0]),
        start_pose=changes.pop("start_pose", np.zeros(3)),
        hand_target=changes.pop("hand_target", np.zeros((2, 6))),
    )  # fmt: skip


def move(*amount: float) -> Goal:
    return Goal(skill=Skill.MOVE_BY, instruction="", amount=np.array(amount))


def test_the_acting_hand_is_the_one_of_the_goal() -> None:
    pick = Goal(skill=Skill.PICK, instruction="", phrases={"object": "x"})
    target = np.array([0.4, 0.1, 0.8])
    o = observe(pick)
    b = build_belief(o, role="object", target=target)
    X = Kinematics().hand_poses(o.state.q, o.state.gravity)[RIGHT]
    assert np.allclose(b.hand, [*X[:3, 3], *rpy_of(X[:3, :3])])
    assert (b.grip_command, b.grip_width, b.grip_force) == (0.0, 0.09, 0.0)
    assert b.known
    assert b.elapsed_s == 2.0
    left = build_belief(observe(replace(pick, hand=LEFT)), role="object", target=target)
    assert left.holding
    assert np.allclose(left.target, [0.4, -0.1, 0.8])
    assert not build_belief(o, role="object", target=None).known


def test_the_left_hand_in_the_mirror_is_a_right_hand() -> None:
    r = np.random.default_rng(2)
    for _ in range(10):
        arms = READY_ARMS + r.uniform(-0.3, 0.3, 14)
        swapped = np.concatenate([arms[7:] * FLIP_ARM, arms[:7] * FLIP_ARM])
        pick = Goal(skill=Skill.PICK, instruction="")
        right = build_belief(observe(pick, arms=arms), role="object", target=None)
        left = build_belief(
            observe(replace(pick, hand=LEFT), arms=swapped), role="object", target=None
        )
        # the meshes of the two arms differ by fractions of a millimetre
        assert np.allclose(right.hand, left.hand, atol=2e-3)


@settings(max_examples=200, deadline=None)
@given(numbers(2, 3), numbers(3, 3), numbers(3, 3))
def test_a_move_keeps_its_goal_in_the_world(
    amount: Array, start: Array, now: Array
) -> None:
    o = observe(move(*amount), start_pose=start, base_pose=now)
    b = build_belief(o, role="object", target=None)
    assert (b.role, b.known) == ("pose", True)
    wanted = from_planar(np.array([amount[0], amount[1], 0.0]), start)
    assert np.allclose(from_planar(b.target, now), wanted, atol=1e-9)
    # turning by what is left ends at the wanted heading
    end = now[2] + b.target_yaw
    off = (end - start[2] - amount[2] + np.pi) % (2 * np.pi) - np.pi
    assert abs(off) < 1e-6


def test_a_move_that_is_over_has_nothing_left() -> None:
    start = np.array([0.5, -1.0, 2.0])
    end = from_planar(np.array([1.0, 0.2, 0.0]), start)
    end[2] = start[2] + 0.4
    o = observe(move(1.0, 0.2, 0.4), start_pose=start, base_pose=end)
    b = build_belief(o, role="pose", target=None)
    assert np.allclose(b.target, 0, atol=1e-9)
    assert abs(b.target_yaw) < 1e-9


@pytest.mark.parametrize("turn", [np.pi, -np.pi, 3.0, -3.0, 1.5, -0.3, 0.0])
@pytest.mark.parametrize("start", [0.0, 3.0, -2.0])
def test_a_turn_goes_the_way_that_was_asked_and_no_further(
    turn: float, start: float
) -> None:
    # from a little before the start to a little past the end
    for turned in (*np.linspace(0, turn, 9), turn + 0.2, turn - 0.2, -0.2, 0.2):
        o = observe(
            move(0, 0, turn),
            start_pose=np.array([0, 0, start]),
            base_pose=np.array([0, 0, wrap(start + turned)]),
        )
        b = build_belief(o, role="pose", target=None)
        assert b.target_yaw == pytest.approx(turn - turned), turned


def test_without_an_amount_it_stays() -> None:
    goal = Goal(skill=Skill.MOVE_BY, instruction="")
    b = build_belief(observe(goal), role="pose", target=None)
    assert not b.target.any()
    assert b.target_yaw == 0


def test_the_shipped_heads_read_these_features() -> None:
    path = contract_path(weights_path("fusion"))
    if not path.exists():
        pytest.skip("no policy has been trained yet")
    inputs = {spec.name: spec.shape for spec in Contract.load(path).inputs}
    if "belief" not in inputs:
        pytest.skip("the shipped networks find things, but do not act yet")
    assert inputs["belief"] == (1, N_FEATURES)
