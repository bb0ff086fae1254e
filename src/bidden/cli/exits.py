"""What the exit codes mean."""

from __future__ import annotations

from enum import IntEnum

from bidden.system.outcome import Status


class Exit(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    REFUSED = 2  # refused, not understood, or called wrongly
    NOT_ACHIEVED = 3
    FAULT = 4
    STOPPED = 130  # by Ctrl-C, as shells have it


_BY_STATUS: dict[Status, Exit] = {
    "done": Exit.DONE,
    "refused": Exit.REFUSED,
    "not_understood": Exit.REFUSED,
    "not_achieved": Exit.NOT_ACHIEVED,
    "fault": Exit.FAULT,
    "interrupted": Exit.STOPPED,
}


def exit_of(status: Status) -> Exit:
    """The exit code for what became of an instruction."""
    return _BY_STATUS[status]
