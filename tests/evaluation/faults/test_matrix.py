"""The matrix is whole, cases are judged by their rows, and no robot that is real."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from bidden.cli.main import main
from bidden.core.errors import ConfigError
from bidden.core.messages import RobotState
from bidden.core.vetted import VettedCommand
from bidden.evaluation.faults.matrix import ROWS, choose_rows, inject_faults
from bidden.evaluation.faults.row import Case, Row
from bidden.evaluation.faults.stage import Injection, TappedRobot


def row(case: Case, *, deadline_s: float = math.nan) -> Row:
    return Row(
        number=1, fault="f", expected="e", deadline_s=deadline_s, play=lambda _: case
    )


def test_every_row_of_the_matrix_is_there_once_and_in_order() -> None:
    assert [one.number for one in ROWS] == list(range(1, 47))
    for one in ROWS:
        assert (one.play is None) == bool(one.why_skipped), one.number


@pytest.mark.parametrize(
    ("case", "deadline_s", "passes"),
    [
        (Case(claims={"a": True}), math.nan, True),
        (Case(claims={"a": True, "b": False}), math.nan, False),
        (Case(claims={}, detected_s=0.2), 0.2, True),
        (Case(claims={}, detected_s=0.21), 0.2, False),
        (Case(claims={}, detected_s=math.inf), 0.2, False),
        (Case(claims={}), 0.2, False),  # a deadline, and nothing was measured
    ],
)
def test_a_case_is_judged_by_its_claims_and_its_deadline(
    case: Case, deadline_s: float, passes: bool
) -> None:
    assert (not row(case, deadline_s=deadline_s).judge(case)) == passes


def test_the_report_counts_rows_and_names_what_failed() -> None:
    good = row(Case(claims={"a": True}, detected_s=0.1), deadline_s=0.2)
    bad = row(Case(claims={"it stops": False}))
    later = Row(number=38, fault="x", expected="y", why_skipped="not there yet")
    seen: list[object] = []
    report = inject_faults(
        [good, bad, later], seeds=3, first_seed=5, on_done=lambda _, c: seen.append(c)
    )
    assert (report.rows, report.passed, report.failed) == (2, 1, 1)
    assert [(s.row, s.why) for s in report.skipped] == [(38, "not there yet")]
    assert report.results[0].worst_s == 0.1
    assert report.results[1].failures[0] == "5: it stops"
    assert len(seen) == 7
    assert report.cases == 6


def test_an_exception_that_escapes_fails_the_row() -> None:
    def play(seed: int) -> Case:
        raise ZeroDivisionError("oh")

    report = inject_faults([Row(number=1, fault="f", expected="e", play=play)], seeds=1)
    assert report.failed == 1
    assert "nothing escapes (ZeroDivisionError: oh)" in report.results[0].failures[0]


@pytest.mark.parametrize(("seeds", "first"), [(0, 1), (1, -1), (1, 900_000)])
def test_seeds_of_the_evaluation_are_refused(seeds: int, first: int) -> None:
    with pytest.raises(ConfigError, match="at least one seed below 900000"):
        inject_faults([], seeds=seeds, first_seed=first)


def test_a_row_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown row '47'"):
        choose_rows([47])


class RealRobot:
    def read(self) -> RobotState:
        raise AssertionError

    def write(self, command: VettedCommand) -> None:
        raise AssertionError


def test_faults_are_refused_outside_simulation() -> None:
    with pytest.raises(ConfigError, match=r"in simulation alone, .* is a RealRobot"):
        TappedRobot(RealRobot(), Injection())


def test_the_command_ends_with_one_line_of_json(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main(["faults", "--row", "19", "--row", "46", "--row", "38", "--seeds", "2"])
    out, err = capsys.readouterr()
    report = msgspec.json.decode(out.splitlines()[-1])
    assert code == 0, err
    assert (report["rows"], report["passed"], report["failed"]) == (2, 2, 0)
    assert report["skipped"][0]["row"] == 38
    assert report["seeds"] == 2
    assert "2 of 2 rows passed, 1 skipped" in err


REAL_TIME = (16, 17)  # real processes on the wall clock: where cores are taken, late
QUICK = (4, 7, 9, 13, 15, 21, 27, 41)


@pytest.mark.parametrize("number", QUICK)
def test_a_row_that_needs_no_eyes_passes(number: int) -> None:
    (one,) = choose_rows([number])
    assert one.play is not None
    assert not one.judge(one.play(740_000))


@pytest.mark.slow
@pytest.mark.parametrize("one", ROWS, ids=lambda one: str(one.number))
def test_every_row_passes(one: Row) -> None:
    if one.play is None:
        pytest.skip(one.why_skipped)
    for attempt in range(3 if one.number in REAL_TIME else 1):
        failed = one.judge(one.play(740_001 + attempt))
        if not failed:
            break
    assert not failed


def test_the_second_copy_of_the_stage_is_the_same_run() -> None:
    """Cases depend on their seed alone."""
    (one,) = choose_rows([15])
    assert one.play is not None
    times = {one.play(740_003).detected_s for _ in range(2)}
    assert len(times) == 1
    assert np.isfinite(times.pop())
