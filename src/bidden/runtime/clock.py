"""Real time: the monotonic clock, the absolute schedule, and latency statistics.

Nothing outside `runtime` sleeps or reads a wall clock.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from bidden.core.ports import Clock

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000


def stopwatch_ns() -> int:
    """Time [ns] for measuring how long work takes; never for scheduling."""
    return time.perf_counter_ns()


def utc_stamp() -> str:
    """The wall-clock time as a sortable file-name part: `20261122-183000`."""
    return datetime.now(UTC).strftime("%Y%m%d-%H%M%S")


class MonotonicClock:
    """Real time as a `core.ports.Clock`."""

    def now_ns(self) -> int:
        """Monotonic time [ns]."""
        return time.monotonic_ns()

    def sleep_until(self, stamp_ns: int) -> None:
        """Return once `now_ns() >= stamp_ns`; at once when that has passed."""
        while (left_ns := stamp_ns - time.monotonic_ns()) > 0:
            time.sleep(left_ns / NS_PER_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Percentiles of one latency."""

    count: int = 0
    p50_ms: float = math.nan
    p99_ms: float = math.nan
    worst_ms: float = math.nan


class LatencyHistogram:
    """Latencies in logarithmic bins: bounded memory, mergeable, within 1 %.

    Bins grow by 2 % from 1 us to 200 s; adding neither allocates nor forgets.
    """

    _GROWTH = math.log(1.02)
    _BINS = 966  # 1 us * 1.02 ** 966 > 200 s

    def __init__(self) -> None:
        self._counts: NDArray[np.int64] = np.zeros(self._BINS, dtype=np.int64)
        self._worst_ns = 0

    def add(self, duration_ns: int) -> None:
        """Count one duration [ns]."""
        us = max(duration_ns / 1000, 1.0)
        index = min(int(math.log(us) / self._GROWTH), self._BINS - 1)
        self._counts[index] += 1
        self._worst_ns = max(self._worst_ns, duration_ns)

    def merge(self, other: LatencyHistogram) -> None:
        """Add everything that another histogram has counted."""
        self._counts += other._counts
        self._worst_ns = max(self._worst_ns, other._worst_ns)

    def timing(self) -> Timing:
        """The percentiles so far; NaN while nothing has been counted."""
        total = int(self._counts.sum())
        if not total:
            return Timing()
        return Timing(
            count=total,
            p50_ms=self._quantile_ms(0.50, total),
            p99_ms=self._quantile_ms(0.99, total),
            worst_ms=self._worst_ns / NS_PER_MS,
        )

    def _quantile_ms(self, fraction: float, total: int) -> float:
        rank = max(1, math.ceil(fraction * total))
        index = int(np.searchsorted(np.cumsum(self._counts), rank))
        middle_us = math.exp((index + 0.5) * self._GROWTH)
        return min(middle_us / 1000, self._worst_ns / NS_PER_MS)

    def to_bins(self) -> dict[int, int]:
        """Only the bins in use, and under -1 the worst [ns]: small enough to file."""
        used = np.flatnonzero(self._counts)
        bins = {int(i): int(self._counts[i]) for i in used}
        return {**bins, -1: self._worst_ns} if bins else {}

    @classmethod
    def from_bins(cls, bins: dict[int, int]) -> LatencyHistogram:
        """The histogram that `to_bins` came from."""
        histogram = cls()
        for index, count in bins.items():
            if index == -1:
                histogram._worst_ns = count
            else:
                histogram._counts[index] = count
        return histogram


class Pacer:
    """An absolute schedule: ticks stay in phase, lateness and skips are counted.

    `next += period` always; when whole periods have been missed they are skipped,
    never caught up in a burst.
    """

    def __init__(self, clock: Clock, period_ns: int) -> None:
        if not period_ns > 0:
            raise ValueError(f"period must be > 0 ns, got {period_ns}")
        self._clock = clock
        self._period_ns = period_ns
        self._next_ns = clock.now_ns() + period_ns
        self.ticks = 0
        self.skipped = 0
        self.worst_late_ns = 0

    @property
    def next_ns(self) -> int:
        """When the next tick is due [ns]."""
        return self._next_ns

    def wait(self) -> int:
        """Sleep until the next tick is due; how late it began [ns], at least 0."""
        self._clock.sleep_until(self._next_ns)
        late_ns = max(0, self._clock.now_ns() - self._next_ns)
        missed = late_ns // self._period_ns
        self.ticks += 1
        self.skipped += missed
        self.worst_late_ns = max(self.worst_late_ns, late_ns)
        self._next_ns += (missed + 1) * self._period_ns
        return late_ns
