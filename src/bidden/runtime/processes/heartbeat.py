"""Heartbeats that several processes share: one page of memory with a stamp for each.

A beat is one store of eight bytes; nobody waits for anybody. The stamps are of the
machine's monotonic clock, which is the same in all of its processes.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from enum import IntEnum
from typing import Final

from bidden.runtime.clock import MonotonicClock

_NEVER: Final = -(2**62)


class Beat(IntEnum):
    """Whose heart beats."""

    CONTROL = 0  # the control loop, once a tick
    MONITOR = 1  # the monitor, all the time
    STROKE = 2  # the monitor, only while the control loop beats: feeds the driver


class Heartbeats:
    """The page. The process that makes it hands its descriptor to its children."""

    def __init__(self, descriptor: int | None = None) -> None:
        size = 8 * len(Beat)
        is_new = descriptor is None
        if descriptor is None:
            with tempfile.TemporaryFile() as file:
                file.truncate(size)
                descriptor = os.dup(file.fileno())
        self.descriptor = descriptor
        self._map = mmap.mmap(descriptor, size)
        self._stamps = memoryview(self._map).cast("q")
        self._clock = MonotonicClock()
        for which in Beat if is_new else ():
            self._stamps[which] = _NEVER

    def beat(self, which: Beat) -> None:
        """It is alive now."""
        self._stamps[which] = self._clock.now_ns()

    def age_s(self, which: Beat) -> float:
        """Time since its last beat [s]; very large when it never beat."""
        return (self._clock.now_ns() - self._stamps[which]) * 1e-9

    def close(self) -> None:
        """Give the page back; safe to repeat."""
        self._stamps.release()
        self._map.close()
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
