"""It strokes while the loop beats; the loop holds when the monitor does not."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from bidden.core.messages import RobotState, Rung
from bidden.runtime.clock import MonotonicClock
from bidden.runtime.processes.child import Wire
from bidden.runtime.processes.heartbeat import Beat, Heartbeats
from bidden.system.processes.monitor import MonitorConfig, MonitorProcess, watch

STATE = RobotState(
    stamp_ns=0, q=np.zeros(29), dq=np.zeros(29), torque=np.zeros(29),
    gyro=np.zeros(3), gravity=np.array([0, 0, -1.0]), base_pose=np.zeros(3),
    base_velocity=np.zeros(3), grip_width=np.zeros(2), grip_force=np.zeros(2),
)  # fmt: skip


@pytest.fixture
def beats() -> Iterator[Heartbeats]:
    page = Heartbeats()
    yield page
    page.close()


def wait(seconds: float) -> None:
    clock = MonotonicClock()
    clock.sleep_until(clock.now_ns() + int(seconds * 1e9))


def test_it_strokes_only_while_the_loop_beats(beats: Heartbeats) -> None:
    ours, theirs = map(Wire, socket.socketpair())
    run = threading.Thread(
        target=watch, args=(theirs, beats), kwargs={"control_s": 0.2}
    )
    run.start()
    assert ours.receive(10.0) == b"watching"
    wait(0.05)
    assert beats.age_s(Beat.STROKE) > 1e6  # nobody has ticked yet
    beats.beat(Beat.CONTROL)
    wait(0.1)
    assert beats.age_s(Beat.STROKE) < 5.0
    wait(0.6)
    assert beats.age_s(Beat.STROKE) > 0.25  # the loop is silent: no stroke
    ours.close()
    run.join(10.0)
    assert not run.is_alive()
    theirs.close()


def test_a_silent_monitor_holds_and_then_settles(beats: Heartbeats) -> None:
    config = MonitorConfig(hold_s=0.1, settle_s=0.3)
    monitor = MonitorProcess(beats, config=config)
    beats.beat(Beat.MONITOR)
    assert monitor.look(STATE) is None
    assert beats.age_s(Beat.CONTROL) < 5.0  # checking is what beats
    wait(0.15)
    first = monitor.look(STATE)
    wait(0.3)
    second = monitor.look(STATE)
    assert first is not None
    assert second is not None
    assert second.rung is Rung.SETTLE
    assert first.rung in (Rung.HOLD, Rung.SETTLE)  # a busy machine may be late
    assert first.reason == second.reason == "monitor_lost"


def test_killed_it_is_missed_and_can_be_started_again(beats: Heartbeats) -> None:
    monitor = MonitorProcess(beats)
    monitor.start()
    assert beats.age_s(Beat.MONITOR) < 5.0
    assert monitor.child is not None
    monitor.child.signal(signal.SIGKILL)
    wait(1.3)
    advice = monitor.look(STATE)
    assert advice is not None
    assert advice.rung is Rung.SETTLE
    monitor.start()
    assert beats.age_s(Beat.MONITOR) < 5.0
    monitor.close()
