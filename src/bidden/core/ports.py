"""What can be plugged in from outside: bodies, cameras, policies, clocks."""

from __future__ import annotations

from typing import Protocol

from .messages import (
    ActionChunk,
    Advice,
    Goal,
    Health,
    Image,
    Observation,
    RobotState,
)
from .vetted import VettedCommand


class Clock(Protocol):
    """Injected time. In simulation, waiting is what moves the world."""

    def now_ns(self) -> int:
        """Monotonic time [ns]."""
        ...

    def sleep_until(self, stamp_ns: int) -> None:
        """Return once `now_ns() >= stamp_ns`."""
        ...


class Robot(Protocol):
    """A body. The control loop is the only caller of `write`."""

    def read(self) -> RobotState:
        """The newest measured state."""
        ...

    def write(self, command: VettedCommand) -> None:
        """Take over one vetted command; keeps its own balance between calls."""
        ...


class HealthSource(Protocol):
    """Battery, temperatures, e-stop channel and operator link of a body."""

    def read(self) -> Health:
        """The newest report; its stamp says when it was made."""
        ...


class Camera(Protocol):
    """One camera on the body."""

    @property
    def name(self) -> str:
        """Name that policies know it by: head, wrist_right, wrist_left."""
        ...

    def read(self) -> Image:
        """The newest frame."""
        ...


class Watch(Protocol):
    """Looks at every chunk before it moves anything."""

    def reset(self, goal: Goal) -> None:
        """A new goal begins."""
        ...

    def judge(self, chunk: ActionChunk, observation: Observation) -> Advice | None:
        """What the shield should be told about this chunk; None when all is well."""
        ...


class Lookout(Protocol):
    """Looks at the measured state in every tick."""

    def look(self, state: RobotState) -> Advice | None:
        """What the shield should be told in this tick; None when all is well."""
        ...


class Policy(Protocol):
    """Turns an observation into a chunk of actions."""

    @property
    def name(self) -> str:
        """Name that is recorded with every chunk."""
        ...

    def reset(self, goal: Goal) -> None:
        """Forget what belongs to the goal before; called once per goal."""
        ...

    def act(self, observation: Observation) -> ActionChunk:
        """The next chunk."""
        ...
