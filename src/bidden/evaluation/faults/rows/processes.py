"""Rows 16 and 17: real processes in real time, killed one after the other."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from types import TracebackType
from typing import Final, Self

import msgspec
import numpy as np

from bidden.adapters.sim.apart.words import Report, read_report
from bidden.evaluation.faults.controller import Told
from bidden.evaluation.faults.row import Case, Row
from bidden.runtime.clock import MonotonicClock
from bidden.runtime.processes.child import Child, Wire
from bidden.runtime.processes.heartbeat import Beat, Heartbeats

BODY: Final = "bidden.adapters.sim.apart.server"
CONTROL: Final = "bidden.evaluation.faults.controller"
START_S: Final = 30.0
POLICY_S, MONITOR_S, DRIVER_S = 0.65, 0.15, 0.30  # detection, see the rows
_TOLD: Final = msgspec.json.Decoder(Told)


class Plant:
    """A body, a control process, a monitor and a policy. Use as a context manager."""

    def __init__(self, seed: int) -> None:
        self._clock = MonotonicClock()
        self.beats = Heartbeats()
        ours, theirs = socket.socketpair()
        self.observer = Wire(ours)
        page = self.beats.descriptor
        self.body = Child(
            BODY,
            ["--beats", str(page), "--observer", str(theirs.fileno()),
             "--seed", str(seed)],
            share=[page, theirs.fileno()],
        )  # fmt: skip
        theirs.close()
        way = self.body.wire.detach()
        self.control = Child(
            CONTROL, ["--body", str(way), "--beats", str(page)], share=[way, page]
        )
        os.close(way)
        for child in (self.body, self.control):  # as on a robot, where the system lets
            with contextlib.suppress(PermissionError):
                os.setpriority(os.PRIO_PROCESS, child.pid, -10)
        self.told: Told | None = None
        self.reports: list[tuple[int, Report]] = []

    @property
    def now_ns(self) -> int:
        """Of the clock that all processes share."""
        return self._clock.now_ns()

    def wait(self, seconds: float) -> None:
        """Listen to both for so long."""
        until_ns = self.now_ns + int(seconds * 1e9)
        while self.now_ns < until_ns:
            if (frame := self.control.wire.receive(0.0)) is not None:
                self.told = _TOLD.decode(frame)
            if (frame := self.observer.receive(0.01)) is not None:
                self.reports.append((self.now_ns, read_report(frame)))
            if not self.observer.is_open:
                self._clock.sleep_until(min(until_ns, self.now_ns + 10_000_000))

    def walks(self) -> bool:
        """Wait until it walks; whether it does, in the time that a start may take."""
        until_ns = self.now_ns + int(START_S * 1e9)
        while self.now_ns < until_ns:
            self.wait(0.1)
            if self.told is not None and self.told.speed > 0.2:
                return True
        return False

    def walk(self, seconds: float) -> Told:
        """Wait until it walks, and so long again; what is told then."""
        is_walking = self.walks()
        if self.told is None or not is_walking:
            raise TimeoutError(f"nothing walks after {START_S:.0f} s: {self.told}")
        self.wait(seconds)
        return self.told

    def ask(self, word: bytes) -> None:
        """Say one word to the control process."""
        self.control.wire.send(word)

    def first(self, key: str, at_ns: int) -> float:
        """Seconds until "reason RUNG" was first seen by the control process."""
        stamp = self.told.first.get(key) if self.told else None
        return float("inf") if stamp is None else (stamp - at_ns) * 1e-9

    def driver_takes_over(self, at_ns: int) -> float:
        """Seconds until the driver drives by itself."""
        stamps = [n for n, r in self.reports if n >= at_ns and r.by_itself]
        return (stamps[0] - at_ns) * 1e-9 if stamps else float("inf")

    @property
    def report(self) -> Report:
        """The newest of the body."""
        return self.reports[-1][1]

    def close(self) -> None:
        """End everything."""
        self.control.close()
        self.body.close()
        self.observer.close()
        self.beats.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _after(seed: int) -> float:
    return float(np.random.default_rng((seed, 16)).uniform(0.5, 1.5))


def policy_is_killed(seed: int) -> Case:
    """Row 16; and a person starts it again."""
    with Plant(seed) as plant:
        told = plant.walk(_after(seed))
        ticks, at_ns = told.ticks, plant.now_ns
        os.kill(told.policy, signal.SIGKILL)
        plant.wait(2.5)
        assert plant.told is not None
        claims = {
            "it settles within 2 s": plant.first("policy_lost SETTLE", at_ns) <= 2.0,
            "the loop ticks on": plant.told.ticks - ticks > 60,
            "the monitor lives": plant.beats.age_s(Beat.MONITOR) < 0.1,
            "the driver need not take over": not plant.report.by_itself,
        }
        found = plant.first("policy_lost HOLD", at_ns)
        plant.ask(b"arm")
        plant.wait(0.8)
        claims["arming alone is refused"] = bool(plant.told.refused)
        plant.ask(b"recover")
        claims["started again and armed, it walks"] = plant.walks()
        claims["the robot stands"] = not plant.report.fallen
        return Case(detected_s=found, claims=claims)


def monitor_is_killed(seed: int) -> Case:
    """Row 17: the control loop holds, and the driver's watchdog gets no stroke."""
    with Plant(seed) as plant:
        told, at_ns = plant.walk(_after(seed)), plant.now_ns
        os.kill(told.monitor, signal.SIGKILL)
        plant.wait(5.5)
        claims = {
            "the driver takes over": plant.driver_takes_over(at_ns) <= DRIVER_S,
            "it settles within 1.5 s": plant.first("monitor_lost SETTLE", at_ns) <= 1.5,
            "it ends settled": plant.report.settle == 1.0,
            "and not fallen": not plant.report.fallen,
        }
        return Case(detected_s=plant.first("monitor_lost HOLD", at_ns), claims=claims)


def control_is_killed(seed: int) -> Case:
    """Row 17, the other side: nobody gives orders; the body settles by itself."""
    with Plant(seed) as plant:
        plant.walk(_after(seed))
        at_ns = plant.now_ns
        plant.control.signal(signal.SIGKILL)
        plant.wait(5.5)
        claims = {
            "no stroke while unhealthy": plant.beats.age_s(Beat.STROKE) > 5.0,
            "it ends settled": plant.report.settle == 1.0,
            "and not fallen": not plant.report.fallen,
        }
        return Case(detected_s=plant.driver_takes_over(at_ns), claims=claims)


def either_is_killed(seed: int) -> Case:
    """Row 17 by turns: the monitor, the control process."""
    return (monitor_is_killed if seed % 2 == 0 else control_is_killed)(seed)


ROWS = (
    Row(number=16, fault="the policy's process is killed", expected="policy_lost",
        deadline_s=POLICY_S, play=policy_is_killed),
    Row(number=17, fault="the monitor's, or the control process is killed",
        expected="monitor_lost, or the driver's watchdog", deadline_s=DRIVER_S,
        play=either_is_killed),
)  # fmt: skip
