"""How long a control tick takes, and whether one is ever skipped, in real time.

    python benchmarks/tick.py --minutes 10

The real loop at 50 Hz: read, lookouts, executor, shield with the room as it is, write;
the simulated body moves in the time that is left, and a recording is written beside it.
The last line is one JSON object. Limits: p99 of executor, shield and write <= 2 ms, no
tick skipped; the same with reading and lookouts stands beside it, and how long the host
takes for one fixed piece of work at the same pace.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np

from bidden.adapters.sim.gl import choose_gl
from bidden.core.messages import ActionChunk, Array, Mode, Verdict
from bidden.core.vetted import VettedCommand
from bidden.evaluation.household.report import machine
from bidden.runtime.clock import (
    NS_PER_MS,
    NS_PER_S,
    LatencyHistogram,
    MonotonicClock,
    stopwatch_ns,
)
from bidden.runtime.realtime import ask_for_priority, calm_garbage
from bidden.runtime.recorder import RecorderTotals
from bidden.safety import Limits, Shield
from bidden.system.executor import Executor
from bidden.system.loop import REHEARSE_NS, TICK_NS, ControlLoop
from bidden.system.tape import Tape
from bidden.system.watches import FallLookout, SourcesLookout

choose_gl()
from bidden.adapters.sim.g1 import SimRobot  # noqa: E402  # draws nothing, but imports
from bidden.adapters.sim.scene import SceneConfig, known_scene, random_scene  # noqa: E402
from bidden.adapters.sim.world import PHYSICS_DT_S, World  # noqa: E402

TICKS_PER_CHUNK = 10  # 5 Hz
LIMIT_P99_MS = 2.0
STEPS, PERIOD_S = 8, 0.1
PHYSICS_STEP_NS = round(PHYSICS_DT_S * NS_PER_S)


class RealTime:
    """Real time that takes the simulated body along.

    Args:
        robot: the body.
        rehearse_ns: how long before each tick the loop wakes: the body has moved by
            then, so that nothing but waiting lies between rehearsal and tick.
    """

    def __init__(self, robot: SimRobot, rehearse_ns: int) -> None:
        self._robot, self._clock = robot, MonotonicClock()
        self._zero_ns = self._clock.now_ns() - robot.now_ns
        self._early_ns, self._due_ns = rehearse_ns, 0

    def now_ns(self) -> int:
        """Time since the body's own zero [ns]."""
        return self._clock.now_ns() - self._zero_ns

    def sleep_until(self, stamp_ns: int) -> None:
        """Move the body to the coming tick, then wait for `stamp_ns`."""
        if stamp_ns > self._due_ns:
            self._due_ns = stamp_ns + self._early_ns
            # the physics, in the time left; its last step must not lead the clock
            self._robot.clock.sleep_until(self._due_ns - PHYSICS_STEP_NS)
        self._clock.sleep_until(stamp_ns + self._zero_ns)


class TimedShield:
    """A shield, and how long its judgements take."""

    def __init__(self, shield: Shield) -> None:
        self._shield, self.times = shield, LatencyHistogram()

    def judge(self, *given: Any, **named: Any) -> tuple[VettedCommand, Verdict]:
        """What the shield says."""
        began_ns = stopwatch_ns()
        found = self._shield.judge(*given, **named)
        self.times.add(stopwatch_ns() - began_ns)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._shield, name)


def make_chunk(now_ns: int) -> ActionChunk:
    """Sway, turn and swing one hand: every part of a tick has work to do."""
    t = now_ns / NS_PER_S + PERIOD_S * np.arange(STEPS)
    actions: Array = np.zeros((STEPS, 12))
    actions[:, 0] = 0.25 * np.sin(0.7 * t)
    actions[:, 2] = 0.4 * np.sin(0.3 * t)
    actions[:, 3] = 0.02 * np.sin(1.1 * t)
    actions[:, 5] = 0.02 * np.cos(1.3 * t)
    actions[:, 9] = np.sin(0.5 * t) > 0
    actions[:, 10] = np.sin(0.05 * t) > 0  # one hand, then the other
    return ActionChunk(
        stamp_ns=now_ns, actions=actions, spread=np.zeros_like(actions), policy="sway"
    )


def furniture_of(scene: SceneConfig) -> SceneConfig:
    """The room without the small things, which a shield lets hands touch."""
    kept = tuple(t for t in scene.things if t.kind in ("table", "landmark"))
    return msgspec.structs.replace(scene, things=kept)


