"""A body in another process follows vetted orders, and looks after itself."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidden.adapters.sim.apart.client import DistantRobot
from bidden.adapters.sim.apart.server import Driver, _report
from bidden.adapters.sim.apart.words import order_of, pack, read_order, read_report
from bidden.adapters.sim.world import World
from bidden.core.errors import RobotError
from bidden.core.vetted import VettedCommand
from bidden.runtime.clock import MonotonicClock
from bidden.runtime.processes.child import Wire
from bidden.runtime.processes.heartbeat import Beat, Heartbeats

Drive = Callable[..., VettedCommand]


def wait(seconds: float) -> None:
    clock = MonotonicClock()
    clock.sleep_until(clock.now_ns() + int(seconds * 1e9))


@pytest.fixture
def beats() -> Iterator[Heartbeats]:
    page = Heartbeats()
    yield page
    page.close()


@pytest.fixture
def driver(world: World, beats: Heartbeats) -> Driver:
    return Driver(world, beats)


def test_an_order_travels_unchanged(drive: Drive) -> None:
    vetted = drive(0.05, 0.01, -0.02)
    order, arms = read_order(pack(order_of(vetted)))
    assert order.base_velocity == tuple(vetted.command.base_velocity)
    assert np.array_equal(arms, vetted.command.arm_q)
    assert order.settle == vetted.settle


@given(st.binary(max_size=80))
def test_what_is_no_order_is_refused(frame: bytes) -> None:
    with pytest.raises(RobotError):
        read_order(frame)
    with pytest.raises(RobotError):
        read_report(frame)


def test_an_order_that_no_body_can_follow_is_refused(drive: Drive) -> None:
    import msgspec

    order = order_of(drive())
    for wrong in (
        {"arm_q": (0.0,) * 13},
        {"arm_q": (float("nan"),) * 14},
        {"base_velocity": (float("inf"), 0.0, 0.0)},
        {"version": 9},
    ):
        with pytest.raises(RobotError, match="an order"):
            read_order(pack(msgspec.structs.replace(order, **wrong)))


def test_it_follows_only_while_it_is_stroked(
    driver: Driver, beats: Heartbeats, drive: Drive
) -> None:
    order, arms = read_order(pack(order_of(drive(0.05))))
    driver.follow(order, arms)
    assert driver.by_itself  # nobody has stroked yet
    beats.beat(Beat.STROKE)
    driver.follow(order, arms)
    driver.guard()
    assert not driver.by_itself
    driver.follow(order, arms)
    assert np.array_equal(driver._velocity, order.base_velocity)


def test_before_anybody_drives_it_it_stands_and_does_not_settle(
    driver: Driver,
) -> None:
    wait(1.2)
    driver.guard()
    assert driver.by_itself
    assert driver.settle == 0.0


def test_without_strokes_it_stands_then_settles_and_stays_down(
    driver: Driver, beats: Heartbeats, drive: Drive
) -> None:
    order, arms = read_order(pack(order_of(drive(0.05))))
    beats.beat(Beat.STROKE)
    driver.follow(order, arms)
    driver.guard()
    driver.follow(order, arms)
    wait(0.25)  # neither a stroke nor an order
    driver.guard()
    assert driver.by_itself
    assert not driver._velocity.any()
    wait(1.0)
    driver.guard()
    assert 0.0 < driver.settle < 0.2
    for _ in range(25):
        wait(0.1)
        driver.guard()
    assert driver.settle == pytest.approx(1.0)
    beats.beat(Beat.STROKE)
    driver.follow(order, arms)
    driver.guard()
    driver.follow(order, arms)
    assert driver.by_itself  # down until it is started again
    assert driver.settle == pytest.approx(1.0)


def test_the_far_robot_reports_and_takes_nothing_but_vetted_commands(
    driver: Driver, drive: Drive
) -> None:
    ours, theirs = map(Wire, socket.socketpair())
    theirs.send(pack(_report(driver, 5)))
    robot = DistantRobot(ours)
    state = robot.read()
    assert state.stamp_ns == driver.now_ns + 5
    assert np.array_equal(state.q, driver.read().q)
    vetted = drive(0.03)
    robot.write(vetted)
    frame = theirs.receive(1.0)
    assert frame is not None
    assert read_order(frame)[0] == order_of(vetted)
    with pytest.raises(RobotError, match="expected a VettedCommand, got Command"):
        robot.write(vetted.command)  # type: ignore[arg-type]
    theirs.close()
    robot.write(vetted)  # into nothing
    robot.write(vetted)
    assert not robot.is_open
    assert robot.skipped >= 1
    assert robot.read() is state or robot.read().stamp_ns == state.stamp_ns
    ours.close()


def test_a_body_that_does_not_report_is_named() -> None:
    ours, theirs = map(Wire, socket.socketpair())
    with pytest.raises(RobotError, match="did not report within 0 s"):
        DistantRobot(ours, wait_s=0.05)
    ours.close()
    theirs.close()
