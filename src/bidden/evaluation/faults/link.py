"""A wire to a policy in simulated time, and what can go wrong on it.

The same frames as to a real process, but the answer comes after a simulated latency,
so that a stall of half a second is half a second of physics on any machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bidden.core.messages import Goal
from bidden.core.ports import Clock, Policy
from bidden.system.processes.words import Answer, pack, pack_message, read_ask

from .misbehaving import FLAWS, Wrong, spoiled

NEVER_NS = 2**62


@dataclass(slots=True, kw_only=True)
class Trouble:
    """What goes wrong, and when."""

    wrong: Wrong = "none"
    at_ns: int = NEVER_NS  # begins
    until_ns: int = NEVER_NS  # ends; a crash does not
    latency_ns: int = 0  # of every answer

    def holds(self, now_ns: int) -> bool:
        """Whether it is going wrong now."""
        return self.wrong != "none" and self.at_ns <= now_ns < self.until_ns


class SimulatedLink:
    """Takes calls, and gives the answers of a policy when they are due."""

    def __init__(self, policy: Policy, clock: Clock, trouble: Trouble) -> None:
        self._policy, self._clock, self._trouble = policy, clock, trouble
        self._due: list[tuple[int, bytes]] = []
        self._old: bytes | None = None  # first chunk, to replay
        self.is_open = True

    def send(self, frame: bytes) -> bool:
        """Take one call."""
        now_ns = self._clock.now_ns()
        ask, message = read_ask(frame)
        wrong: Wrong = self._trouble.wrong if self._trouble.holds(now_ns) else "none"
        if wrong in ("crash", "exit"):
            self.is_open = wrong == "crash"
            text = "ZeroDivisionError: the network divided by zero"
            self._due.append((now_ns, pack(Answer(number=ask.number, error=text))))
            return self.is_open
        if isinstance(message, Goal):
            self._policy.reset(message)
            self._due.append((now_ns, pack(Answer(number=ask.number))))
            return True
        chunk = self._policy.act(message)
        if wrong in FLAWS:
            chunk = spoiled(chunk, wrong)
        body = pack_message(chunk)
        self._old = self._old or body
        if wrong == "replay":
            body = self._old
        answer = pack(Answer(number=ask.number, body=body))
        if wrong in ("garbage", "frame"):
            answer = np.random.default_rng(ask.number).bytes(300)
        late_ns = {"slow": 900_000_000, "hang": NEVER_NS}.get(wrong, 0)
        self._due.append((now_ns + self._trouble.latency_ns + late_ns, answer))
        return True

    def receive(self, timeout_s: float | None = 0.0) -> bytes | None:
        """The oldest answer that is due; a crash closes the wire after its last."""
        if not self._due or self._due[0][0] > self._clock.now_ns():
            return None
        _, frame = self._due.pop(0)
        if self._trouble.wrong == "crash" and self._trouble.holds(self._clock.now_ns()):
            self.is_open = False
        return frame
