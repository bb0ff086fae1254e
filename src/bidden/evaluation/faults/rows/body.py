"""Rows 28, 29, 31, 32, 42, 43: pushes, loads, batteries, heat, clocks, disks."""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from bidden.core.messages import Health, Rung
from bidden.evaluation.faults.row import TICK, Case, Row, swapped
from bidden.evaluation.faults.stage import WALK, Stage
from bidden.safety import Limits
from bidden.system.tape import Tape

BALANCE: Final = ("capture_point", "tilt", "pelvis_height", "foreseen_fall")
DISK_BYTES: Final = 40_000  # of a full disk: a recording of this walk has 400,000


def _start(seed: int) -> float:
    return float(np.random.default_rng((seed, 28)).uniform(1.0, 2.0))


def push(seed: int) -> Case:
    """Row 28: a kick while walking, from any side; some are too strong to stand."""
    r = np.random.default_rng((seed, 29))
    angle, size = r.uniform(-np.pi, np.pi), r.uniform(0.4, 1.2)
    kick = size * np.array([np.cos(angle), np.sin(angle), 0.0])
    with Stage(seed) as stage:
        fell: list[int] = []

        def each(now_ns: int) -> None:
            if now_ns == stage.injection.at_ns:
                stage.world.push(kick)
            if stage.world.fallen():
                fell.append(now_ns)

        stage.injection.each_tick = each
        at_ns = stage.inject(_start(seed))
        stage.ask(WALK, 5.0)
        found = stage.first(BALANCE, at_ns, rung=Rung.SLOW)
        lead = (fell[0] - at_ns) * 1e-9 - found if fell else float("inf")
        return Case(
            detected_s=found if fell else 0.0,
            claims={f"{size:.1f} m/s: named 0.2 s before it falls": lead >= 0.2},
        )


def payload(seed: int) -> Case:
    """Row 29: the hand carries 2.5 kg more than it knows of."""
    with Stage(seed) as stage:

        def load(now_ns: int) -> None:
            if now_ns == stage.injection.at_ns:
                stage.world.load_hand(seed % 2, 2.5)

        stage.injection.each_tick = load
        at_ns = stage.inject(_start(seed))
        stage.ask(WALK, 8.0)
        arms = stage.log[-1].vetted.command.arm_q
        return Case(
            detected_s=stage.first("payload", at_ns, rung=Rung.RETREAT),
            claims={
                "the arms come down": float(np.abs(arms[[3, 10]] - 0.6).max()) < 1.0,
                "no fall": stage.is_up,
                "the order is given up": max(e.speed for e in stage.log[-25:]) == 0.0,
            },
        )


def battery(seed: int) -> Case:
    """Row 31: it runs down from 0.4 to 0.05 in seven seconds."""
    limits = Limits()

    def alter(health: Health, now_ns: int) -> Health:
        passed = (now_ns - stage.injection.at_ns) * 1e-9
        return replace(health, battery=max(0.05, 0.4 - 0.05 * passed))

    with Stage(seed) as stage:
        stage.injection.health = alter
        at_ns = stage.inject(0.5)
        stage.ask(WALK, 9.0)
        bounds = (limits.battery_warn, limits.battery_hold, limits.battery_settle)
        due = [(0.4 - bound) / 0.05 for bound in bounds]
        rungs = (Rung.WARN, Rung.HOLD, Rung.SETTLE)
        seen = [stage.first("battery", at_ns, rung=rung) for rung in rungs]
        late = [one - when for one, when in zip(seen, due, strict=True)]
        return Case(
            detected_s=max(late),
            claims={
                "the order is kept": seen[0] < seen[1] < seen[2],
                "no rung comes early": min(late) >= -TICK,
                "arming is refused": "battery" in stage.loop.arm(),
                "it ends settled": stage.settle == 1.0,
                "no fall": stage.is_up,
            },
        )


