"""A recorded session put before the shield again: it must give the same verdicts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from bidden.core.vetted import VettedCommand
from bidden.runtime.replay import Recording
from bidden.safety import EMPTY_SCENE, Limits, Scene, Shield
from bidden.system.tape import ARMING, LIMITS, SCENE, TICK, Arming, JudgedTick

# Another machine's linear algebra may differ in the last bits [rad], [m/s].
_SAME = 1e-9
_KEPT = 5  # differences that are told; the rest is counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One tick that is judged differently now."""

    at_s: float  # since the first tick
    recorded: str
    now: str


@dataclass(slots=True)
class Rejudgement:
    """What came of judging a tape again."""

    ticks: int = 0
    rungs: Counter[str] = field(default_factory=Counter)  # as recorded
    reasons: Counter[str] = field(default_factory=Counter)
    different: int = 0
    first: list[Difference] = field(default_factory=list)

    @property
    def is_same(self) -> bool:
        """Whether every verdict and every vetted command is the recorded one."""
        return self.different == 0


def rejudge(tape: Recording) -> Rejudgement:
    """Judge every tick of a tape again, by the limits on the tape.

    Raises:
        RecordingError: a message that this program does not know.
    """
    result = Rejudgement()
    shield, scene, began_ns = Shield(), EMPTY_SCENE, None
    for topic, _, message in tape.messages({TICK, SCENE, ARMING, LIMITS}):
        match message:
            case Limits():
                shield = Shield(message)
            case Scene():
                scene = message
            case Arming():
                {
                    "arm": shield.arm, "disarm": shield.disarm, "reset": shield.reset
                }[message.event]()  # fmt: skip
            case JudgedTick():
                began_ns = message.now_ns if began_ns is None else began_ns
                if message.press is not None:
                    shield.press(message.press)
                vetted, _ = shield.judge(
                    message.command,
                    message.state,
                    now_ns=message.now_ns,
                    scene=scene,
                    advice=message.advice,
                    health=message.health,
                )
                _compare(result, message, vetted, began_ns=began_ns)
            case _:
                raise AssertionError(f"topic '{topic}' holds {type(message).__name__}")
    return result


def _compare(
    result: Rejudgement, tick: JudgedTick, vetted: VettedCommand, *, began_ns: int
) -> None:
    result.ticks += 1
    result.rungs[tick.verdict.rung.name] += 1
    result.reasons.update(tick.verdict.reasons)
    verdict = vetted.verdict
    same = (
        verdict.rung == tick.verdict.rung
        and verdict.reasons == tick.verdict.reasons
        and abs(vetted.settle - tick.settle) <= _SAME
        and all(
            np.allclose(now, then, rtol=0, atol=_SAME, equal_nan=True)
            for now, then in (
                (vetted.command.base_velocity, tick.vetted.base_velocity),
                (vetted.command.arm_q, tick.vetted.arm_q),
                (vetted.command.grip, tick.vetted.grip),
            )
        )
    )
    if same:
        return
    result.different += 1
    if len(result.first) < _KEPT:
        result.first.append(
            Difference(
                at_s=(tick.now_ns - began_ns) * 1e-9,
                recorded=_words(tick.verdict.rung.name, tick.verdict.reasons),
                now=_words(verdict.rung.name, verdict.reasons),
            )
        )


def _words(rung: str, reasons: tuple[str, ...]) -> str:
    return f"{rung.lower()} ({', '.join(reasons)})" if reasons else rung.lower()