def main() -> int:
    """Run the loop; 0 when it kept its limits."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument(
        "--rehearse-ms",
        type=float,
        default=REHEARSE_NS / NS_PER_MS,
        help="how long before each tick it is rehearsed; 0: not at all",
    )
    arguments = parser.parse_args()
    minutes = arguments.minutes
    rehearse_ns = round(arguments.rehearse_ms * NS_PER_MS)
    robot = SimRobot(World(furniture_of(random_scene(0))))
    with tempfile.TemporaryDirectory(prefix="bidden-tick-") as folder:
        limits = Limits()
        priority = ask_for_priority()
        calm_garbage()
        tape = Tape(Path(folder) / "run.mcap", effective=None, limits=limits)
        shield = TimedShield(Shield(limits))
        loop = ControlLoop(
            robot,
            RealTime(robot, rehearse_ns),
            executor=Executor(),
            shield=cast(Shield, shield),
            tape=tape,
            rehearse_ns=rehearse_ns,
        )
        loop.lookouts = (SourcesLookout(), FallLookout())  # as every session has them
        restarts = play(loop, robot, minutes=minutes)
        tape.close()
        totals = tape.recorder.totals()
    figures = figures_of(loop, minutes=minutes, totals=totals, priority=priority)
    figures |= {
        "shield_alone": in_ms(shield.times),
        "restarts": restarts,
        "same_work_on_this_host": steadiness(),
    }
    print(json.dumps(figures))
    return int(not figures["within_limits"])


def play(loop: ControlLoop, robot: SimRobot, *, minutes: float) -> int:
    """Arm and sway; how often an operator had to reset the shield."""
    loop.run(50)  # stand, disarmed, and let caches fill
    if reasons := loop.arm():
        raise SystemExit(f"the shield cannot be armed: {', '.join(reasons)}")
    loop.reset_counts()
    restarts = 0
    for block in range(round(minutes * 60 * 50 / TICKS_PER_CHUNK)):
        now_ns = loop.clock.now_ns()
        loop.executor.load(make_chunk(now_ns))
        loop.scene = known_scene(
            robot.world.scene,
            robot.world.robot_pose(),
            base_pose=robot.read().base_pose,
            stamp_ns=now_ns,
        )
        loop.run(TICKS_PER_CHUNK)
        if loop.shield.mode is Mode.STOPPED and not loop.reset():
            restarts += not loop.arm()
        if block % 300 == 299:
            print(f"{block // 300 + 1} min", file=sys.stderr, flush=True)
    return restarts


def steadiness(rounds: int = 500) -> dict[str, float]:
    """How long one fixed piece of work takes every 20 ms: what the host itself adds."""
    clock, times = MonotonicClock(), LatencyHistogram()
    x = np.full((3, 126), 0.5)
    for _ in range(rounds):
        clock.sleep_until(clock.now_ns() + TICK_NS)
        began_ns = stopwatch_ns()
        for _ in range(400):
            x = np.minimum(np.maximum(x, 0.0), 1.0)
        times.add(stopwatch_ns() - began_ns)
    return in_ms(times)


def in_ms(times: LatencyHistogram) -> dict[str, float]:
    """Median and 99 % of some durations."""
    timing = times.timing()
    return {"p50_ms": round(timing.p50_ms, 3), "p99_ms": round(timing.p99_ms, 3)}


def figures_of(
    loop: ControlLoop, *, minutes: float, totals: RecorderTotals, priority: str
) -> dict[str, object]:
    """The line of JSON."""
    timing, whole = loop.latency.timing(), loop.latency_whole.timing()
    return {
        "benchmark": "tick",
        "within_limits": timing.p99_ms <= LIMIT_P99_MS and loop.skipped == 0,
        "minutes": minutes,
        "ticks": loop.ticks,
        "p50_ms": round(timing.p50_ms, 3),
        "p99_ms": round(timing.p99_ms, 3),
        "worst_ms": round(timing.worst_ms, 3),
        "with_read_and_lookouts_p50_ms": round(whole.p50_ms, 3),
        "with_read_and_lookouts_p99_ms": round(whole.p99_ms, 3),
        "skipped": loop.skipped,
        "worst_late_ms": round(loop._pacer.worst_late_ns / NS_PER_MS, 3),
        "rungs": dict(loop.rungs),
        "reasons": dict(loop.reasons),
        "falls": loop.falls,
        "recorded": totals.written,
        "recording_lost": totals.dropped + totals.lost,
        "priority": priority,
        "machine": machine(),
    }


if __name__ == "__main__":
    raise SystemExit(main())