def motors_are_hot(seed: int) -> Case:
    """Row 32: one motor warms from 70 to 92 degrees."""
    motor = int(np.random.default_rng((seed, 32)).integers(29))

    def alter(health: Health, now_ns: int) -> Health:
        passed = (now_ns - stage.injection.at_ns) * 1e-9
        warmth = health.motor_temperature.copy()
        warmth[motor] = min(92.0, 70.0 + 5.0 * passed)
        return replace(health, motor_temperature=warmth)

    with Stage(seed) as stage:
        stage.injection.health = alter
        at_ns = stage.inject(1.5)
        stage.ask("walk 6 metres forward", 8.0)
        warm = [e for e in stage.since(at_ns) if e.names("motor_hot")]
        speeds = np.array([e.speed for e in warm if e.rung < Rung.SETTLE])
        means = [float(part.mean()) for part in np.array_split(speeds, 5)]
        late = stage.first("motor_hot", at_ns, rung=Rung.SETTLE) - 4.0
        return Case(
            detected_s=late,
            claims={
                "it slows as it warms": all(
                    later <= before + 0.02 for before, later in pairwise(means)
                ),
                "it moves slowly before it settles": means[0] > 0.2 > means[-1],
                "no fall": stage.is_up,
            },
        )


def clock_steps(seed: int) -> Case:
    """Row 42: the wall clock jumps by an hour, either way; nothing may notice."""
    step = 3600.0 if seed % 2 else -3600.0

    wall = import_module("time")  # the one that nothing of ours reads
    called: list[float] = []

    def stepped() -> float:
        called.append(1.7e9 + (step if len(called) % 2 else 0.0))
        return called[-1]

    def play() -> list[tuple[int, str, bytes]]:
        with Stage(seed) as stage:
            stage.ask(WALK, 3.0)
            return [
                (e.now_ns, e.rung.name, e.vetted.command.base_velocity.tobytes())
                for e in stage.log
            ]

    plain = play()
    with swapped(wall, "time", stepped):
        same = play() == plain
    return Case(claims={"every command is the same": same})


@contextmanager
def _full_disk() -> Iterator[None]:
    """No file of this process grows beyond some bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (DISK_BYTES, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def disk_is_full(seed: int) -> Case:
    """Row 43: the recording's disk fills up while the robot walks; then a stop."""

    def play(tape: Tape | None) -> tuple[list[str], bool, float]:
        with Stage(seed, tape=tape) as stage:
            stage.injection.health = lambda h, _: replace(h, estop="pressed")
            at_ns = stage.inject(2.0)
            stage.ask(WALK, 4.0)
            rungs = [e.rung.name for e in stage.log]
            return rungs, stage.is_up, stage.first("estop", at_ns, rung=Rung.SETTLE)

    with tempfile.TemporaryDirectory() as folder, _full_disk():
        tape = Tape(Path(folder) / "run.mcap", effective=None, limits=Limits())
        full = play(tape)
        tape.close()
        totals = tape.recorder.totals()
    plain = play(None)
    return Case(
        detected_s=full[2],
        claims={
            "the disk was full": totals.lost + totals.dropped > 0,
            "every verdict is as without recording": full[0] == plain[0],
            "the robot has not fallen": full[1],
        },
    )


ROWS = (
    Row(number=28, fault="a push", expected="capture_point, tilt or foreseen_fall",
        deadline_s=0.5, play=push),
    Row(number=29, fault="a load heavier than known", expected="payload",
        deadline_s=1.5, play=payload),
    Row(number=31, fault="the battery runs down", expected="battery",
        deadline_s=TICK, play=battery),
    Row(number=32, fault="a motor gets hot", expected="motor_hot",
        deadline_s=TICK, play=motors_are_hot),
    Row(number=42, fault="the wall clock steps by an hour", expected="no effect",
        play=clock_steps),
    Row(number=43, fault="the disk is full", expected="no effect on motion",
        deadline_s=TICK, play=disk_is_full),
)  # fmt: skip
