"""A simulated body that does what the executor says, past the shield. To compare only.

Only `Shield` makes what a body takes, so these reach past the door of the simulated
one; a real body has no such way in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bidden.adapters.sim.gl import choose_gl
from bidden.core.messages import Array, Command, Mode, RobotState, Rung, Verdict
from bidden.core.vetted import VettedCommand
from bidden.safety import Shield
from bidden.system.executor import Executor

choose_gl()
from bidden.adapters.sim.g1 import SimRobot  # noqa: E402  # imports mujoco


class OpenExecutor(Executor):
    """The executor, with its last command kept; it goes on from that, uncut."""

    raw: Command | None = None

    def tick(self, state: RobotState, now_ns: int) -> Command:
        """The command."""
        self.raw = super().tick(state, now_ns)
        return self.raw

    def accept(self, arm_q: Array, *, is_held: bool = False) -> None:
        """Nobody has cut or held anything."""
        super().accept(arm_q if self.raw is None else self.raw.arm_q)


@dataclass
class OpenBody:
    """A body that gets the executor's last command instead of the vetted one."""

    robot: SimRobot
    executor: OpenExecutor

    def read(self) -> RobotState:
        """What the body measures."""
        return self.robot.read()

    def write(self, vetted: VettedCommand) -> None:
        """Take over the executor's command; before it has one, the vetted one."""
        self.robot.write(vetted)
        raw = self.executor.raw
        if raw is not None:
            self.robot._velocity, self.robot._arm_q = raw.base_velocity, raw.arm_q
            self.robot._grip, self.robot._settle = raw.grip, 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.robot, name)


class SilentShield:
    """A shield whose verdicts nobody hears: everything passes, nothing stops."""

    def __init__(self, shield: Shield) -> None:
        self._shield, self.mode, self.is_armed = shield, Mode.ACTIVE, True

    def judge(
        self, command: Command | None, state: RobotState, *, now_ns: int, **named: Any
    ) -> tuple[VettedCommand, Verdict]:
        """A vetted command, because the body asks for one, and PASS."""
        vetted, _ = self._shield.judge(command, state, now_ns=now_ns, **named)
        return vetted, Verdict(stamp_ns=now_ns, rung=Rung.PASS)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._shield, name)
