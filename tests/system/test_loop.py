"""The loop is the one that writes; it counts what it sees."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

import bidden
from bidden.core.messages import (
    ActionChunk,
    Health,
    Mode,
    RobotState,
    Rung,
    Verdict,
)
from bidden.core.vetted import VettedCommand
from bidden.robot.g1 import ARMS
from bidden.safety import Shield
from bidden.system.executor import Executor
from bidden.system.loop import TICK_NS, ControlLoop

Make = Callable[..., ActionChunk]


def test_nothing_else_writes_to_a_robot() -> None:
    source = Path(bidden.__file__).parent
    call = re.compile(r"\brobot\.write\(")
    callers = [p for p in source.rglob("*.py") if call.search(p.read_text())]
    assert callers == [source / "system" / "loop.py"]
    assert len(call.findall(callers[0].read_text())) == 1


def test_one_vetted_command_a_tick(loop: ControlLoop, robot: Any, clock: Any) -> None:
    robot.written.clear()
    loop.reset_counts()
    began = clock.now
    loop.run(25)
    assert loop.ticks == len(robot.written) == 25
    assert clock.now - began == 25 * TICK_NS
    assert all(type(written) is VettedCommand for written in robot.written)
    stamps = np.diff([w.command.stamp_ns for w in robot.written])
    assert (stamps == TICK_NS).all()


def test_it_boots_disarmed_and_holds(robot: Any, clock: Any, chunk_of: Make) -> None:
    loop = ControlLoop(robot, clock, executor=Executor(), shield=Shield())
    loop.executor.load(chunk_of(clock.now, vx=0.3, dx=0.02))
    loop.run(20)
    assert not robot.pose.any()
    assert loop.rungs["PASS"] == 0
    assert sum(loop.rungs.values()) == loop.ticks == 20


def test_arming_lets_commands_through_and_disarming_stops_them(
    loop: ControlLoop, robot: Any, clock: Any, chunk_of: Make
) -> None:
    loop.executor.load(chunk_of(clock.now, vx=0.3))
    loop.run(20)
    gone = robot.pose[0]
    assert gone > 0.02
    loop.disarm()
    loop.executor.load(chunk_of(clock.now, vx=0.3))
    loop.run(40)
    assert not robot.velocity.any()
    standing = robot.pose[0]
    loop.arm()
    loop.executor.load(chunk_of(clock.now, vx=0.3))
    loop.run(20)
    assert robot.pose[0] > standing + 0.02


def test_a_change_of_rung_is_told_once(
    loop: ControlLoop, clock: Any, chunk_of: Make
) -> None:
    told: list[tuple[Verdict, Rung]] = []
    loop.on_verdict = lambda verdict, before: told.append((verdict, before))
    loop.run(5)
    assert told == []
    loop.disarm()
    loop.run(5)
    ((verdict, before),) = told
    assert before is Rung.PASS
    assert verdict.rung is loop.rung
    assert verdict.rung > Rung.WARN
    assert loop.reasons[verdict.reasons[0]] == 5


def test_a_fall_counts_once(loop: ControlLoop, robot: Any) -> None:
    loop.reset_counts()
    for tilt in (0.2, 1.2, 1.4, 0.1, 1.3):
        robot.gravity = np.array([np.sin(tilt), 0.0, -np.cos(tilt)])
        loop.run(3)
    assert loop.falls == 2


def test_nan_gravity_counts_as_fallen(loop: ControlLoop, robot: Any) -> None:
    loop.reset_counts()
    robot.gravity = np.full(3, np.nan)
    loop.executor.tick = lambda state, now_ns: None  # type: ignore[method-assign]
    loop.run(1)
    assert loop.falls == 1


def test_an_arm_past_its_range_is_a_violation(loop: ControlLoop, robot: Any) -> None:
    loop.reset_counts()
    loop.run(3)
    assert loop.violations == 0
    high = loop._high[3]  # a joint of the left arm, with the slack
    robot.q[ARMS.start + 3] = high + 0.01
    loop.tick()
    assert loop.violations == 1


def test_lateness_skips_ticks_and_counts_them(
    robot: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = ControlLoop(robot, clock, executor=Executor(), shield=Shield())
    write = robot.write

    def slow(command: VettedCommand) -> None:
        write(command)
        clock.now += 70_000_000

    monkeypatch.setattr(robot, "write", slow)
    loop.run(2)
    assert loop.ticks == 2
    assert loop.skipped >= 4


def test_counts_start_again(loop: ControlLoop) -> None:
    loop.run(10)
    loop.reset_counts()
    assert (loop.ticks, loop.skipped, loop.falls, loop.violations) == (0, 0, 0, 0)
    assert not loop.rungs
    assert loop.latency.timing().count == 0


@pytest.mark.parametrize("rehearse_ns", [0, 2_000_000])
def test_a_rehearsal_leaves_no_trace(
    robot: Any, clock: Any, chunk_of: Make, rehearse_ns: int
) -> None:
    """What is written with rehearsals is what is written without them."""
    rehearsed: list[int] = []
    twin = type(robot)(type(clock)(clock.now))
    pair = []
    for body, lead in ((robot, rehearse_ns), (twin, 0)):
        loop = ControlLoop(
            body, body.clock, executor=Executor(), shield=Shield(), rehearse_ns=lead
        )
        rehearse = loop.shield.rehearse

        def count(*args: Any, call: Any = rehearse, **kwargs: Any) -> None:
            rehearsed.append(1)
            call(*args, **kwargs)

        loop.shield.rehearse = count  # type: ignore[method-assign]
        loop.run(2)
        assert not loop.arm()
        for k in range(4):
            loop.executor.load(chunk_of(loop.clock.now_ns(), vx=0.2, dx=0.02, dz=-0.01))
            loop.run(10 + k)
        pair.append(loop)
    assert len(rehearsed) == (pair[0].ticks if rehearse_ns else 0)
    one, two = (np.array([w.command.arm_q for w in b.written]) for b in (robot, twin))
    assert one == pytest.approx(two, abs=0.0)
    assert np.ptp(one, axis=0).max() > 0.01  # the arm did move
    assert robot.pose == pytest.approx(twin.pose, abs=0.0)
    assert pair[0].shield._own.now_ns == pair[1].shield._own.now_ns


@dataclass
class Body:
    """A health source that says what the test wrote down."""

    clock: Any
    estop: Literal["released", "pressed", "missing"] = "released"

    def read(self) -> Health:
        return Health(stamp_ns=self.clock.now, battery=0.9, estop=self.estop)


def test_a_pressed_channel_stops_and_a_person_leads_back(
    loop: ControlLoop, robot: Any, clock: Any, chunk_of: Make
) -> None:
    loop.health = body = Body(clock)
    loop.run(5)
    assert loop.shield.mode is Mode.READY
    body.estop = "pressed"
    loop.executor.load(chunk_of(clock.now, vx=0.3))
    loop.run(20)
    assert not robot.pose.any()
    assert robot.written[-1].settle > 0
    assert loop.reset() == ("estop",)
    assert loop.arm()[:2] == ("stopped: reset first", "estop")
    body.estop = "released"
    assert loop.reset() == ()
    assert loop.shield.mode is Mode.DISARMED
    assert loop.arm() == ()
    loop.run(40)
    assert robot.written[-1].settle == 0


def test_arming_answers_for_now_not_for_the_last_tick(robot: Any, clock: Any) -> None:
    loop = ControlLoop(robot, clock, executor=Executor(), shield=Shield())
    loop.health = body = Body(clock, estop="missing")
    assert "estop" in loop.arm()
    body.estop = "released"
    assert loop.reset() == loop.arm() == ()


def test_lookouts_are_not_shown_a_state_of_the_future(
    loop: ControlLoop, robot: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They have no clock, and would compare it with the states that follow."""
    shown: list[int] = []

    class Watching:
        def look(self, state: RobotState) -> None:
            shown.append(state.stamp_ns - clock.now)

    loop.lookouts = (Watching(),)
    loop.run(2)
    read = robot.read
    early = replace(robot.read(), stamp_ns=clock.now + 60_000_000)
    monkeypatch.setattr(robot, "read", lambda: early)
    loop.run(1)
    monkeypatch.setattr(robot, "read", read)
    loop.run(2)
    assert shown == [0, 0, -TICK_NS, 0, 0]
