"""The control loop: 50 Hz, on an absolute schedule, the only caller of `write`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np

from bidden.core.messages import (
    Advice,
    Array,
    RobotState,
    Rung,
    Verdict,
)
from bidden.core.ports import Clock, HealthSource, Lookout, Robot
from bidden.robot.g1 import ARMS
from bidden.robot.model import load_model
from bidden.runtime.clock import LatencyHistogram, Pacer, stopwatch_ns
from bidden.safety import EMPTY_SCENE, Scene, Shield
from bidden.safety.limits import FUTURE_SLACK_NS

from .executor import Executor
from .tape import Tape

TICK_NS = 20_000_000
REHEARSE_NS = 2_000_000  # before a tick in real time; takes about half of it
FALLEN_UP = 0.5  # cosine of the pelvis tilt below which the robot has fallen
_SLACK = 0.03  # [rad] of overshoot past a joint's range before it counts


class ControlLoop:
    """Reads, executes, judges, writes; counts what it sees.

    Late thinking never makes a tick late: the executor plays what it has.

    Args:
        robot: the body.
        clock: real or simulated time.
        executor: plays chunks.
        shield: judges commands.
        tape: records every tick.
        rehearse_ns: how long before each tick it is rehearsed, 0 for not at all. After
            a pause caches are cold, and a first pass takes half as long again.
    """

    def __init__(
        self,
        robot: Robot,
        clock: Clock,
        *,
        executor: Executor,
        shield: Shield,
        tape: Tape | None = None,
        rehearse_ns: int = 0,
    ) -> None:
        self._rehearse_ns = rehearse_ns
        self.robot, self.clock = robot, clock
        self.executor, self.shield, self.tape = executor, shield, tape
        self.scene: Scene = EMPTY_SCENE
        self.advice: tuple[Advice, ...] = ()  # about the chunk that is being played
        self.health: HealthSource | None = None  # of a body that reports it
        self.lookouts: tuple[Lookout, ...] = ()
        self._seen: RobotState | None = None  # the last that lookouts were shown
        self.on_verdict: Callable[[Verdict, Rung], None] | None = None
        limits = load_model().links[1:]
        self._low = np.array([link.lower for link in limits])[ARMS] - _SLACK
        self._high = np.array([link.upper for link in limits])[ARMS] + _SLACK
        self.reset_counts()

    def reset_counts(self) -> None:
        """Start the figures of a new instruction."""
        self._pacer = Pacer(self.clock, TICK_NS)
        self.ticks = self.violations = self.falls = 0
        self.held = 0  # ticks in which the shield let nothing be done
        self.rungs: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.latency = LatencyHistogram()  # of executor, shield and write
        self.latency_whole = LatencyHistogram()  # reading and lookouts as well
        self._was_fallen = False
        self.rung = Rung.PASS

    @property
    def skipped(self) -> int:
        """Ticks that lateness made impossible."""
        return self._pacer.skipped

    def arm(self) -> tuple[str, ...]:
        """Let commands through; returns what stands in the way, empty when armed."""
        self._step(None)  # by what the body says now
        reasons = self.shield.arm()
        if self.tape and not reasons:
            self.tape.arming(self.clock.now_ns(), event="arm")
        return reasons

    def disarm(self) -> None:
        """Hold the posture from the next tick on."""
        self.shield.disarm()
        if self.tape:
            self.tape.arming(self.clock.now_ns(), event="disarm")

    def reset(self) -> tuple[str, ...]:
        """Leave a stop, disarmed; returns why not, empty when it is done."""
        self._step(None)
        reasons = self.shield.reset()
        if self.tape and not reasons:
            self.tape.arming(self.clock.now_ns(), event="reset")
        return reasons

    def run(self, ticks: int) -> None:
        """Run this many control periods."""
        for _ in range(ticks):
            self.tick()

    def tick(self) -> None:
        """One control period; returns when it is over."""
        state, verdict = self._step(self.executor)
        self._count(state, verdict)
        if self._rehearse_ns:
            self.clock.sleep_until(self._pacer.next_ns - self._rehearse_ns)
            self._rehearse()
        self._pacer.wait()

    def _rehearse(self) -> None:
        """All of a tick that leaves no trace, on what is known now."""
        state, now_ns = self.robot.read(), self.clock.now_ns()
        command = self.executor.rehearse(state, now_ns)
        self.shield.rehearse(
            command, state, now_ns=now_ns, scene=self.scene, advice=self.advice
        )

    def _step(self, executor: Executor | None) -> tuple[RobotState, Verdict]:
        """Read, judge, write and record; without an executor nothing is asked for."""
        now_ns, began_ns = self.clock.now_ns(), stopwatch_ns()
        state = self.robot.read()
        health = self.health.read() if self.health else None
        advice = self._advice_for(state, now_ns)
        known_ns = stopwatch_ns()
        command = executor.tick(state, now_ns) if executor else None
        vetted, verdict = self.shield.judge(
            command,
            state,
            now_ns=now_ns,
            scene=self.scene,
            advice=advice,
            health=health,
        )
        self.robot.write(vetted)
        if executor:
            is_held = verdict.rung >= Rung.HOLD
            executor.accept(vetted.command.arm_q, is_held=is_held)
            self.held += is_held
            done_ns = stopwatch_ns()  # recording comes after
            self.latency.add(done_ns - known_ns)
            self.latency_whole.add(done_ns - began_ns)
        if self.tape:
            self.tape.tick(
                now_ns,
                command,
                state=state,
                scene=self.scene,
                vetted=vetted,
                advice=advice,
                health=health,
                press=self.shield.taken,
            )
        return state, verdict

    def _advice_for(self, state: RobotState, now_ns: int) -> tuple[Advice, ...]:
        """Advice about the chunk that is being played, and about this very state.

        The shield drops a state of the future; lookouts, which have no clock, are shown
        the last one again, because they would compare it with those that follow.
        """
        if self._seen is None or state.stamp_ns <= now_ns + FUTURE_SLACK_NS:
            self._seen = state
        seen = self._seen
        said = (lookout.look(seen) for lookout in self.lookouts)
        return (*self.advice, *(one for one in said if one is not None))

    def _count(self, state: RobotState, verdict: Verdict) -> None:
        self.ticks += 1
        self.rungs[verdict.rung.name] += 1
        self.reasons.update(verdict.reasons)
        if verdict.rung is not self.rung and self.on_verdict:
            self.on_verdict(verdict, self.rung)
        self.rung = verdict.rung
        fallen = not -state.gravity[2] > FALLEN_UP
        self.falls += int(fallen and not self._was_fallen)
        self._was_fallen = fallen
        self.violations += int(not self._inside(state.q[ARMS]))

    def _inside(self, q: Array) -> bool:
        return bool(np.all((self._low <= q) & (q <= self._high)))
