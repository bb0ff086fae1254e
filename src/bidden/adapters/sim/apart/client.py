"""The body in another process, behind the Robot port."""

from __future__ import annotations

from typing import Final

from bidden.core.errors import RobotError
from bidden.core.messages import RobotState
from bidden.core.vetted import VettedCommand, require_vetted
from bidden.runtime.codec import Decoder
from bidden.runtime.processes.child import Wire

from .words import Report, order_of, pack, read_report

_DECODER: Final = Decoder()


class DistantRobot:
    """Speaks to the body's process; stamps are of the monotonic clock on both sides.

    A body that falls silent goes on giving its last state: the shield sees its age.

    Args:
        wire: to the body's process.
        wait_s: real time until its first report must have come.

    Raises:
        RobotError: it does not report.
    """

    def __init__(self, wire: Wire, *, wait_s: float = 60.0) -> None:
        self._wire = wire
        self.skipped = 0  # orders that could not be sent
        self._state: RobotState | None = None
        self._take(wire.receive(wait_s))
        if self._state is None:
            raise RobotError(f"the body did not report within {wait_s:.0f} s")

    @property
    def is_open(self) -> bool:
        """The body's process is there."""
        return self._wire.is_open

    def read(self) -> RobotState:
        """The newest state that has come."""
        while (frame := self._wire.receive(0.0)) is not None:
            self._take(frame)
        assert self._state is not None  # since the first report
        return self._state

    def write(self, command: VettedCommand) -> None:
        """Send one vetted command.

        Raises:
            RobotError: it is not a `VettedCommand`.
        """
        require_vetted(command)
        self.skipped += not self._wire.send(pack(order_of(command)))

    def _take(self, frame: bytes | None) -> None:
        if frame is not None:
            self._state = state_of(read_report(frame))


def state_of(report: Report) -> RobotState:
    """The state that a report carries.

    Raises:
        RecordingError: it carries none.
    """
    state = _DECODER.decode("RobotState", report.state)
    assert isinstance(state, RobotState)
    return state
