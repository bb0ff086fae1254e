"""What became of one instruction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from bidden.core.messages import Goal
from bidden.runtime.clock import Timing

Status = Literal[
    "done",  # every goal was reached, as far as the robot can tell
    "refused",  # understood, and not to be done: a rule or an impossible request
    "not_understood",  # no goal came out of the words; the reply is a question
    "not_achieved",  # a goal ran out of time, or was given up
    "fault",  # a part failed; the robot holds its posture
    "interrupted",  # a person stopped it; the robot holds its posture
]
GoalStatus = Literal["done", "not_achieved", "fault", "interrupted", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GoalResult:
    """What became of one goal of the instruction."""

    goal: Goal
    status: GoalStatus
    reason: str = ""  # why it was not reached, for people; empty when done
    sim_s: float = 0.0  # how long it took on the run's own clock [s]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """What became of one instruction, with the figures of its run.

    Counts cover this instruction alone, not the whole session.
    """

    instruction: str
    status: Status
    reply: str  # what the robot says at the end
    goals: tuple[GoalResult, ...] = ()
    sim_s: float = 0.0  # time on the run's own clock [s]
    wall_s: float = 0.0  # time on the wall [s]
    ticks: int = 0  # control ticks
    skipped_ticks: int = 0
    chunks: int = 0  # chunks that the policy made
    rungs: dict[str, int] = field(
        default_factory=dict
    )  # ticks by rung name, "PASS" ...
    reasons: dict[str, int] = field(default_factory=dict)  # ticks by check that spoke
    falls: int = 0
    violations: int = 0  # limits broken by the body after the shield: always a bug
    tick: Timing = field(default_factory=Timing)  # executor + shield + write
    policy: Timing = field(default_factory=Timing)  # vision + fusion, language cached
    tick_bins: dict[int, int] = field(default_factory=dict)  # `LatencyHistogram` bins
    policy_bins: dict[int, int] = field(default_factory=dict)
    facts: dict[str, float | str] = field(default_factory=dict)  # seed, policy, files
