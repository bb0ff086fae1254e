"""A policy in a process of its own, behind the Policy port.

While it thinks, the control loop ticks on and plays the last chunk until that expires.
A late, broken or missing answer becomes a chunk that stands still and says why; no
exception leaves this file, whatever the other process does.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from bidden.core.errors import RecordingError, RobotError
from bidden.core.messages import ActionChunk, Advice, Goal, Observation, Rung
from bidden.core.ports import Clock
from bidden.runtime.processes.child import Child
from bidden.safety import Check
from bidden.system.executor import still_actions

from .words import Answer, Ask, pack, pack_message, read_answer, read_chunk

FRAMES_MAX: Final = 8  # read between two ticks, whatever comes


class Link(Protocol):
    """Frames to the policy's process and back; a `runtime.processes.child.Wire`."""

    is_open: bool

    def send(self, frame: bytes) -> bool:
        """Begin to send; False when that is not possible now."""
        ...

    def receive(self, timeout_s: float | None = 0.0) -> bytes | None:
        """The oldest frame that came within the time."""
        ...


class Ticking(Protocol):
    """The control loop, as far as waiting needs it."""

    clock: Clock

    def tick(self) -> None:
        """One control period."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessPolicyConfig:
    """How long to wait for the other process."""

    deadline_s: float = 0.4  # for a chunk, on the loop's clock; Autoware waits 0.5
    patience_s: float = 0.0  # real time that a tick waits; > 0 where time is simulated
    start_s: float = 60.0  # real time until a new process must be ready
    misses: int = 3  # in a row that settle the robot


class ProcessPolicy:
    """Asks another process for chunks. One thread uses it.

    Args:
        loop: ticks on while the answer is waited for.
        maker: what makes the policy there, "package.module:Class.load".
        arguments: JSON values for the maker.
        link: speak through this instead of a process of its own.
    """

    def __init__(
        self,
        loop: Ticking,
        *,
        maker: str = "",
        arguments: Sequence[str | int | float] = (),
        config: ProcessPolicyConfig | None = None,
        link: Link | None = None,
    ) -> None:
        self.config = config or ProcessPolicyConfig()
        self._loop, self._maker = loop, maker
        self._words = [maker, *map(json.dumps, arguments)]
        self.child: Child | None = None
        self._link, self._name = link, "process"
        self._goal: Goal | None = None
        self._number = 0  # of the newest call
        self._open = 0  # of the call that is under way, or 0
        self._goal_is_told = True
        self.missed = 0  # calls in a row without a usable chunk
        self.counts: Counter[str] = Counter()  # late, dropped, broken, ended

    @property
    def name(self) -> str:
        """Of the policy over there, once it has said it."""
        return self._name

    # -- the process ---------------------------------------------------------------
    def start(self) -> None:
        """Start the process, or start it again; waits until it is ready.

        What the shield has latched stays latched: arming is another step.

        Raises:
            RobotError: it does not start, or is not ready in time.
        """
        self.close()
        self.child = Child("bidden.system.processes.serve", self._words)
        wire = self.child.wire
        frame = wire.receive(self.config.start_s)
        try:
            hello = None if frame is None else read_answer(frame)
        except RecordingError:
            hello = None
        if hello is None or hello.number != 0:
            self.close()
            raise RobotError(
                f"the process of policy '{self._maker}' was not ready after "
                f"{self.config.start_s:.0f} s; it has said why on stderr"
            )
        self._name = hello.name
        self.use(wire)

    def use(self, link: Link) -> None:
        """Speak to another process from now on; what is open is forgotten."""
        self._link = link
        self._number = self._open = self.missed = 0
        self._goal_is_told = self._goal is None

    def close(self) -> None:
        """End the process; safe to repeat."""
        if self.child is not None:
            self.child.close()
            self.child = self._link = None

    # -- the port ------------------------------------------------------------------
    def reset(self, goal: Goal) -> None:
        """The next call begins a new goal; the process hears of it then."""
        self._goal, self._goal_is_told = goal, False

    def act(self, observation: Observation) -> ActionChunk:
        """The answer of the other process, or a chunk that stands still."""
        clock, c = self._loop.clock, self.config
        deadline_ns = clock.now_ns() + int(c.deadline_s * 1e9)
        asked = 0
        while True:
            link = self._link
            if link is None or not link.is_open:
                return self._stand(observation, "ended", "its process has ended")
            if not asked:
                asked = self._ask(link, observation)
            for _ in range(FRAMES_MAX):
                frame = link.receive(c.patience_s)
                if frame is None:
                    break
                chunk = self._open_answer(frame, asked, observation)
                if chunk is not None:
                    return chunk
                asked = asked or self._ask(link, observation)
            if not clock.now_ns() < deadline_ns:
                return self._stand(
                    observation, "late", f"no answer within {c.deadline_s} s"
                )
            self._loop.tick()

    def _ask(self, link: Link, observation: Observation) -> int:
        """Send the call if nothing is under way; its number, or 0.

        Only one call is ever open, so that a slow policy gets no queue of old images.
        """
        if self._open:
            return 0
        if self._goal is not None and not self._goal_is_told:
            self._number += 1
            body = pack_message(self._goal)
            ask = Ask(number=self._number, what="reset", body=body)
            self._goal_is_told = link.send(pack(ask))
            self._open = self._number if self._goal_is_told else 0
            return 0
        self._number += 1
        body = pack_message(observation)
        ask = Ask(number=self._number, what="act", body=body)
        if not link.send(pack(ask)):
            return 0
        self._open = self._number
        return self._number

    def _open_answer(
        self, frame: bytes, asked: int, observation: Observation
    ) -> ActionChunk | None:
        """What a frame means for this call; None when it is about another one."""
        try:
            answer = read_answer(frame)
        except RecordingError as error:
            self._open = 0  # it may have been the answer; a later one is dropped
            return self._stand(observation, "broken", str(error)[:300])
        if answer.number != self._open:
            self.counts["dropped"] += 1
            return None
        self._open = 0
        if answer.error:
            return self._stand(observation, "broken", answer.error)
        if answer.number != asked:  # a reset is done, or a chunk comes too late
            if answer.body:
                self.counts["dropped"] += 1
            return None
        return self._use(answer, observation)

    def _use(self, answer: Answer, observation: Observation) -> ActionChunk:
        chunk, flaw = read_chunk(answer.body, stamp_ns=observation.stamp_ns)
        if chunk is None:
            return self._stand(observation, "broken", flaw)
        self.missed = 0
        return chunk

    def _stand(self, o: Observation, kind: str, why: str) -> ActionChunk:
        self.counts[kind] += 1
        self.missed += 1
        actions = still_actions(o)
        return ActionChunk(
            stamp_ns=o.stamp_ns,
            actions=actions,
            spread=np.zeros_like(actions),
            policy=self.name,
            note=f"policy '{self.name}': {why}",
        )


class PolicyWatch:
    """Tells the shield of a policy that does not answer: hold, and then settle."""

    def __init__(self, policy: ProcessPolicy) -> None:
        self._policy = policy

    def reset(self, goal: Goal) -> None:
        """Nothing belongs to a goal."""

    def judge(self, chunk: ActionChunk, observation: Observation) -> Advice | None:
        """Hold from the first miss, settle from `misses` in a row."""
        missed, bound = self._policy.missed, self._policy.config.misses
        if not missed:
            return None
        return Advice(
            stamp_ns=observation.stamp_ns,
            rung=Rung.SETTLE if missed >= bound else Rung.HOLD,
            reason=Check.POLICY_LOST,
            score=float(missed),
            bound=float(bound),
        )
