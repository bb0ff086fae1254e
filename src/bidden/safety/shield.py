"""The shield: every command passes it, and nothing else makes a `VettedCommand`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import final

from bidden.core.messages import Advice, Command, RobotState, Verdict
from bidden.core.vetted import Seal, VettedCommand, claim_seal

from .judge import Judge, ShieldState
from .limits import Limits
from .scene import EMPTY_SCENE, Scene


@cache
def _seal() -> Seal:
    """The one seal of this process, claimed by the first shield."""
    return claim_seal("bidden.safety.Shield")


@final
class Shield:
    """Judges every command before the body sees it. Boots disarmed.

    One instance serves one control loop and is not shared between threads.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._judge = Judge(limits or Limits())
        self._own = ShieldState()
        self._seal = _seal()

    @property
    def is_armed(self) -> bool:
        """Commands are let through, as far as they are safe."""
        return self._own.is_armed

    def arm(self) -> None:
        """Let commands through from the next one on; clears latched faults.

        A fault whose cause is still there comes back with the next command.
        """
        self._own = replace(self._own, is_armed=True, faults=())

    def disarm(self) -> None:
        """Hold the posture, whatever is commanded."""
        self._own = replace(self._own, is_armed=False)

    def judge(
        self,
        command: Command | None,
        state: RobotState,
        *,
        now_ns: int,
        scene: Scene = EMPTY_SCENE,
        advice: Sequence[Advice] = (),
    ) -> tuple[VettedCommand, Verdict]:
        """What the body may do now, and why; never raises.

        Args:
            command: what is wanted; None when there is nothing.
            state: newest measured state.
            now_ns: time of the control loop.
            scene: surroundings; an empty one says that nothing is known.
            advice: what watches ask for; it can only make the verdict stricter.
        """
        outcome = self._judge.step(
            self._own, command, state=state, scene=scene, now_ns=now_ns, advice=advice
        )
        self._own = outcome.own
        vetted = VettedCommand(
            outcome.command,
            outcome.verdict,
            settle=outcome.own.settle,
            seal=self._seal,
        )
        return vetted, outcome.verdict
