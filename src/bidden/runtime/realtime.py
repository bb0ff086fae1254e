"""What a control loop in real time asks of the operating system and of Python."""

from __future__ import annotations

import gc
import os
from typing import Final, Literal

Priority = Literal["fifo", "nice", "normal"]
FIFO_PRIORITY: Final = 20  # of 1 .. 99: before all ordinary work, after the kernel's
NICE: Final = -10


def ask_for_priority() -> Priority:
    """Put this thread before ordinary work, as far as the system lets us.

    Linux lets root, or a user with `rtprio` in limits.conf, have a first-in-first-out
    schedule; else a nicer one is tried; else nothing changes. Undone with the process.

    Returns:
        What was got: "fifo", "nice" or "normal".
    """
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(FIFO_PRIORITY))
    except (OSError, AttributeError):  # not allowed, or not Linux
        try:
            os.setpriority(os.PRIO_PROCESS, 0, NICE)
        except OSError:
            return "normal"
        return "nice"
    return "fifo"


def calm_garbage() -> None:
    """Keep Python's collector off what is there already, and its passes rare."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
