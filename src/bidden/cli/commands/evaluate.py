"""`bidden eval`: how often it does what it is told, with confidence."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from bidden.cli.flags import POLICIES, PRECISIONS

from . import grounding

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from rich.console import Console

    from bidden.evaluation.household.episode import EpisodeRecord
    from bidden.evaluation.household.report import Report
    from bidden.evaluation.household.suite import SuiteConfig

SPLITS = ("seen", "unseen-pairs", "paraphrase", "swap")
_EPILOG = """\
splits:
  seen           random rooms, plain words, all skills in turn
  unseen-pairs   the named object has a colour and shape that training never paired
  paraphrase     wordings that training never saw (evaluation/paraphrases.toml)
  swap           the same room twice, two objects named; right only if both times the
                 named one was acted on

Success is read from the simulator's truth. The last line of stdout is one JSON object
with all figures; progress goes to stderr. Seeds below 900000 belong to training.

examples:
  bidden eval household --split seen --episodes 200
  bidden eval household --split swap --episodes 100 --policy expert --workers 2
  bidden eval household --out runs/seen --videos runs/seen/failures
"""


def register(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "eval",
        help="measure how often it does what it is told",
        description="Play many random episodes in parallel and count what was done.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    suites = parser.add_subparsers(title="suites", metavar="SUITE", required=True)
    household = suites.add_parser(
        "household",
        help="instructions in random rooms",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = household.add_argument
    add("--split", choices=SPLITS, default="seen", help="what is asked (default seen)")
    add("--episodes", type=int, default=100, metavar="N", help="how many (default 100)")
    add(
        "--seed", type=int, default=grounding.FIRST_SEED, metavar="N",
        help=f"of the first episode (default {grounding.FIRST_SEED})",
    )  # fmt: skip
    add("--policy", choices=POLICIES, default="compact", help="default compact")
    add("--precision", choices=PRECISIONS, default="int8", help="default int8")
    add(
        "--workers", type=int, default=os.cpu_count() or 1, metavar="W",
        help="episodes at once (default: one a core)",
    )  # fmt: skip
    add("--out", type=Path, metavar="DIR", help="file each episode; run again to go on")
    add("--videos", type=Path, metavar="DIR", help="film the failed ones afterwards")
    add("--json", action="store_true", help="print the JSON line and no table")
    household.set_defaults(func=execute)
    grounding.register(suites)


def execute(args: argparse.Namespace) -> int:
    """Run the command; its exit code: 0, or 4 when an episode crashed."""
    import msgspec
    from rich.console import Console

    from bidden.evaluation.household.suite import SuiteConfig, evaluate

    config = SuiteConfig(
        split=args.split,
        episodes=args.episodes,
        seed=args.seed,
        policy=args.policy,
        precision=args.precision,
        workers=min(args.workers, args.episodes),
        out=str(args.out or ""),
        videos=str(args.videos or ""),
    )
    console = Console(stderr=True, highlight=False, markup=False)
    with _Progress(console, config) as progress:
        report = evaluate(config, progress)
    if not args.json:
        _print_report(console, report)
    print(msgspec.json.encode(report).decode())
    return 4 if report.crashes else 0


class _Progress:
    """A bar on a terminal, a line for every tenth part elsewhere."""

    def __init__(self, console: Console, config: SuiteConfig) -> None:
        from rich import progress

        self._console, self._total = console, config.episodes
        self._done = self._right = 0
        self._bar = progress.Progress(
            progress.TextColumn(f"{config.policy} on {config.split}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TextColumn("{task.fields[rate]}"),
            progress.TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=config.episodes, rate="")

    def __enter__(self) -> _Progress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, record: EpisodeRecord) -> None:
        self._done += 1
        self._right += record.success
        rate = f"{100 * self._right / self._done:.0f} % right"
        self._bar.update(self._task, advance=1, rate=rate)
        tenth = max(1, self._total // 10)
        if not self._console.is_terminal and self._done % tenth == 0:
            self._console.print(f"{self._done}/{self._total} episodes, {rate}")


def _print_report(console: Console, report: Report) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2))
    for name in ("skill", "episodes", "success", "95 % interval"):
        table.add_column(name, justify="left" if name == "skill" else "right")
    for skill, rate in report.per_skill.items():
        table.add_row(skill, *_cells(rate.n, rate.success, rate.ci95))
    table.add_row("all", *_cells(report.episodes, report.success, report.ci95))
    goals = report.goals
    table.add_row("single goals", *_cells(goals.n, goals.success, goals.ci95))
    console.print(table)
    causes = ", ".join(f"{cause} {n}" for cause, n in report.causes.items())
    console.print(f"failures: {causes or 'none'}")
    console.print(f"falls {report.falls}, limit violations {report.violations}")


def _cells(n: int, success: float | None, ci95: tuple[float, float]) -> tuple[str, ...]:
    share = "-" if success is None else f"{100 * success:.1f} %"
    return str(n), share, f"{100 * ci95[0]:.1f} to {100 * ci95[1]:.1f} %"
