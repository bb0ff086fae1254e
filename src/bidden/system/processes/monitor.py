"""The monitor: a process of its own that feeds the driver's watchdog, or does not.

    control loop --beats--> monitor --strokes--> whoever drives the body
          ^------------------ beats ------------'

It strokes only while the control loop ticks. When either of them dies the robot ends up
standing or settled: without strokes the body stands by itself and then settles, and
without the monitor's beat the control loop holds and then settles.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Final

from bidden.core.errors import RobotError
from bidden.core.messages import Advice, RobotState, Rung
from bidden.runtime.clock import stopwatch_ns
from bidden.runtime.processes.child import Child, Wire
from bidden.runtime.processes.heartbeat import Beat, Heartbeats
from bidden.safety import Check

MODULE: Final = "bidden.system.processes.monitor"
PERIOD_S: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorConfig:
    """How old a heartbeat may be; real time."""

    control_s: float = 0.1  # of the control loop: five ticks, MoveIt Servo's timeout
    hold_s: float = 0.1  # of the monitor, until the control loop holds
    settle_s: float = 1.0  # of the monitor, until it settles
    start_s: float = 30.0  # until a new monitor must beat


class MonitorProcess:
    """The control side: starts the monitor, beats, and watches it; a `Lookout`.

    Args:
        beats: the page that is shared with the monitor and the driver.
        config: ages.
    """

    def __init__(
        self, beats: Heartbeats, *, config: MonitorConfig | None = None
    ) -> None:
        self.config = config or MonitorConfig()
        self._beats = beats
        self.child: Child | None = None

    def start(self) -> None:
        """Start the monitor, or start it again; waits for its first beat.

        Raises:
            RobotError: it does not come up.
        """
        self.close()
        words = [
            "--beats", str(self._beats.descriptor),
            "--control-s", str(self.config.control_s),
        ]  # fmt: skip
        self.child = Child(MODULE, words, share=[self._beats.descriptor])
        if self.child.wire.receive(self.config.start_s) is None:
            self.close()
            raise RobotError("the monitor did not start; it has said why on stderr")

    def look(self, state: RobotState) -> Advice | None:
        """Beat, and say when the monitor does not."""
        self._beats.beat(Beat.CONTROL)
        age_s, c = self._beats.age_s(Beat.MONITOR), self.config
        if age_s <= c.hold_s:
            return None
        return Advice(
            stamp_ns=state.stamp_ns,
            rung=Rung.HOLD if age_s <= c.settle_s else Rung.SETTLE,
            reason=Check.MONITOR_LOST,
            score=age_s,
            bound=c.hold_s,
        )

    def close(self) -> None:
        """End the monitor; safe to repeat."""
        if self.child is not None:
            self.child.close()
            self.child = None


def watch(wire: Wire, beats: Heartbeats, *, control_s: float) -> None:
    """The monitor's loop, until the other end hangs up."""
    beats.beat(Beat.MONITOR)
    wire.send(b"watching")
    next_ns = stopwatch_ns()
    while wire.is_open:
        beats.beat(Beat.MONITOR)
        if beats.age_s(Beat.CONTROL) <= control_s:
            beats.beat(Beat.STROKE)
        next_ns = max(next_ns + int(PERIOD_S * 1e9), stopwatch_ns())
        wire.receive((next_ns - stopwatch_ns()) * 1e-9)


def main() -> None:
    """The process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--beats", type=int, required=True)
    parser.add_argument("--control-s", type=float, required=True)
    args = parser.parse_args()
    wire, beats = Wire.of_descriptor(args.fd), Heartbeats(args.beats)
    watch(wire, beats, control_s=args.control_s)


if __name__ == "__main__":
    main()
