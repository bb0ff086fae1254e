"""Rows 9 to 15: what a policy's process may answer, and when."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from bidden.core.messages import Command, Rung
from bidden.evaluation.faults.link import Trouble
from bidden.evaluation.faults.misbehaving import Wrong
from bidden.evaluation.faults.row import TICK, Case, Row
from bidden.evaluation.faults.stage import WALK, Stage
from bidden.safety import Limits
from bidden.safety.limits import ARM_LOWER, ARM_UPPER

LOST: Final = "policy_lost"
DEADLINE_S: Final = 0.4  # of `ProcessPolicyConfig`
CHUNK_S: Final = 0.2  # a policy is asked so often; a fault waits for the next call
BROKEN: Final[tuple[Wrong, ...]] = (
    "shape", "dtype", "length", "empty", "period", "stamp", "spread", "garbage",
    "frame",
)  # fmt: skip


def _is_sound(stage: Stage) -> dict[str, bool]:
    """What must hold of every command, whatever happened."""
    commands = [entry.vetted.command for entry in stage.log]
    arrays = [a for c in commands for a in (c.base_velocity, c.arm_q, c.grip)]
    stamps = np.diff([entry.now_ns for entry in stage.log if entry.now_ns > 0])
    return {
        "no number that is not finite reaches the body": all(
            np.isfinite(a).all() for a in arrays
        ),
        "no tick is missing": bool((stamps <= 20_000_000).all()),
        "the robot stands or settles": stage.is_up,
    }


def _start(seed: int) -> float:
    return float(np.random.default_rng((seed, 9)).uniform(1.0, 2.0))


def _flawed(seed: int, wrong: Wrong) -> Case:
    """One or two bad answers, and good ones after them."""
    with Stage(seed, trouble=Trouble(wrong=wrong)) as stage:
        at_ns = stage.inject(_start(seed), for_s=CHUNK_S * (1 + seed % 2))
        stage.ask(WALK, 5.0)
        held = [e for e in stage.since(at_ns) if e.names(LOST)]
        later = [e for e in stage.since(at_ns) if e.now_ns > at_ns + 1.0e9]
        return Case(
            detected_s=stage.first(LOST, at_ns, rung=Rung.HOLD),
            claims={
                "the base stands meanwhile": all(e.speed == 0.0 for e in held),
                "the next valid chunk walks on": any(e.speed > 0.05 for e in later),
                **_is_sound(stage),
            },
        )


def not_finite(seed: int) -> Case:
    """Row 9."""
    return _flawed(seed, ("nan", "inf")[seed % 2])


def wrong_form(seed: int) -> Case:
    """Row 10: shapes, types, lengths, periods, stamps, bytes that are no message."""
    return _flawed(seed, BROKEN[seed % len(BROKEN)])


def beyond_the_range(seed: int) -> Case:
    """Row 11: arm targets far beyond their joints' ranges."""
    rng = np.random.default_rng((seed, 10))
    push = rng.choice([-4.0, 4.0], 14)

    def alter(command: Command, now_ns: int) -> Command:
        return replace(command, arm_q=command.arm_q + push)

    with Stage(seed) as stage:
        stage.injection.command = alter
        at_ns = stage.inject(_start(seed))
        stage.ask(WALK, 4.0)
        targets = np.array([e.vetted.command.arm_q for e in stage.log])
        inside = (targets >= ARM_LOWER) & (targets <= ARM_UPPER)
        return Case(
            detected_s=stage.first("joint_range", at_ns),
            claims={
                "no target leaves its range": bool(inside.all()),
                "no joint leaves its range": stage.loop.violations == 0,
                **_is_sound(stage),
            },
        )


