"""Rows 45 and 46: several faults at once, and the injector outside simulation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from typing import Final

import numpy as np

from bidden.core.errors import ConfigError
from bidden.core.messages import Command, Health, RobotState, Rung
from bidden.core.vetted import VettedCommand
from bidden.evaluation.faults.row import Case, Row
from bidden.evaluation.faults.stage import WALK, Injection, Stage, TappedRobot

Spoil = Callable[[Stage], None]


def _old_state(stage: Stage) -> None:
    first: list[RobotState] = []

    def alter(state: RobotState, now_ns: int) -> RobotState:
        first.append(state)
        return first[0]

    stage.injection.state = alter


def _bad_encoder(stage: Stage) -> None:
    before = stage.injection.state

    def alter(state: RobotState, now_ns: int) -> RobotState:
        state = before(state, now_ns) if before else state
        return replace(state, q=state.q + 9.0)

    stage.injection.state = alter


def _change_health(stage: Stage, change: Callable[[Health], Health]) -> None:
    before = stage.injection.health

    def alter(health: Health, now_ns: int) -> Health:
        return change(before(health, now_ns) if before else health)

    stage.injection.health = alter


def _stop(stage: Stage) -> None:
    _change_health(stage, lambda h: replace(h, estop="pressed"))


def _battery(stage: Stage) -> None:
    _change_health(stage, lambda h: replace(h, battery=0.12))


def _hang(stage: Stage) -> None:
    stage.trouble.wrong = "hang"


def _push(stage: Stage) -> None:
    def kick(now_ns: int) -> None:
        if now_ns == stage.injection.at_ns:
            stage.world.push(np.array([0.0, 0.3, 0.0]))

    stage.injection.each_tick = kick


def _too_fast(stage: Stage) -> None:
    def alter(command: Command, now_ns: int) -> Command:
        return replace(command, base_velocity=command.base_velocity * 9.0 + 2.0)

    stage.injection.command = alter


# Each fault, and the rung that it asks for by itself within two seconds
FAULTS: Final[tuple[tuple[str, Spoil, Rung], ...]] = (
    ("stale state", _old_state, Rung.SETTLE),
    ("bad encoder", _bad_encoder, Rung.SETTLE),  # not believed, so it goes stale
    ("emergency stop", _stop, Rung.SETTLE),
    ("low battery", _battery, Rung.HOLD),
    ("hanging policy", _hang, Rung.SETTLE),
    ("push", _push, Rung.PASS),
    ("too fast", _too_fast, Rung.WARN),
)
PAIRS: Final = tuple(combinations(FAULTS, 2))


def two_faults(seed: int) -> Case:
    """Row 45: every pair in turn; the worst of both rules."""
    (one, spoil, least), (other, spoil_too, least_too) = PAIRS[seed % len(PAIRS)]
    with Stage(seed) as stage:
        spoil(stage)
        spoil_too(stage)
        at_ns = stage.inject(1.0 + 0.02 * (seed % 50))
        stage.ask(WALK, 5.0)
        soon = [e.rung for e in stage.since(at_ns) if e.now_ns <= at_ns + 2.0e9]
        end = [e.rung for e in stage.log[-10:]]
        worst = max(least, least_too)
        return Case(
            claims={
                f"{one} and {other}: at least {worst.name}": max(soon) >= worst,
                "what waits for a person stays": worst < Rung.HOLD
                or min(end) >= Rung.HOLD,
                "the robot has not fallen": stage.is_up,
            }
        )


class _RealRobot:
    """A body that is no simulation."""

    def read(self) -> RobotState:
        """Never called."""
        raise AssertionError("a real body was read")

    def write(self, command: VettedCommand) -> None:
        """Never called."""
        raise AssertionError("a real body was moved")


def outside_simulation(seed: int) -> Case:
    """Row 46: the injector meets a body that is not simulated."""
    try:
        TappedRobot(_RealRobot(), Injection())
        refused = ""
    except ConfigError as error:
        refused = str(error)
    return Case(claims={"it is refused": "in simulation alone" in refused})


ROWS = (
    Row(number=45, fault="two faults at once", expected="the worst of both",
        play=two_faults),
    Row(number=46, fault="faults injected outside simulation", expected="refused",
        play=outside_simulation),
)  # fmt: skip
