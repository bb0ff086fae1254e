"""Chunks expire, nonsense moves nothing, hands stay where they may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bidden.brain.policy.belief import mirror_actions
from bidden.core.messages import LEFT, RIGHT, ActionChunk, Command, RobotState
from bidden.robot.g1 import ARM_IN_COMMAND, READY_ARMS
from bidden.robot.kinematics import Kinematics
from bidden.system.executor import REST_HAND, Executor, flaw_of

Make = Callable[..., ActionChunk]
MS = 1_000_000
START = 1_000_000_000
# joints of an arm that turn the other way in the mirror: rolls and yaws
FLIP = np.array([1, -1, -1, 1, -1, 1, -1.0])


def play(
    executor: Executor, state: RobotState, *, ticks: int, start: int = START
) -> list[Command]:
    """Ticks with a body that does at once what it is told."""
    commands = []
    q = state.q.copy()
    for k in range(ticks):
        now = start + 20 * MS * k
        command = executor.tick(replace(state, q=q.copy(), stamp_ns=now), now)
        q[15:] = command.arm_q
        commands.append(command)
    return commands


@pytest.fixture
def state(robot: Any) -> RobotState:
    found: RobotState = robot.read()
    return found


def test_without_a_chunk_it_stands_with_resting_arms(state: RobotState) -> None:
    for command in play(Executor(), state, ticks=20):
        assert not command.base_velocity.any()
        assert np.array_equal(command.arm_q, READY_ARMS)


def test_a_chunk_plays_for_its_time_then_holds(
    state: RobotState, chunk_of: Make
) -> None:
    executor = Executor()
    executor.load(chunk_of(START, vx=0.3, dx=0.01))
    commands = play(executor, state, ticks=60)
    assert all(c.base_velocity[0] == 0.3 for c in commands[:40])
    assert not any(c.base_velocity.any() for c in commands[40:])
    targets = executor.hand_target.copy()
    play(executor, state, ticks=10, start=START + 2_000 * MS)
    assert np.array_equal(executor.hand_target, targets)


def test_hands_settle_after_expiry(state: RobotState, chunk_of: Make) -> None:
    executor = Executor()
    executor.load(chunk_of(START, dx=0.01, dz=0.005))
    arms = [c.arm_q for c in play(executor, state, ticks=250)]
    assert np.abs(arms[-1] - arms[-2]).max() < 1e-4
    hand = Kinematics().hand_poses(
        np.concatenate([state.q[:15], arms[-1]]), state.gravity
    )[RIGHT]
    assert np.linalg.norm(hand[:3, 3] - executor.hand_target[RIGHT, :3]) < 0.002


@pytest.mark.parametrize("early", [-1, -1_000])
def test_a_chunk_from_the_future_waits(
    state: RobotState, chunk_of: Make, early: int
) -> None:
    executor = Executor()
    executor.load(chunk_of(START, vx=0.3))
    assert executor.step_of(START + 200 * early * MS) is None
    assert executor.step_of(START) == 0
    assert executor.step_of(START + 799 * MS) == 7
    assert executor.step_of(START + 800 * MS) is None


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("column", range(12))
def test_an_action_that_is_not_finite_is_ignored(
    state: RobotState, chunk_of: Make, bad: float, column: int
) -> None:
    executor = Executor()
    chunk = chunk_of(START, vx=0.3, dx=0.01, grip=1.0)
    chunk.actions[0, column] = bad
    executor.load(chunk)
    (command,) = play(executor, state, ticks=1)
    assert not command.base_velocity.any()
    assert np.array_equal(command.arm_q, READY_ARMS)
    assert not command.grip.any()
    assert np.array_equal(executor.hand_target, REST_HAND)


@pytest.mark.parametrize("hand", [RIGHT, LEFT])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_hand_targets_stay_in_their_box(
    state: RobotState, chunk_of: Make, hand: int, sign: float
) -> None:
    executor = Executor()
    c = executor.config
    step = 0.5 * sign
    executor.load(chunk_of(START, dx=step, dy=step, dz=step, hand=hand))
    for k in range(40):
        executor.tick(state, START + 20 * MS * k)
        x, y, z = executor.hand_target[hand, :3]
        y = -y if hand == LEFT else y
        assert c.hand_low[0] <= x <= c.hand_high[0]
        assert c.hand_low[1] <= y <= c.hand_high[1]
        assert c.hand_low[2] <= z <= c.hand_high[2]
    assert np.array_equal(executor.hand_target[1 - hand], REST_HAND[1 - hand])


def test_the_left_hand_mirrors_the_right(state: RobotState, chunk_of: Make) -> None:
    right, left = Executor(), Executor()
    chunk = chunk_of(START, dx=0.015, dy=0.01, dz=0.01, droll=0.03, dyaw=0.02)
    right.load(chunk)
    mirrored = mirror_actions(chunk.actions)
    mirrored[:, 10] = LEFT
    left.load(replace(chunk, actions=mirrored))
    a = play(right, state, ticks=45)[-1].arm_q
    b = play(left, state, ticks=45)[-1].arm_q
    assert not np.allclose(a[ARM_IN_COMMAND[RIGHT]], READY_ARMS[:7], atol=0.05)
    assert np.allclose(
        a[ARM_IN_COMMAND[RIGHT]], b[ARM_IN_COMMAND[LEFT]] * FLIP, atol=1e-2
    )
    flip = np.array([1, -1, 1, -1, 1, -1.0])
    assert np.allclose(right.hand_target[RIGHT], left.hand_target[LEFT] * flip)


def test_an_arm_without_work_rests(state: RobotState, chunk_of: Make) -> None:
    executor = Executor()
    executor.load(chunk_of(START, vx=0.2, dx=0.01, hand=RIGHT))
    for command in play(executor, state, ticks=40):
        left = command.arm_q[ARM_IN_COMMAND[LEFT]]
        assert np.array_equal(left, READY_ARMS[ARM_IN_COMMAND[LEFT]])


def test_grip_stays_between_open_and_closed(state: RobotState, chunk_of: Make) -> None:
    executor = Executor()
    executor.load(chunk_of(START, grip=3.0, hand=LEFT))
    assert np.array_equal(play(executor, state, ticks=1)[0].grip, [0.0, 1.0])
    executor.load(chunk_of(START, grip=-3.0, hand=LEFT))
    assert np.array_equal(play(executor, state, ticks=1)[0].grip, [0.0, 0.0])


def test_commands_carry_the_stamp_of_what_was_seen(
    state: RobotState, chunk_of: Make
) -> None:
    executor = Executor()
    executor.load(chunk_of(START))
    command = executor.tick(state, START + 300 * MS)
    assert (command.stamp_ns, command.source_ns) == (START + 300 * MS, START)


def test_it_goes_on_from_what_the_shield_let_through(
    state: RobotState, chunk_of: Make
) -> None:
    executor = Executor()
    cut = READY_ARMS + 0.01
    executor.accept(cut)
    assert np.array_equal(executor.tick(state, START).arm_q, cut)
    cut += 1.0  # the executor keeps its own copy
    assert np.array_equal(executor.tick(state, START).arm_q, READY_ARMS + 0.01)


def test_targets_do_not_run_ahead_of_a_body_that_is_held(
    state: RobotState, chunk_of: Make
) -> None:
    executor = Executor()
    executor.load(chunk_of(START, dx=0.05, grip=1.0))
    for k in range(20):
        executor.tick(state, START + 20 * k * MS)
        executor.accept(READY_ARMS, is_held=True)
    assert np.array_equal(executor.hand_target, REST_HAND)
    assert not executor.grip.any()
    assert not executor._integral.any()
    executor.tick(state, START + 420 * MS)
    executor.accept(READY_ARMS, is_held=False)
    step = executor.hand_target - REST_HAND
    assert step[RIGHT, 0] == pytest.approx(0.05 * 0.2)  # of one tick
    assert executor.grip[RIGHT] == 1.0


def test_reset_forgets_everything(state: RobotState, chunk_of: Make) -> None:
    executor = Executor()
    executor.load(chunk_of(START, vx=0.3, dx=0.02, grip=1.0))
    play(executor, state, ticks=30)
    executor.reset()
    (command,) = play(executor, state, ticks=1)
    assert not command.base_velocity.any()
    assert np.array_equal(command.arm_q, READY_ARMS)
    assert np.array_equal(executor.hand_target, REST_HAND)


def test_the_resting_hand_is_the_pose_of_the_resting_arms(state: RobotState) -> None:
    hands = Kinematics().hand_poses(state.q, state.gravity)
    assert np.abs(hands[:, :3, 3] - REST_HAND[:, :3]).max() < 0.01


@pytest.mark.parametrize(
    ("actions", "period", "says"),
    [
        (np.zeros((8, 7)), 0.1, "shape (8, 7), expected (steps, 12)"),
        (np.zeros(12), 0.1, "shape (12,), expected (steps, 12)"),
        (np.zeros((0, 12)), 0.1, "shape (0, 12)"),
        (np.full((8, 12), np.nan), 0.1, "not finite"),
        (np.zeros((8, 12), complex), 0.1, "not finite"),
        ([[0.0] * 12, [0.0]], 0.1, "not an array"),
        (np.zeros((8, 12)), float("nan"), "period of nan s"),
        (np.zeros((8, 12)), 0.0, "period of 0.0 s"),
    ],
)
def test_a_flawed_chunk_is_named_and_never_played(
    actions: Any, period: float, says: str
) -> None:
    chunk = ActionChunk(
        stamp_ns=0, actions=actions, spread=actions, period_s=period, policy="theirs"
    )
    assert says in flaw_of(chunk)
    executor = Executor()
    executor.load(chunk)
    assert executor.chunk is None
