"""`bidden replay`: a recording read back, and its commands judged again."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from rich.console import Console

    from bidden.evaluation.rejudge import Rejudgement
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
    from rich.console import Console

    from bidden.evaluation.rejudge import rejudge
    from bidden.system.tape import open_tape

    tape = open_tape(args.recording)
    summary, judged = tape.summary(), rejudge(tape)
    if args.json:
        print(_json(summary, judged))
    else:
        _print(Console(highlight=False, markup=False), summary, judged)
    return 0 if judged.is_same else 3


def _json(summary: RecordingSummary, judged: Rejudgement) -> str:
    import msgspec

    tree = {
        "recording": msgspec.to_builtins(summary, enc_hook=str),
        "judged_again": msgspec.to_builtins(judged),
    }
    tree["recording"]["config"] = msgspec.json.decode(summary.config)
    return msgspec.json.encode(tree).decode()


def _print(console: Console, summary: RecordingSummary, judged: Rejudgement) -> None:
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
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
    ladder = ", ".join(f"{rung.lower()} {n}" for rung, n in judged.rungs.most_common())
    table.add_row("verdicts", ladder or "none")
    reasons = ", ".join(f"{name} {n}" for name, n in judged.reasons.most_common())
    table.add_row("reasons", reasons or "none")
    again = f"{judged.ticks} ticks, {judged.different} judged differently now"
    table.add_row("again", again if judged.different else "every verdict is the same")
    for difference in judged.first:
        words = f"recorded {difference.recorded}, now {difference.now}"
        table.add_row(f"{difference.at_s:.2f} s", words)
    console.print(table)
