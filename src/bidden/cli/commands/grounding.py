"""`bidden eval grounding`: how well the named thing is found."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Literal

from bidden.cli.flags import PRECISIONS

if TYPE_CHECKING:
    from argparse import _SubParsersAction
    from collections.abc import Sequence

    from rich.console import Console

    from bidden.evaluation.grounding import Row

FIRST_SEED = 900_000  # smaller ones belong to training
SPLITS: tuple[Literal["seen", "unseen-pairs"], ...] = ("seen", "unseen-pairs")
_EPILOG = """\
Each scene gives one picture at a table and one from two metres; every object in it is
asked for. `precise` is within 10 mm at the table and 100 mm at two metres; `wrong` is
nearer to another object than to the named one. The last line of stdout is one JSON
object.

examples:
  bidden eval grounding --episodes 200
  bidden eval grounding --split unseen-pairs --precision fp32 --json
"""


def register(suites: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the suite to `bidden eval`."""
    parser = suites.add_parser(
        "grounding",
        help="how well the named thing is found in a picture",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--split", choices=SPLITS, help="default both")
    add("--episodes", type=int, default=100, metavar="N", help="scenes (default 100)")
    add(
        "--seed", type=int, default=FIRST_SEED, metavar="N",
        help=f"of the first scene (default {FIRST_SEED})",
    )  # fmt: skip
    add("--precision", choices=PRECISIONS, default="int8", help="default int8")
    add("--workers", type=int, default=os.cpu_count() or 1, metavar="W", help="at once")
    add("--json", action="store_true", help="print the JSON line and no table")
    parser.set_defaults(func=execute)


def execute(args: argparse.Namespace) -> int:
    """Run the command; its exit code."""
    import msgspec
    from rich.console import Console
    from rich.progress import Progress

    from bidden.core.errors import ConfigError
    from bidden.evaluation.grounding import evaluate
    from bidden.evaluation.household.report import machine, weights_hash
    from bidden.runtime.clock import NS_PER_S, stopwatch_ns

    if not (args.seed >= FIRST_SEED and args.episodes >= 1 and args.workers >= 1):
        raise ConfigError(
            f"seeds begin at {FIRST_SEED}, episodes and workers at 1, got "
            f"{args.seed}, {args.episodes} and {args.workers}"
        )
    began_ns = stopwatch_ns()
    splits = [split for split in SPLITS if args.split in (None, split)]
    console = Console(stderr=True, highlight=False, markup=False)
    rows: list[Row] = []
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("grounding", total=args.episodes * len(splits))
        for split in splits:
            rows += evaluate(
                split,
                args.episodes,
                seed=args.seed,
                workers=args.workers,
                precision=args.precision,
                on_progress=lambda done: bar.advance(task, done),
            )
    if not args.json:
        _print_rows(console, rows)
    line = {
        "suite": "grounding",
        "precision": args.precision,
        "episodes": args.episodes,
        "rows": rows,
        "seeds": (args.seed, args.seed + args.episodes - 1),
        "wall_s": round((stopwatch_ns() - began_ns) / NS_PER_S, 1),
        "weights": weights_hash(args.precision),
        "machine": machine(),
    }
    print(msgspec.json.encode(line).decode())
    return 0


def _print_rows(console: Console, rows: Sequence[Row]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2))
    for name in ("split", "distance", "sensor"):
        table.add_column(name)
    for name in ("asked", "precise", "wrong", "median", "90 %"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            *(row.split, row.distance, row.sensor, str(row.asked)),
            *(f"{100 * row.precise:.1f} %", f"{100 * row.wrong:.1f} %"),
            *(f"{row.median_mm:.1f} mm", f"{row.p90_mm:.1f} mm"),
        )
    console.print(table)
