"""Plays the rows of the fault matrix, each with several seeds, and sums up."""

from __future__ import annotations

import math
import platform
from collections.abc import Callable, Collection, Sequence

import msgspec

from bidden.core.errors import ConfigError, unknown_name

from .row import Case, Row
from .rows import body, chunks, people, processes, sensing, several, stops, words

FIRST_SEED = 740_000
ROWS: tuple[Row, ...] = tuple(
    sorted(
        (
            *sensing.ROWS, *chunks.ROWS, *processes.ROWS, *stops.ROWS, *people.ROWS,
            *body.ROWS, *words.ROWS, *several.ROWS,
        ),
        key=lambda row: row.number,
    )
)  # fmt: skip


class RowResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one row."""

    row: int
    fault: str
    expected: str
    deadline_s: float | None  # from injection to detection; null where none is set
    worst_s: float | None = None  # the latest detection
    passed: int  # of the seeds
    seeds: int
    failures: tuple[str, ...] = ()  # "seed: what did not hold", the first few


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    """A row that could not be played."""

    row: int
    fault: str
    why: str


class FaultReport(msgspec.Struct, frozen=True, kw_only=True):
    """The line of JSON."""

    rows: int  # that were played
    passed: int  # rows in which every seed was as it must be
    failed: int
    skipped: tuple[Skipped, ...]
    seeds: int  # of each row
    first_seed: int
    cases: int
    results: tuple[RowResult, ...]
    machine: str


OnDone = Callable[[Row, Case | None], None]


def choose_rows(numbers: Collection[int] = ()) -> tuple[Row, ...]:
    """The rows of these numbers; all of them when there are none.

    Raises:
        ConfigError: there is no such row.
    """
    known = {row.number for row in ROWS}
    for number in numbers:
        if number not in known:
            names = [str(k) for k in known]
            raise ConfigError(unknown_name("row", str(number), names))
    return tuple(row for row in ROWS if not numbers or row.number in numbers)


def inject_faults(
    rows: Sequence[Row],
    *,
    seeds: int,
    first_seed: int = FIRST_SEED,
    on_done: OnDone = lambda row, case: None,
) -> FaultReport:
    """Play every row with every seed.

    Args:
        rows: which.
        seeds: how many of each.
        first_seed: the next ones follow.
        on_done: called after each case, and once for a row that is skipped.

    Raises:
        ConfigError: no seeds, or one that belongs to the evaluation.
    """
    if not (seeds >= 1 and first_seed >= 0 and first_seed + seeds <= 900_000):
        raise ConfigError(
            f"faults are injected with at least one seed below 900000, not {seeds} "
            f"from {first_seed}"
        )
    results: list[RowResult] = []
    skipped: list[Skipped] = []
    for row in rows:
        if row.play is None:
            one = Skipped(row=row.number, fault=row.fault, why=row.why_skipped)
            skipped.append(one)
            on_done(row, None)
        else:
            results.append(_play(row, seeds, first_seed, on_done))
    passed = sum(result.passed == result.seeds for result in results)
    return FaultReport(
        rows=len(results),
        passed=passed,
        failed=len(results) - passed,
        skipped=tuple(skipped),
        seeds=seeds,
        first_seed=first_seed,
        cases=len(results) * seeds,
        results=tuple(results),
        machine=f"{platform.machine()}, Python {platform.python_version()}",
    )


def _play(row: Row, seeds: int, first_seed: int, on_done: OnDone) -> RowResult:
    failures: list[str] = []
    times: list[float] = []
    passed = 0
    for seed in range(first_seed, first_seed + seeds):
        case = _play_one(row, seed)
        reasons = row.judge(case)
        passed += not reasons
        if reasons:
            failures.append(f"{seed}: {'; '.join(reasons)}")
        if not math.isnan(case.detected_s):
            times.append(case.detected_s)
        on_done(row, case)
    worst = max(times, default=math.nan)
    return RowResult(
        row=row.number,
        fault=row.fault,
        expected=row.expected,
        deadline_s=None if math.isnan(row.deadline_s) else round(row.deadline_s, 3),
        worst_s=round(worst, 3) if math.isfinite(worst) else None,
        passed=passed,
        seeds=seeds,
        failures=tuple(failures[:3]),
    )


def _play_one(row: Row, seed: int) -> Case:
    """One case; an exception that escapes is what must not happen, in any row."""
    assert row.play is not None
    try:
        return row.play(seed)
    except Exception as error:  # noqa: BLE001  # the edge of a case: it has failed
        text = f"{type(error).__name__}: {error}"[:300]
        return Case(detected_s=math.inf, claims={f"nothing escapes ({text})": False})
