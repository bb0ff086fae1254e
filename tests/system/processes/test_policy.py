"""Whatever the policy's process does, the loop ticks on and the robot stands."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from bidden.core.errors import RobotError
from bidden.core.messages import ActionChunk, Goal, Image, Observation, Rung, Skill
from bidden.evaluation.faults.link import SimulatedLink, Trouble
from bidden.evaluation.faults.misbehaving import FLAWS, Walker, Wrong
from bidden.safety import Check
from bidden.system.loop import ControlLoop
from bidden.system.processes.policy import (
    PolicyWatch,
    ProcessPolicy,
    ProcessPolicyConfig,
)

WALKER = "bidden.evaluation.faults.misbehaving:Walker"
# real time that one simulated tick waits for the process, on a busy machine too
CONFIG = ProcessPolicyConfig(deadline_s=0.5, patience_s=0.4)
GOAL = Goal(skill=Skill.MOVE_BY, instruction="go on", amount=np.ones(3))


@contextmanager
def walker(loop: ControlLoop, *words: str | int) -> Iterator[ProcessPolicy]:
    policy = ProcessPolicy(loop, maker=WALKER, arguments=words, config=CONFIG)
    policy.start()
    policy.reset(GOAL)
    try:
        yield policy
    finally:
        policy.close()


def simulated(loop: ControlLoop, wrong: Wrong) -> tuple[ProcessPolicy, Trouble]:
    """The same over a simulated wire, where an answer takes simulated time."""
    trouble = Trouble(wrong=wrong)
    link = SimulatedLink(Walker(), loop.clock, trouble)
    config = ProcessPolicyConfig(deadline_s=0.5)
    policy = ProcessPolicy(loop, link=link, config=config)
    policy.reset(GOAL)
    return policy, trouble


def observe(loop: ControlLoop, images: dict[str, Image] | None = None) -> Observation:
    return Observation(
        stamp_ns=loop.clock.now_ns(),
        state=loop.robot.read(),
        images=images or {},
        goal=GOAL,
        started_ns=0,
        start_pose=np.zeros(3),
        hand_target=np.zeros((2, 6)),
        grip_command=np.array([1.0, 0.0]),
    )


def act(loop: ControlLoop, policy: ProcessPolicy) -> ActionChunk:
    """One round, as the orchestrator makes it."""
    observation = observe(loop)
    chunk = policy.act(observation)
    advice = PolicyWatch(policy).judge(chunk, observation)
    loop.advice = () if advice is None else (advice,)
    loop.executor.load(chunk)
    loop.run(10)
    return chunk


def stands(chunk: ActionChunk) -> bool:
    return not chunk.actions[:, :9].any() and bool(chunk.note)


def test_a_good_policy_gives_the_same_chunks_as_without_a_process(
    loop: ControlLoop,
) -> None:
    with walker(loop) as policy:
        chunks = [act(loop, policy) for _ in range(5)]
        assert policy.name == "walker"
    assert all(c.actions[0, 0] == 0.4 and c.actions[0, 9] == 1.0 for c in chunks)
    assert not policy.missed
    assert not policy.counts
    assert loop.rung is Rung.PASS


def test_images_arrive_without_loss(loop: ControlLoop) -> None:
    rng = np.random.default_rng(3)
    depth = rng.random((320, 320), np.float32)
    image = Image(
        stamp_ns=loop.clock.now_ns(), camera="head",
        rgb=rng.integers(0, 256, (320, 320, 3), np.uint8), depth=depth,
        K=np.eye(3), X_BC=np.eye(4),
    )  # fmt: skip
    policy = ProcessPolicy(
        loop, maker=f"{__name__.rpartition('.')[2]}:Mirror", config=CONFIG
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", _with_this_folder())
        policy.start()
    policy.reset(GOAL)
    chunk = policy.act(observe(loop, {"head": image}))
    policy.close()
    assert chunk.actions[0, 0] == pytest.approx(float(image.rgb.sum()))
    assert chunk.actions[0, 1] == pytest.approx(float(depth.sum(dtype=float)))


class Mirror:
    """In the other process: says what it saw."""

    name = "mirror"

    def reset(self, goal: Goal) -> None:
        assert goal.amount is not None

    def act(self, observation: Observation) -> ActionChunk:
        image = observation.images["head"]
        actions = np.zeros((8, 12))
        actions[:, 0] = image.rgb.sum()
        assert image.depth is not None
        actions[:, 1] = image.depth.sum(dtype=float)
        return ActionChunk(
            stamp_ns=observation.stamp_ns, actions=actions, spread=0 * actions
        )


def _with_this_folder() -> str:
    import os
    from pathlib import Path

    return f"{Path(__file__).parent}:{os.environ.get('PYTHONPATH', '')}"


@pytest.mark.parametrize("wrong", FLAWS)
def test_a_flawed_chunk_stands_still_and_the_next_good_one_walks(
    loop: ControlLoop, wrong: Wrong
) -> None:
    policy, trouble = simulated(loop, wrong)
    assert act(loop, policy).actions[0, 0] == 0.4
    trouble.at_ns = loop.clock.now_ns()
    for _ in range(2):
        assert stands(act(loop, policy))
        assert loop.rung is Rung.HOLD
        assert Check.POLICY_LOST in loop.reasons
    assert policy.counts == {"broken": 2}
    trouble.until_ns = loop.clock.now_ns()
    assert act(loop, policy).actions[0, 0] == 0.4
    assert loop.rung is Rung.PASS
    trouble.until_ns = 2**62
    for _ in range(3):
        act(loop, policy)
    assert loop.rung is Rung.SETTLE  # three in a row


@pytest.mark.parametrize("wrong", ["crash", "exit", "garbage", "frame"])
def test_a_process_that_breaks_ends_in_a_still_chunk(
    loop: ControlLoop, wrong: str
) -> None:
    with walker(loop, wrong, 1) as policy:
        act(loop, policy)
        ticks = loop.ticks
        assert stands(act(loop, policy))
        assert loop.ticks - ticks <= 10 + 25 + 1
        assert loop.rung is Rung.HOLD
        for _ in range(2):
            assert stands(act(loop, policy))


def test_the_loop_ticks_on_while_the_policy_hangs(loop: ControlLoop) -> None:
    policy, trouble = simulated(loop, "hang")
    act(loop, policy)
    trouble.at_ns = loop.clock.now_ns()
    ticks, began = loop.ticks, loop.clock.now_ns()
    assert stands(policy.act(observe(loop)))
    assert loop.ticks - ticks == 25  # the deadline, and not one more
    assert loop.clock.now_ns() - began == 500_000_000
    for _ in range(3):
        act(loop, policy)
    assert policy.counts["late"] == 4
    assert loop.rung is Rung.SETTLE
    assert loop.robot.written[-1].settle > 0  # type: ignore[attr-defined]


def test_the_last_chunk_plays_until_it_expires_and_no_longer(
    loop: ControlLoop,
) -> None:
    policy, _ = simulated(loop, "none")
    act(loop, policy)  # 0.8 s long, 0.2 s of it played
    for k in range(60):
        forward = loop.robot.read().base_velocity[0]
        if k * 0.02 > 0.75:  # it slows down by the limit of acceleration
            assert forward == pytest.approx(0.0, abs=1e-9)
        elif 0.2 < k * 0.02 < 0.58:
            assert forward == pytest.approx(0.4)
        loop.tick()


def test_a_late_answer_is_dropped_and_counted(loop: ControlLoop) -> None:
    policy, trouble = simulated(loop, "slow")  # 0.9 s
    trouble.at_ns = 0
    assert stands(act(loop, policy))
    assert policy.counts == {"late": 1}
    assert stands(act(loop, policy))  # meanwhile the first one comes: too late
    assert policy.counts == {"late": 2, "dropped": 1}


def test_a_hanging_process_costs_no_tick(loop: ControlLoop) -> None:
    with walker(loop, "hang", 0) as policy:
        policy.config = ProcessPolicyConfig(deadline_s=0.5, patience_s=0.001)
        ticks = loop.ticks
        assert stands(policy.act(observe(loop)))
        assert loop.ticks - ticks == 25


def test_a_killed_process_is_noticed_at_once_and_can_be_started_again(
    loop: ControlLoop,
) -> None:
    with walker(loop) as policy:
        act(loop, policy)
        assert policy.child is not None
        policy.child.signal(signal.SIGKILL)
        for _ in range(3):
            chunk = act(loop, policy)
        assert stands(chunk)
        assert "ended" in chunk.note
        assert loop.rung is Rung.SETTLE
        policy.start()
        assert act(loop, policy).actions[0, 0] == 0.4
        assert loop.rung is Rung.SETTLE  # latched: a person has to arm it
        assert not loop.reset()
        assert not loop.arm()
        loop.run(150)
        act(loop, policy)
        assert loop.rung is Rung.PASS


def test_a_frozen_process_does_not_keep_us_from_closing(loop: ControlLoop) -> None:
    with walker(loop) as policy:
        assert policy.child is not None
        policy.child.signal(signal.SIGSTOP)
        child = policy.child
    assert not child.is_alive


def test_a_policy_that_does_not_exist_is_refused(
    loop: ControlLoop, capfd: pytest.CaptureFixture[str]
) -> None:
    policy = ProcessPolicy(loop, maker="bidden.nowhere:Policy", config=CONFIG)
    with pytest.raises(RobotError, match=r"policy 'bidden.nowhere:Policy' was not"):
        policy.start()
    assert "no policy 'bidden.nowhere:Policy'" in capfd.readouterr().err
