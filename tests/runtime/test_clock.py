"""The real clock, the absolute schedule and the latency histogram."""

import math

import numpy as np
import pytest

from bidden.runtime.clock import LatencyHistogram, MonotonicClock, Pacer, Timing

MS = 1_000_000


class VirtualClock:
    """Time that moves only when somebody waits, or is told to."""

    def __init__(self) -> None:
        self.ns = 0

    def now_ns(self) -> int:
        return self.ns

    def sleep_until(self, stamp_ns: int) -> None:
        self.ns = max(self.ns, stamp_ns)


def test_sleep_until_never_returns_early() -> None:
    clock = MonotonicClock()
    due_ns = clock.now_ns() + 3 * MS
    clock.sleep_until(due_ns)
    assert clock.now_ns() >= due_ns


def test_sleep_until_the_past_returns_at_once() -> None:
    MonotonicClock().sleep_until(0)


def test_pacer_keeps_its_phase_when_work_is_uneven() -> None:
    clock = VirtualClock()
    pacer = Pacer(clock, 20 * MS)
    began = []
    for work_ms in (1, 19, 7, 12):
        pacer.wait()
        began.append(clock.ns)
        clock.ns += work_ms * MS
    assert began == [20 * MS, 40 * MS, 60 * MS, 80 * MS]
    assert pacer.skipped == 0


def test_pacer_skips_whole_periods_and_counts_them() -> None:
    clock = VirtualClock()
    pacer = Pacer(clock, 20 * MS)
    pacer.wait()
    clock.ns += 65 * MS  # three periods and a quarter: due at 40, now 85
    assert pacer.wait() == 45 * MS
    assert (pacer.ticks, pacer.skipped) == (2, 2)
    assert pacer.next_ns == 100 * MS
    assert pacer.wait() == 0


def test_pacer_refuses_a_period_of_nothing() -> None:
    with pytest.raises(ValueError, match="period must be > 0 ns, got 0"):
        Pacer(VirtualClock(), 0)


def test_histogram_percentiles_are_within_a_bin_of_the_truth() -> None:
    durations = np.random.default_rng(3).lognormal(13, 1.0, 5000).astype(int)
    histogram = LatencyHistogram()
    for duration in durations:
        histogram.add(int(duration))
    timing = histogram.timing()
    assert timing.count == 5000
    assert timing.p50_ms == pytest.approx(np.quantile(durations, 0.5) / MS, rel=0.02)
    assert timing.p99_ms == pytest.approx(np.quantile(durations, 0.99) / MS, rel=0.02)
    assert timing.worst_ms == durations.max() / MS


def test_histograms_merge_as_if_counted_together() -> None:
    one, two, both = LatencyHistogram(), LatencyHistogram(), LatencyHistogram()
    for i in range(1, 200):
        (one if i % 3 else two).add(i * 10_000)
        both.add(i * 10_000)
    restored = LatencyHistogram.from_bins(two.to_bins())
    one.merge(restored)
    assert one.timing() == both.timing()


def test_empty_histogram_says_nan_and_not_zero() -> None:
    timing = LatencyHistogram().timing()
    assert timing.count == 0
    assert math.isnan(timing.p50_ms)
    assert LatencyHistogram().to_bins() == {}
    assert Timing().count == 0


@pytest.mark.parametrize("duration_ns", [-5, 0, 1, 10**15])
def test_absurd_durations_are_counted_at_the_ends(duration_ns: int) -> None:
    histogram = LatencyHistogram()
    histogram.add(duration_ns)
    assert histogram.timing().count == 1
