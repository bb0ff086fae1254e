"""Each sign speaks up for what it is named after, and is silent otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bidden.brain.policy.uncertainty.signals import POOL, SIGNALS, Signal, Signals
from bidden.core.messages import Array, Skill

AHEAD = np.array([2.0, 0.0, 0.5])


def walking(vx: float = 0.3) -> Array:
    actions = np.zeros((8, 12))
    actions[:, 0] = vx
    return actions


class Bench:
    """Runs one goal after another through the signals."""

    def __init__(self, observe: Any, chunk_of: Any, goal: Any) -> None:
        self.signals, self.observe, self.chunk_of = Signals(), observe, chunk_of
        self.count = 0
        self.begin(goal)

    def begin(self, goal: Any) -> None:
        self.goal = goal
        self.signals.reset(goal)

    def step(self, *, seen: dict[str, Any] | None = None, **chunk: Any) -> Any:
        o = self.observe(self.goal, self.count, **(seen or {}))
        found = self.signals.step(self.chunk_of(self.count, **chunk), o)
        self.count += 1
        return dict(zip(SIGNALS, found.tolist(), strict=True))


@pytest.fixture
def bench(observe: Any, chunk_of: Any, goal_of: Any) -> Bench:
    return Bench(observe, chunk_of, goal_of())


def test_a_body_that_is_held_is_not_held_against_the_policy(bench: Bench) -> None:
    """Else a hold would go on for ever: nothing that is held can follow."""
    bench.step(actions=walking(0.3))
    found = bench.step(actions=walking(-0.3), seen={"pose": np.zeros(3)})
    assert found[Signal.DRAG] > 0
    found = bench.step(actions=walking(0.3), seen={"was_held": True})
    assert found[Signal.DRAG] == found[Signal.REACH] == 0
    assert found[Signal.REVERSAL] > 0  # what the policy says of itself still counts
    assert found[Signal.UNSURE] > 0


def test_a_steady_walk_gives_no_sign(bench: Bench) -> None:
    moving = np.array([0.3, 0.0, 0.0])
    for step in range(10):
        x = 0.06 * step
        found = bench.step(
            actions=walking(),
            at=AHEAD - np.array([x, 0, 0]),
            seen={"pose": np.array([x, 0, 0]), "velocity": moving},
        )
    quiet = {**found}
    for name in (Signal.UNSURE, Signal.LATE):
        quiet.pop(name)
    assert max(quiet.values()) == pytest.approx(0, abs=1e-9), quiet
    assert found[Signal.UNSURE] == pytest.approx(0.1)
    assert found[Signal.LATE] == pytest.approx(1.8)


def test_going_back_and_forth_is_a_reversal(bench: Bench) -> None:
    bench.step(actions=walking(0.3))
    assert bench.step(actions=walking(-0.3))[Signal.REVERSAL] > 0.5
    assert bench.step(actions=walking(-0.3))[Signal.REVERSAL] == 0


def test_chunks_disagree_only_on_the_time_that_both_cover(bench: Bench) -> None:
    first = walking(0.0)
    first[:2, 0] = 0.8  # is over when the next chunk comes
    bench.step(actions=first)
    second = walking(0.0)
    second[6:, 0] = 0.8  # the first chunk does not reach so far
    found = bench.step(actions=second)
    assert (found[Signal.DISAGREEMENT], found[Signal.JUMP]) == (0, 0)
    found = bench.step(actions=walking(0.4))
    assert found[Signal.JUMP] == pytest.approx(1.0)  # 0.4 m/s is one brisk step
    assert found[Signal.DISAGREEMENT] > 0.8


def test_a_late_chunk_has_nothing_to_disagree_with(bench: Bench) -> None:
    bench.step(actions=walking(0.4))
    bench.count += 10
    assert bench.step(actions=walking(-0.4))[Signal.JUMP] == 0


def test_the_policys_own_spread_is_read(bench: Bench) -> None:
    wide = np.zeros((8, 12))
    wide[:, 3] = 0.02
    assert bench.step(spread=wide)[Signal.SPREAD] == pytest.approx(1.0)
    assert bench.step(spread=wide * np.nan)[Signal.SPREAD] > 100
    assert bench.step(spread=np.zeros(3))[Signal.SPREAD] == 0  # none given


def test_numbers_at_the_limit_saturate(bench: Bench) -> None:
    assert bench.step(actions=walking(0.7))[Signal.SATURATION] == 0
    assert bench.step(actions=walking(0.8))[Signal.SATURATION] == 0.25
    assert bench.step(actions=walking(-0.6))[Signal.SATURATION] == 0.25


def test_a_base_that_does_not_follow_drags(bench: Bench) -> None:
    bench.step(actions=walking(0.4))
    assert bench.step(actions=walking(0.4))[Signal.DRAG] == pytest.approx(1.0)


def test_a_target_that_moves_in_the_room_wanders(bench: Bench) -> None:
    bench.step(at=AHEAD)
    assert bench.step(at=AHEAD + np.array([0, 0.5, 0]))[Signal.WANDER] == pytest.approx(
        0.5
    )
    turned = {"pose": np.array([0, 0, np.pi / 2])}
    same = np.array([0.5, -2.0, 0.5])  # the same place, seen after a quarter turn
    assert bench.step(at=same, seen=turned)[Signal.WANDER] == pytest.approx(0, abs=1e-9)


def test_a_policy_that_cannot_act_is_mute(bench: Bench) -> None:
    assert bench.step(note="no image")[Signal.MUTE] == 1


def test_a_closed_hand_must_hold_something(bench: Bench) -> None:
    assert bench.step(seen={"grip": 1.0, "width": 0.04})[Signal.EMPTY] == 0
    assert bench.step(seen={"grip": 1.0, "width": 0.002})[Signal.EMPTY] == 1
    assert bench.step(seen={"grip": 0.0, "width": 0.002})[Signal.EMPTY] == 0
    assert bench.step(seen={"grip": 1.0, "width": np.nan})[Signal.EMPTY] == 1


def test_no_progress_is_a_stall(bench: Bench) -> None:
    for _ in range(6):
        found = bench.step(at=AHEAD)
    assert found[Signal.STALL] == pytest.approx(1.0)
    assert bench.step(at=AHEAD * 0.9)[Signal.STALL] == 0


def test_looking_for_the_target_counts_as_lost(bench: Bench) -> None:
    for _ in range(6):
        found = bench.step(searching=True)
    assert found[Signal.LOST] == pytest.approx(1.0)
    assert found[Signal.UNSURE] == 1
    assert bench.step(at=AHEAD)[Signal.LOST] == pytest.approx(1.0)


def test_done_far_from_the_target_falls_short(bench: Bench) -> None:
    done = np.zeros((8, 12))
    done[:, 11] = 0.9
    assert bench.step(actions=done, at=AHEAD)[Signal.SHORT] == pytest.approx(2.0)
    assert bench.step(actions=done)[Signal.SHORT] == 5.0  # it does not even know where
    assert bench.step(at=AHEAD)[Signal.SHORT] == 0


def test_another_attempt_of_a_goal_is_no_new_start(bench: Bench, goal_of: Any) -> None:
    first = bench.goal
    bench.step()
    bench.begin(goal_of(Skill.MOVE_BY))  # the step back between two attempts
    bench.count = 20
    assert bench.step()[Signal.LATE] == pytest.approx(4.0)
    bench.begin(first)
    assert bench.step()[Signal.LATE] == pytest.approx(21 * 0.2)


def test_a_turn_of_half_a_circle_gets_less_either_way(
    bench: Bench, goal_of: Any
) -> None:
    bench.begin(goal_of(Skill.MOVE_BY, amount=np.array([0, 0, np.pi])))
    for yaw in (0.0, 0.4, 0.8, 1.6, 2.4, 3.1):
        found = bench.step(seen={"pose": np.array([0, 0, yaw])})
        assert found[Signal.STALL] == 0


def test_every_signal_has_a_window() -> None:
    assert set(POOL) == set(SIGNALS)
    assert min(POOL.values()) >= 1
