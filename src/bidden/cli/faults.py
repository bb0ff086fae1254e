"""`bidden faults`: does every fault end as the matrix says?"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from rich.console import Console

    from bidden.evaluation.faults.matrix import FaultReport
    from bidden.evaluation.faults.row import Case, Row

_EPILOG = """\
Each row breaks one thing in a running system: simulated robot, real loop and shield,
real processes where the row is about processes. It checks how soon that is noticed and
what the robot does then. docs/safety.md has the table. Refused outside simulation.
The last line of stdout is one JSON object; progress goes to stderr. Rows 16 and 17 run
in real time and need a free core.

examples:
  bidden faults
  bidden faults --row 15 --row 16 --seeds 3
"""


def register(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "faults",
        help="break things on purpose and see what it does",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--row", type=int, action="append", default=[], metavar="N",
        help="only this row; may be repeated",
    )  # fmt: skip
    add("--seeds", type=int, default=20, metavar="K", help="of each row (default 20)")
    add("--seed", type=int, default=740_000, metavar="N", help="of the first")
    add("--json", action="store_true", help="print the JSON line and no table")
    parser.set_defaults(func=execute)


def execute(args: argparse.Namespace) -> int:
    """Run the command; its exit code: 0, or 4 when a row is not as it must be."""
    from bidden.adapters.sim.gl import choose_gl

    choose_gl()  # before anything imports mujoco

    import msgspec
    from rich.console import Console

    from bidden.evaluation.faults.matrix import choose_rows, inject_faults

    rows = choose_rows(args.row)
    console = Console(stderr=True, highlight=False, markup=False)
    total = sum(args.seeds if row.play else 1 for row in rows)
    with _Progress(console, total) as progress:
        report = inject_faults(
            rows, seeds=args.seeds, first_seed=args.seed, on_done=progress
        )
    if not args.json:
        _print_report(console, report)
    print(msgspec.json.encode(report).decode())
    return 4 if report.failed else 0


class _Progress:
    """A bar on a terminal, a line for every row elsewhere."""

    def __init__(self, console: Console, total: int) -> None:
        from rich import progress

        self._console = console
        self._bar = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("faults", total=total)
        self._row = 0

    def __enter__(self) -> _Progress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, row: Row, case: Case | None) -> None:
        self._bar.update(self._task, advance=1, description=f"row {row.number}")
        if row.number != self._row and not self._console.is_terminal:
            self._console.print(f"row {row.number}: {row.fault}")
        self._row = row.number
        if case is not None and (reasons := row.judge(case)):
            self._console.print(f"row {row.number} failed: {'; '.join(reasons)}")


def _print_report(console: Console, report: FaultReport) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2))
    for name in ("row", "fault", "must speak", "within", "worst", "as it must be"):
        table.add_column(
            name, justify="left" if name in ("fault", "must speak") else "right"
        )
    for one in report.results:
        within = "" if one.deadline_s is None else f"{one.deadline_s:.2f} s"
        worst = "" if one.worst_s is None else f"{one.worst_s:.2f} s"
        table.add_row(
            str(one.row), one.fault, one.expected, within, worst,
            f"{one.passed} of {one.seeds}",
        )  # fmt: skip
    for skip in report.skipped:
        table.add_row(str(skip.row), skip.fault, f"skipped: {skip.why}", "", "", "")
    console.print(table)
    console.print(
        f"{report.passed} of {report.rows} rows passed, {len(report.skipped)} skipped"
    )
