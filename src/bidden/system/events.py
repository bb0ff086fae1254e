"""What a session tells whoever watches it, as it happens.

A listener is called on the session's thread, between control ticks: it must be quick
and must not raise. Events are for people and for the evaluation; the recording gets
the messages themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bidden.core.messages import Array, Goal, Grounding, Rung, Verdict
from bidden.runtime.clock import Timing

from .outcome import GoalResult, Outcome


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Heard:
    """An instruction came in; emitted before anything is done with it."""

    stamp_ns: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Understood:
    """What the instruction asks for; no goals when refused or not understood."""

    stamp_ns: int
    goals: tuple[Goal, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GoalStarted:
    """Goal `index` (from 0) of `total` begins."""

    stamp_ns: int
    index: int
    total: int
    goal: Goal


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GoalEnded:
    """Goal `index` is over."""

    stamp_ns: int
    index: int
    result: GoalResult


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Said:
    """The robot says something: a question, a reason, or what it has done."""

    stamp_ns: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChunkMade:
    """The policy made a chunk; emitted for each, about 5 Hz."""

    stamp_ns: int  # of the observation that it came from
    policy: str
    latency_ms: float
    groundings: tuple[Grounding, ...] = ()  # where it thinks the named things are
    done: float = 0.0  # probability that the skill is finished
    hand: int = 0  # the hand in use


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Verdicted:
    """The shield's answer changed its rung or its reasons."""

    stamp_ns: int
    verdict: Verdict
    before: Rung


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ticked:
    """The state of the run, sampled at 5 Hz."""

    stamp_ns: int
    base_pose: Array  # x, y [m], yaw [rad] in odometry, (3,)
    p_BH: Array  # right and left grip point in the base frame [m], (2, 3)
    grip_width: Array  # right, left [m], (2,)
    rung: Rung
    tick: Timing  # executor + shield + write, so far
    policy: Timing
    real_time_factor: float  # run seconds per wall second, so far


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameReady:
    """One third-person picture of the run; emitted only while a video is made."""

    stamp_ns: int
    rgb: NDArray[np.uint8]  # (H, W, 3)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Finished:
    """The instruction is over; the last event of each."""

    stamp_ns: int
    outcome: Outcome


Event = (
    Heard
    | Understood
    | GoalStarted
    | GoalEnded
    | Said
    | ChunkMade
    | Verdicted
    | Ticked
    | FrameReady
    | Finished
)
Listener = Callable[[Event], None]


@dataclass(slots=True)
class Fanout:
    """One listener that passes every event on to several, in order."""

    listeners: list[Listener] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        """Pass one event on."""
        for listener in self.listeners:
            listener(event)
