"""The body's process: `python -m bidden.adapters.sim.apart.server --fd N --beats N`.

Physics keeps up with the wall clock. The driver follows orders only while the monitor
strokes its watchdog and orders are fresh; else the body stands by itself, and after a
second it settles and stays down until it is started again.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Final

import numpy as np

from bidden.adapters.sim.g1 import SimRobot
from bidden.adapters.sim.scene import SceneConfig
from bidden.adapters.sim.world import PHYSICS_DT_S, World
from bidden.core.errors import RobotError
from bidden.core.messages import Array
from bidden.runtime.clock import MonotonicClock
from bidden.runtime.codec import encode
from bidden.runtime.processes.child import Wire
from bidden.runtime.processes.heartbeat import Beat, Heartbeats

from .words import Order, Report, pack, read_order

STROKE_S: Final = 0.15  # age of the monitor's stroke; it strokes every 10 ms
ORDER_S: Final = 0.15  # age of the newest order; they come every 20 ms
SETTLE_AFTER_S: Final = 1.0  # without either; then it crouches
SETTLE_S: Final = 2.0  # that crouching takes, as the shield's
MOST_S: Final = 0.1  # of crouching at once, when the driver was late
PERIOD_NS: Final = 10_000_000
STEP_NS: Final = round(PHYSICS_DT_S * 1e9)
BEHIND_NS: Final = 200_000_000  # physics that is so late gives up catching up


class Driver(SimRobot):
    """The part of a body that drives its motors, with a watchdog of its own."""

    def __init__(self, world: World, beats: Heartbeats) -> None:
        super().__init__(world)
        self._beats, self._clock = beats, MonotonicClock()
        self._order_ns = self._healthy_ns = self._guard_ns = self._clock.now_ns()
        self._was_driven = False  # until then it stands: nothing was lost
        self.by_itself = True
        self.settle = 0.0

    def follow(self, order: Order, arm_q: Array) -> None:
        """Take over one order, if the watchdog lets it."""
        self._order_ns = self._clock.now_ns()
        if self.by_itself:
            return
        self._arm_q, self.settle = arm_q, order.settle
        self._velocity, self._grip = np.array(order.base_velocity), np.array(order.grip)
        self._settle = order.settle
        self._written_ns = self.now_ns

    def guard(self) -> None:
        """The watchdog: again and again, whatever else happens."""
        now_ns = self._clock.now_ns()
        passed_s = (now_ns - self._guard_ns) * 1e-9
        self._guard_ns = now_ns
        fresh = (now_ns - self._order_ns) * 1e-9 <= ORDER_S
        if fresh and self._beats.age_s(Beat.STROKE) <= STROKE_S:
            self._healthy_ns, self._was_driven = now_ns, True
        lost_s = (now_ns - self._healthy_ns) * 1e-9
        is_down = self.by_itself and self.settle > 0.0
        self.by_itself = is_down or lost_s > 0.0 or not self._was_driven
        if not self.by_itself:
            return
        self._velocity = np.zeros(3)
        if is_down or (self._was_driven and lost_s > SETTLE_AFTER_S):
            self.settle = min(1.0, self.settle + min(passed_s, MOST_S) / SETTLE_S)
            self._settle = self.settle


def serve(wire: Wire, driver: Driver, observer: Wire | None = None) -> None:
    """Move the body with the wall clock, until it is down and nobody is there.

    Args:
        wire: orders come and reports go.
        driver: the body.
        observer: gets every report too.
    """
    wires = [wire] if observer is None else [wire, observer]
    clock = MonotonicClock()
    zero_ns = clock.now_ns() - driver.now_ns
    next_ns = clock.now_ns()
    while driver.settle < 1.0 or any(each.is_open for each in wires):
        while (frame := wire.receive(0.0)) is not None:
            try:
                driver.follow(*read_order(frame))
            except RobotError:
                continue  # not an order: as if nothing had come
        driver.guard()
        behind_ns = clock.now_ns() - zero_ns - driver.now_ns
        if behind_ns > BEHIND_NS:
            zero_ns += behind_ns
        # the last step must not lead the clock
        driver.clock.sleep_until(clock.now_ns() - zero_ns - STEP_NS)
        report = pack(_report(driver, zero_ns))
        for each in wires:
            each.send(report)
            each.finish(0.0)
        next_ns = max(next_ns + PERIOD_NS, clock.now_ns())
        clock.sleep_until(next_ns)


def _report(driver: Driver, zero_ns: int) -> Report:
    state = driver.read()
    state = replace(state, stamp_ns=state.stamp_ns + zero_ns)
    return Report(
        state=encode(state),
        settle=driver.settle,
        by_itself=driver.by_itself,
        fallen=driver.world.fallen(),
    )


def main() -> None:
    """The process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--beats", type=int, required=True)
    parser.add_argument("--observer", type=int, help="one more wire, for reports")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    world = World(SceneConfig(seed=args.seed, room_half=8.0))
    driver = Driver(world, Heartbeats(args.beats))
    observer = None if args.observer is None else Wire.of_descriptor(args.observer)
    serve(Wire.of_descriptor(args.fd), driver, observer)


if __name__ == "__main__":
    main()
