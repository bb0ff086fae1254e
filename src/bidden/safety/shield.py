"""The shield: every command passes it, and nothing else makes a `VettedCommand`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import final

from bidden.core.messages import Advice, Command, Health, Mode, RobotState, Verdict
from bidden.core.vetted import Seal, VettedCommand, claim_seal

from .checks import Check
from .judge import Judge
from .limits import Limits
from .memory import ShieldState
from .modes import ARMED, after_reset, causes_left
from .scene import EMPTY_SCENE, Scene


@cache
def _seal() -> Seal:
    """The one seal of this process, claimed by the first shield."""
    return claim_seal("bidden.safety.Shield")


@final
class Shield:
    """Judges every command before the body sees it. Boots disarmed.

    One instance serves one control loop and is not shared between threads: `press`
    alone may be called from any.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._judge = Judge(limits or Limits())
        self._own = ShieldState()
        self._seal = _seal()
        self._pressed: str | None = None
        self.taken: str | None = None  # press that the last `judge` took, its reason

    @property
    def mode(self) -> Mode:
        """What it is ready for; a press counts before the next command is judged."""
        return Mode.STOPPED if self._pressed is not None else self._own.mode

    @property
    def is_armed(self) -> bool:
        """Commands are let through, as far as they are safe."""
        return self.mode in ARMED

    def press(self, reason: str = "pressed") -> None:
        """Emergency stop: latched from the next command on; the robot settles.

        From any thread: it sets a flag and waits for nothing.
        """
        self._pressed = reason

    def reset(self) -> tuple[str, ...]:
        """Forget the faults that wait for a person; moves nothing, disarmed after.

        Returns:
            Why it is refused: the faults whose cause the last command has still met.
            Empty when it is done.
        """
        own = self._own
        if self._pressed is not None:
            return (Check.ESTOP.value,)
        left = causes_left(own.faults, own.found)
        if not left:
            self._own = replace(own, mode=Mode.DISARMED, faults=after_reset(own.faults))
        return left

    def arm(self) -> tuple[str, ...]:
        """Let commands through from the next one on, and let a crouching robot rise.

        Returns:
            What stands in the way, by what the last command has met; empty when it
            is armed.
        """
        own = self._own
        if self._pressed is not None:
            return (Check.ESTOP.value,)
        reasons = self._judge.in_the_way(own)
        if not (reasons or own.mode in ARMED):
            self._own = replace(own, mode=Mode.READY)
        return reasons

    def disarm(self) -> None:
        """Hold the posture, whatever is commanded; what is stopped stays so."""
        if self._own.mode in ARMED:
            self._own = replace(self._own, mode=Mode.DISARMED)

    def judge(
        self,
        command: Command | None,
        state: RobotState,
        *,
        now_ns: int,
        scene: Scene = EMPTY_SCENE,
        advice: Sequence[Advice] = (),
        health: Health | None = None,
    ) -> tuple[VettedCommand, Verdict]:
        """What the body may do now, and why; never raises.

        Args:
            command: what is wanted; None when there is nothing.
            state: newest measured state.
            now_ns: time of the control loop.
            scene: surroundings; an empty one says that nothing is known.
            advice: what watches ask for; it can only make the verdict stricter.
            health: newest report of the body; None when it has none to give.
        """
        self.taken = self._pressed
        if self.taken is not None:  # a press in between is the same stop
            self._pressed = None
        outcome = self._judge.step(
            self._own,
            command,
            state=state,
            scene=scene,
            now_ns=now_ns,
            advice=advice,
            health=health,
            is_pressed=self.taken is not None,
        )
        self._own = outcome.own
        vetted = VettedCommand(
            outcome.command,
            outcome.verdict,
            settle=outcome.own.settle,
            seal=self._seal,
        )
        return vetted, outcome.verdict

    def rehearse(
        self,
        command: Command | None,
        state: RobotState,
        *,
        now_ns: int,
        scene: Scene = EMPTY_SCENE,
        advice: Sequence[Advice] = (),
    ) -> None:
        """Judge, and forget it: brings code and data near before they are needed."""
        self._judge.step(
            self._own, command, state=state, scene=scene, now_ns=now_ns, advice=advice
        )
