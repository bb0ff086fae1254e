"""Many episodes as one line of figures."""

from __future__ import annotations

import hashlib
import os
import platform
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path

import msgspec

from bidden import __version__
from bidden.evaluation.statistics import wilson
from bidden.runtime.clock import LatencyHistogram

from .episode import EpisodeRecord


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """Successes of tries."""

    n: int
    success: float | None  # None when nothing was tried
    ci95: tuple[float, float]  # Wilson


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Percentiles over all episodes; None when nothing was measured."""

    n: int
    p50_ms: float | None
    p99_ms: float | None
    worst_ms: float | None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The one JSON line at the end of an evaluation."""

    suite: str
    split: str
    policy: str
    precision: str
    episodes: int
    success: float | None
    ci95: tuple[float, float]
    goals: Rate  # single goals, by the truth
    per_skill: dict[str, Rate]
    causes: dict[str, int]  # of the failures
    falls: int
    violations: int
    crashes: int
    tick: Latency  # executor + shield + write
    skipped_ticks: int
    policy_step: Latency  # vision + fusion, language cached
    rungs: dict[str, float]  # share of the control ticks
    sim_s: float
    wall_s: float  # of the whole evaluation
    workers: int
    seeds: tuple[int, int]  # first, last
    weights: str  # sha256 over the network files, shortened
    machine: str
    version: str


def rate(successes: int, trials: int) -> Rate:
    """Successes of tries, rounded for people."""
    low, high = wilson(successes, trials)
    share = round(successes / trials, 4) if trials else None
    return Rate(n=trials, success=share, ci95=(round(low, 4), round(high, 4)))


def make_report(
    records: Sequence[EpisodeRecord],
    *,
    split: str,
    policy: str,
    precision: str,
    wall_s: float,
    workers: int,
) -> Report:
    """The figures of all episodes."""
    total = rate(sum(r.success for r in records), len(records))
    skills = sorted({r.skill for r in records if r.skill})
    rungs = sum((Counter(r.rungs) for r in records), Counter[str]())
    return Report(
        suite="household",
        split=split,
        policy=policy,
        precision=precision,
        episodes=len(records),
        success=total.success,
        ci95=total.ci95,
        goals=rate(
            sum(min(r.goals_done, r.goals) for r in records),
            sum(r.goals for r in records),
        ),
        per_skill={
            skill: rate(
                sum(r.success for r in records if r.skill == skill),
                sum(r.skill == skill for r in records),
            )
            for skill in skills
        },
        causes=dict(Counter(r.cause for r in records if r.cause).most_common()),
        falls=sum(r.falls for r in records),
        violations=sum(r.violations for r in records),
        crashes=sum(r.cause == "crash" for r in records),
        tick=_latency(r.tick_bins for r in records),
        skipped_ticks=sum(r.skipped_ticks for r in records),
        policy_step=_latency(r.policy_bins for r in records),
        rungs={k: round(n / rungs.total(), 5) for k, n in sorted(rungs.items())},
        sim_s=round(sum(r.sim_s for r in records), 1),
        wall_s=round(wall_s, 1),
        workers=workers,
        seeds=(min(r.seed for r in records), max(r.seed for r in records)),
        weights=weights_hash(precision) if policy == "compact" else "none",
        machine=machine(),
        version=__version__,
    )


def _latency(every: Iterable[dict[int, int]]) -> Latency:
    histogram = LatencyHistogram()
    for bins in every:
        histogram.merge(LatencyHistogram.from_bins(bins))
    timing = histogram.timing()
    if not timing.count:
        return Latency(n=0, p50_ms=None, p99_ms=None, worst_ms=None)
    return Latency(
        n=timing.count,
        p50_ms=round(timing.p50_ms, 3),
        p99_ms=round(timing.p99_ms, 3),
        worst_ms=round(timing.worst_ms, 3),
    )


def weights_hash(precision: str) -> str:
    """One hash over the networks of a precision, "none" when there are none."""
    folder = Path(str(resources.files("bidden.weights")))
    wanted = [
        path
        for path in sorted(folder.glob("*.onnx"))
        if path.stem.endswith("_int8") == (precision == "int8")
    ]
    digest = hashlib.sha256()
    for path in wanted:
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16] if wanted else "none"


def machine() -> str:
    """The machine in a few words: model, cores, system, Python."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.split(":", 1)[1].strip()
            for line in info.read_text().splitlines()
            if line.startswith("model name")
        ]
        model = names[0] if names else model
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()}, "
        f"Python {platform.python_version()}"
    )
