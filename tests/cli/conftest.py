"""A session that only talks, in place of a robot in a world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from bidden.cli import session as sessions
from bidden.core.errors import BiddenError
from bidden.core.messages import Goal, Grounding, Rung, Skill, Verdict
from bidden.runtime.clock import Timing
from bidden.system.events import (
    ChunkMade,
    Finished,
    GoalEnded,
    GoalStarted,
    Heard,
    Listener,
    Said,
    Ticked,
    Understood,
    Verdicted,
)
from bidden.system.outcome import GoalResult, Outcome, Status

S = 1_000_000_000


def cube() -> Grounding:
    return Grounding(
        role="object",
        phrase="red cube",
        p_B=np.array([1.3, 0.1, 0.8]),
        spread_m=0.012,
        confidence=0.9,
    )


@dataclass
class TalkingSession:
    """Emits what a real session would, without a world."""

    status: Status = "done"
    error: BaseException | None = None
    open_error: BiddenError | None = None
    listener: Listener = lambda event: None
    asked: list[str] = field(default_factory=list)
    interrupted: int = 0
    closed: int = 0
    config: Any = None

    def open(self, config: Any, on_event: Listener) -> TalkingSession:
        if self.open_error:
            raise self.open_error
        self.config, self.listener = config, on_event
        return self

    def ask(self, text: str) -> Outcome:
        self.asked.append(text)
        goal = Goal(skill=Skill.PICK, instruction=text, phrases={"object": "red cube"})
        hold = Verdict(stamp_ns=2 * S, rung=Rung.HOLD, reasons=("stale",))
        result = GoalResult(
            goal=goal, status="done" if self.status == "done" else "not_achieved",
            reason="" if self.status == "done" else "ran out of time", sim_s=4.0,
        )  # fmt: skip
        outcome = Outcome(
            instruction=text,
            status=self.status,
            reply="I hold the red cube.",
            goals=(result,),
            sim_s=4.0,
            wall_s=1.0,
            ticks=200,
            chunks=20,
            rungs={"PASS": 190, "HOLD": 10},
            tick=Timing(count=200, p50_ms=0.8, p99_ms=1.2, worst_ms=3.0),
            facts={"policy": "compact"},
        )
        say = self.listener
        say(Heard(stamp_ns=0, text=text))
        say(Understood(stamp_ns=0, goals=(goal,)))
        if self.error:
            raise self.error
        say(GoalStarted(stamp_ns=0, index=0, total=1, goal=goal))
        for at_s in (0, 1, 2, 3):
            say(
                ChunkMade(
                    stamp_ns=at_s * S, policy="x", latency_ms=9, groundings=(cube(),)
                )
            )
        say(Verdicted(stamp_ns=2 * S, verdict=hold, before=Rung.PASS))
        say(self.ticked())
        say(GoalEnded(stamp_ns=4 * S, index=0, result=result))
        say(Said(stamp_ns=4 * S, text=outcome.reply))
        say(Finished(stamp_ns=4 * S, outcome=outcome))
        return outcome

    @staticmethod
    def ticked() -> Ticked:
        return Ticked(
            stamp_ns=3 * S,
            base_pose=np.array([0.5, -0.25, np.pi / 2]),
            p_BH=np.zeros((2, 3)),
            grip_width=np.array([0.09, 0.045]),
            rung=Rung.HOLD,
            tick=Timing(count=1, p50_ms=0.8, p99_ms=1.2, worst_ms=3.0),
            policy=Timing(),
            real_time_factor=4.0,
        )

    def look(self) -> Sequence[Grounding]:
        return (cube(),)

    def interrupt(self) -> None:
        self.interrupted += 1

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> TalkingSession:
    talking = TalkingSession()
    monkeypatch.setattr(sessions, "open_from_config", talking.open)
    return talking
