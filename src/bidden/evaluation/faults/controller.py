"""The control process of the tests with real processes: loop, shield, and its children.

    python -m bidden.evaluation.faults.controller --fd N --body N --beats N

It walks ahead by a policy in a process of its own, under a monitor in another one, and
tells on its wire what the verdicts say. Asked to, it starts what died again, resets and
arms, as an operator would.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import msgspec
import numpy as np

from bidden.adapters.sim.apart.client import DistantRobot
from bidden.core.messages import Goal, Observation, RobotState, Skill
from bidden.core.vetted import VettedCommand
from bidden.runtime.clock import MonotonicClock
from bidden.runtime.processes.child import Wire
from bidden.runtime.processes.heartbeat import Heartbeats
from bidden.safety import Shield
from bidden.system.executor import Executor
from bidden.system.loop import REHEARSE_NS, ControlLoop
from bidden.system.processes.monitor import MonitorProcess
from bidden.system.processes.policy import PolicyWatch, ProcessPolicy
from bidden.system.watches import SourcesLookout

WALKER = "bidden.evaluation.faults.misbehaving:Walker"
STARTS = 20
GOAL = Goal(skill=Skill.MOVE_BY, instruction="walk on", amount=np.array([9.0, 0, 0]))


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the control process says of itself, about five times a second."""

    stamp_ns: int
    monitor: int  # numbers of the processes
    policy: int
    mode: str
    rung: str
    reasons: tuple[str, ...]
    first: dict[str, int]  # "reason RUNG" -> stamp of its first tick since the start
    speed: float  # base, as commanded [m/s]
    ticks: int
    skipped: int
    refused: tuple[str, ...] = ()  # why arming was refused, the last time


class _Noting:
    """The body, with the first tick of every reason noted."""

    def __init__(self, robot: DistantRobot) -> None:
        self._robot = robot
        self.first: dict[str, int] = {}
        self.speed = 0.0
        self.reasons: tuple[str, ...] = ()

    def read(self) -> RobotState:
        return self._robot.read()

    def write(self, command: VettedCommand) -> None:
        verdict = command.verdict
        self.reasons = verdict.reasons
        self.speed = float(np.abs(command.command.base_velocity).max())
        for reason in self.reasons:
            key = f"{reason} {verdict.rung.name}"
            self.first.setdefault(key, verdict.stamp_ns)
        self._robot.write(command)


class Controller:
    """Everything that the process holds."""

    def __init__(self, wire: Wire, body: Wire, beats: Heartbeats) -> None:
        self._wire = wire
        self._robot = _Noting(DistantRobot(body))
        self._loop = ControlLoop(
            self._robot,
            MonotonicClock(),
            executor=Executor(),
            shield=Shield(),
            rehearse_ns=REHEARSE_NS,
        )
        self._policy = ProcessPolicy(self._loop, maker=WALKER)
        self._monitor = MonitorProcess(beats)
        self._loop.lookouts = (self._monitor, SourcesLookout())
        self._watch = PolicyWatch(self._policy)
        self._refused: tuple[str, ...] = ()

    def run(self) -> None:
        """Walk until the other end hangs up."""
        self._policy.start()
        self._monitor.start()
        self._policy.reset(GOAL)
        self._get_going()
        words: dict[bytes, Callable[[], None]] = {
            b"arm": self._arm, b"recover": self._recover
        }  # fmt: skip
        while self._wire.is_open:
            asked = self._wire.receive(0.0)
            if asked in words:
                words[asked]()
            self._round()
            self._tell()
        self._policy.close()
        self._monitor.close()

    def _get_going(self) -> None:
        """Reset and arm, again while late reports forbid it: processes just started."""
        self._catch_up()
        self._loop.reset_counts()
        for _ in range(STARTS):
            self._loop.run(25)
            self._refused = self._loop.reset() or self._loop.arm()
            if not self._refused:
                break

    def _catch_up(self) -> None:
        """Read what the body has said since, until it is of now."""
        clock = self._loop.clock
        while clock.now_ns() - self._robot.read().stamp_ns > 30_000_000:
            clock.sleep_until(clock.now_ns() + 2_000_000)

    def _arm(self) -> None:
        self._refused = self._loop.arm()

    def _recover(self) -> None:
        """What an operator does after a part has died."""
        if self._monitor.child is None or not self._monitor.child.is_alive:
            self._monitor.start()
        if self._policy.child is None or not self._policy.child.is_alive:
            self._policy.start()
        self._loop.advice = ()
        self._get_going()

    def _round(self) -> None:
        observation = Observation(
            stamp_ns=self._loop.clock.now_ns(),
            state=self._robot.read(),
            images={},
            goal=GOAL,
            started_ns=0,
            start_pose=np.zeros(3),
            hand_target=self._loop.executor.hand_target,
            grip_command=self._loop.executor.grip,
        )
        chunk = self._policy.act(observation)
        advice = self._watch.judge(chunk, observation)
        self._loop.advice = () if advice is None else (advice,)
        self._loop.executor.load(chunk)
        self._loop.run(10)

    def _tell(self) -> None:
        monitor, policy = self._monitor.child, self._policy.child
        told = Told(
            stamp_ns=self._loop.clock.now_ns(),
            monitor=monitor.pid if monitor else 0,
            policy=policy.pid if policy else 0,
            mode=self._loop.shield.mode,
            rung=self._loop.rung.name,
            reasons=self._robot.reasons,
            first=self._robot.first,
            speed=self._robot.speed,
            ticks=self._loop.ticks,
            skipped=self._loop.skipped,
            refused=self._refused,
        )
        self._wire.send(msgspec.json.encode(told))


def main() -> None:
    """The process."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--fd", "--body", "--beats"):
        parser.add_argument(name, type=int, required=True)
    args = parser.parse_args()
    controller = Controller(
        Wire.of_descriptor(args.fd), Wire.of_descriptor(args.body),
        Heartbeats(args.beats),
    )  # fmt: skip
    controller.run()


if __name__ == "__main__":
    main()