def too_fast(seed: int) -> Case:
    """Row 12: commands that jump from one extreme to the other."""
    rng = np.random.default_rng((seed, 11))
    limits = Limits()

    def alter(command: Command, now_ns: int) -> Command:
        return replace(
            command,
            base_velocity=rng.choice([-1.0, 1.0], 3) * rng.uniform(1.0, 5.0),
            arm_q=command.arm_q + rng.choice([-0.5, 0.5], 14),
        )

    with Stage(seed) as stage:
        stage.injection.command = alter
        at_ns = stage.inject(_start(seed))
        stage.ask(WALK, 4.0)
        free = np.array([e.rung < Rung.HOLD for e in stage.since(at_ns)])
        base = np.array([e.vetted.command.base_velocity for e in stage.since(at_ns)])
        arms = np.array([e.vetted.command.arm_q for e in stage.since(at_ns)])
        most = 1.001 * np.array(
            [limits.base_forward, limits.base_sideways, limits.base_turn]
        )
        step = 0.02 * 1.001 * np.array([3.0, 3.0, 6.0])
        faster = np.abs(np.diff(base, axis=0)) > step
        return Case(
            detected_s=stage.first("base_speed", at_ns),
            claims={
                "the base keeps its speeds": bool((np.abs(base) <= most).all()),
                "the base keeps its accelerations": not faster[free[1:]].any(),
                "the arms keep their speed": bool(
                    (np.abs(np.diff(arms, axis=0)) <= 0.02 * 3.0 * 1.001).all()
                ),
                **_is_sound(stage),
            },
        )


def replayed(seed: int) -> Case:
    """Row 13: the policy gives its first chunk again and again."""
    with Stage(seed, trouble=Trouble(wrong="replay")) as stage:
        at_ns = stage.inject(_start(seed))
        stage.ask(WALK, 4.0)
        return Case(
            detected_s=stage.first(LOST, at_ns, rung=Rung.HOLD),
            claims={
                "the base stops with the first of them": stage.stops(at_ns)
                <= CHUNK_S + TICK,
                **_is_sound(stage),
            },
        )


def one_deadline(seed: int) -> Case:
    """Row 14: one answer takes as long as its chunk lasts; the last one is played."""
    with Stage(seed, trouble=Trouble(wrong="slow")) as stage:
        at_ns = stage.inject(_start(seed), for_s=CHUNK_S)
        stage.ask(WALK, 6.0)
        first = stage.first(LOST, at_ns, rung=Rung.HOLD)
        before = [e for e in stage.since(at_ns) if e.now_ns < at_ns + 0.3e9]
        later = [e for e in stage.since(at_ns) if e.now_ns > at_ns + 2.5e9]
        return Case(
            detected_s=first,
            claims={
                "the last chunk is played while it lasts": all(
                    e.speed > 0.0 for e in before
                ),
                "it walks on when the policy is back": any(
                    e.speed > 0.05 for e in later
                ),
                "it does not settle": stage.settle == 0.0,
                **_is_sound(stage),
            },
        )


def hangs(seed: int) -> Case:
    """Row 15: no answer ever again."""
    with Stage(seed, trouble=Trouble(wrong="hang")) as stage:
        at_ns = stage.inject(_start(seed))
        stage.ask(WALK, 5.0)
        settles = stage.first(LOST, at_ns, rung=Rung.SETTLE)
        armed = stage.loop.arm()
        return Case(
            detected_s=stage.first(LOST, at_ns, rung=Rung.HOLD),
            claims={
                "the base stops": stage.stops(at_ns) <= CHUNK_S + DEADLINE_S + TICK,
                "it settles within 2 s": settles <= 2.0,
                "arming alone is refused": bool(armed),
                "a person gets it going again": not stage.recover(),
                **_is_sound(stage),
            },
        )


ROWS = (
    Row(number=9, fault="NaN or Inf in an action", expected=LOST,
        deadline_s=CHUNK_S + TICK, play=not_finite),
    Row(number=10, fault="wrong shape, type, length, stamp or bytes", expected=LOST,
        deadline_s=CHUNK_S + TICK, play=wrong_form),
    Row(number=11, fault="targets beyond the joints' ranges", expected="joint_range",
        deadline_s=TICK, play=beyond_the_range),
    Row(number=12, fault="speed and acceleration over the limits",
        expected="base_speed", deadline_s=TICK, play=too_fast),
    Row(number=13, fault="an old chunk is replayed", expected=LOST,
        deadline_s=CHUNK_S + TICK, play=replayed),
    Row(number=14, fault="one answer is late", expected=LOST,
        deadline_s=CHUNK_S + DEADLINE_S + TICK, play=one_deadline),
    Row(number=15, fault="the policy hangs", expected=LOST,
        deadline_s=CHUNK_S + DEADLINE_S + TICK, play=hangs),
)  # fmt: skip
