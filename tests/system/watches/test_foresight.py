"""Foresight as a watch of chunks and as a lookout in every tick."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bidden.core.messages import (
    ActionChunk,
    Advice,
    Goal,
    Observation,
    RobotState,
    Rung,
    Skill,
)
from bidden.robot.g1 import ARMS, DEFAULT_Q, READY_ARMS
from bidden.safety import ADVISED, EMPTY_SCENE, Scene
from bidden.safety.foresight import FallMemory
from bidden.system.executor import REST_HAND, Executor, ExecutorConfig
from bidden.system.loop import ControlLoop
from bidden.system.watches import FallLookout, ForesightWatch
from bidden.system.watches.foresight import PERSISTENCE, QUIET_NS, reach_of

TICK_NS = 20_000_000


def state_at(stamp_ns: int, **changes: Any) -> RobotState:
    q = DEFAULT_Q.copy()
    q[ARMS] = READY_ARMS
    state = RobotState(
        stamp_ns=stamp_ns,
        q=q,
        dq=np.zeros(29),
        torque=np.zeros(29),
        gyro=np.zeros(3),
        gravity=np.array([0.0, 0.0, -1.0]),
        base_pose=np.zeros(3),
        base_velocity=np.zeros(3),
        grip_width=np.full(2, 0.09),
        grip_force=np.zeros(2),
    )
    return replace(state, **changes)


def observation(stamp_ns: int = 1_000_000_000, vx: float = 0.0) -> Observation:
    return Observation(
        stamp_ns=stamp_ns,
        state=state_at(stamp_ns, base_velocity=np.array([vx, 0.0, 0.0])),
        images={},
        goal=Goal(skill=Skill.STOP, instruction=""),
        started_ns=stamp_ns,
        start_pose=np.zeros(3),
        hand_target=REST_HAND.copy(),
        grip_command=np.zeros(2),
    )


def chunk(vx: float = 0.0, period_s: float = 0.1) -> ActionChunk:
    actions = np.zeros((8, 12))
    actions[:, 0] = vx
    return ActionChunk(
        stamp_ns=1_000_000_000, actions=actions, spread=0 * actions, period_s=period_s
    )


WALL = Scene(
    stamp_ns=1_000_000_000,
    box_centre=np.array([[0.6, 0.0, 0.7]]),
    box_half=np.array([[0.2, 1.0, 0.6]]),
    box_yaw=np.zeros(1),
)


# -- chunks -----------------------------------------------------------------------
def test_a_chunk_into_a_wall_is_advised_against() -> None:
    watch = ForesightWatch(lambda: WALL)
    watch.reset(observation().goal)
    advice = watch.judge(chunk(0.8), observation(vx=0.6))
    assert advice is not None
    assert advice.rung >= Rung.SLOW
    assert advice.reason == "foreseen_contact"
    assert advice.reason in ADVISED
    assert advice.score >= advice.bound
    assert advice.stamp_ns == chunk().stamp_ns


def test_standing_is_not() -> None:
    watch = ForesightWatch(lambda: EMPTY_SCENE)
    assert watch.judge(chunk(), observation()) is None
    assert watch.judgements[-1].found == ()


def test_the_scene_is_that_of_the_moment() -> None:
    scenes = [EMPTY_SCENE, WALL]
    watch = ForesightWatch(lambda: scenes.pop(0))
    said = [watch.judge(chunk(0.8), observation(vx=0.6)) for _ in range(2)]
    assert said[0] is None
    assert said[1] is not None


def test_a_slower_clock_of_actions_is_read_in_time() -> None:
    watch = ForesightWatch(lambda: WALL)
    watch.judge(chunk(0.5), observation(vx=0.3))
    watch.judge(chunk(0.5, period_s=0.025), observation(vx=0.3))  # over after 0.2 s
    long, short = watch.judgements
    assert short.contact < long.contact


def test_the_reach_is_the_executor_s() -> None:
    executor, (low, high) = Executor(), reach_of(ExecutorConfig())
    assert np.array_equal(low, executor._low)
    assert np.array_equal(high, executor._high)


# -- falls ------------------------------------------------------------------------
class Script:
    """A predictor that says what it is told."""

    alarm = 1.0

    def __init__(self, scores: list[float]) -> None:
        self.scores = scores
        self.fresh: list[bool] = []

    def __call__(
        self, memory: FallMemory, state: RobotState
    ) -> tuple[FallMemory, float]:
        self.fresh.append(memory.rows == ())
        score = self.scores.pop(0) if self.scores else 0.0
        above = memory.above + 1 if score >= self.alarm else 0
        return FallMemory(rows=(np.zeros(12),), above=above), score


def look(scores: list[float], *, ticks: int, step: int = TICK_NS) -> list[Any]:
    lookout = FallLookout(Script(scores))  # type: ignore[arg-type]
    return [lookout.look(state_at(10**9 + k * step)) for k in range(ticks)]


def test_calm_ticks_say_nothing() -> None:
    assert look([0.0, 0.9, 0.0], ticks=8) == [None] * 8


def test_a_fall_is_foreseen_after_some_ticks_and_believed_for_a_while() -> None:
    said = look([5.0] * PERSISTENCE, ticks=60)
    first = next(k for k, one in enumerate(said) if one is not None)
    assert first == PERSISTENCE - 1
    assert all(one is not None for one in said[first : first + QUIET_NS // TICK_NS])
    assert said[-1] is None
    advice: Advice = said[first]
    assert advice.reason == "foreseen_fall"
    assert advice.rung >= Rung.HOLD
    assert advice.bound == 1.0


def test_states_far_apart_are_no_sequence() -> None:
    for step, fresh in ((TICK_NS, [True, False, False]), (200_000_000, [True] * 3)):
        script = Script([0.0] * 3)
        lookout = FallLookout(script)  # type: ignore[arg-type]
        for k in range(3):
            lookout.look(state_at(10**9 + k * step))
        assert script.fresh == fresh


@pytest.mark.parametrize("rung", [Rung.HOLD, Rung.SETTLE])
def test_the_lookout_asks_for_the_rung_that_it_was_given(rung: Rung) -> None:
    lookout = FallLookout(Script([5.0]), rung=rung)  # type: ignore[arg-type]
    advice = lookout.look(state_at(10**9))
    assert advice is not None
    assert advice.rung is rung


@pytest.mark.parametrize("name", ["dq", "torque", "base_velocity", "gravity"])
def test_everything_that_is_read_must_be_a_number(name: str) -> None:
    lookout = FallLookout(Script([5.0, 5.0]))  # type: ignore[arg-type]
    count = 29 if name in ("dq", "torque") else 3
    for bad in (np.full(count, np.nan), np.zeros(count - 1)):
        assert lookout.look(state_at(10**9, **{name: bad})) is None


def test_a_state_that_cannot_be_read_starts_over() -> None:
    script = Script([5.0, 0.0])
    lookout = FallLookout(script)  # type: ignore[arg-type]
    assert lookout.look(state_at(10**9)) is not None
    assert lookout.look(state_at(10**9 + TICK_NS, gyro=np.full(3, np.nan))) is None
    assert lookout.look(state_at(10**9 + 2 * TICK_NS, q=np.zeros(3))) is None
    assert lookout.look(state_at(10**9 + 3 * TICK_NS)) is None
    assert script.fresh == [True, True]


# -- in the loop --------------------------------------------------------------------
def test_the_loop_asks_in_every_tick_and_obeys(
    loop: ControlLoop, robot: Any, clock: Any, chunk_of: Callable[..., ActionChunk]
) -> None:
    loop.lookouts = (
        FallLookout(Script([0.0] * 10 + [5.0] * 5)),  # type: ignore[arg-type]
    )
    loop.executor.load(chunk_of(clock.now, vx=0.3))
    loop.run(10)
    assert loop.rung < Rung.HOLD
    assert robot.velocity[0] > 0.0
    loop.run(3)
    assert loop.rung >= Rung.HOLD
    assert "foreseen_fall" in loop.reasons
    assert robot.velocity[0] == 0.0


def test_advice_of_a_tick_goes_on_the_tape(loop: ControlLoop) -> None:
    heard: list[tuple[Advice, ...]] = []

    class Tape:
        def tick(
            self, *args: object, advice: tuple[Advice, ...], **rest: object
        ) -> None:
            heard.append(advice)

    loop.tape = Tape()  # type: ignore[assignment]
    loop.lookouts = (FallLookout(Script([0.0, 5.0, 5.0])),)  # type: ignore[arg-type]
    loop.advice = (Advice(stamp_ns=0, rung=Rung.WARN, reason="policy_uncertain"),)
    loop.run(3)
    assert [len(advice) for advice in heard] == [1, 2, 2]


@pytest.mark.parametrize("name", ["lookouts", "advice"])
def test_without_a_watch_nothing_is_advised(loop: ControlLoop, name: str) -> None:
    assert not getattr(loop, name)
