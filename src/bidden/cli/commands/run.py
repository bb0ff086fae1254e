"""`bidden run`: one instruction, from words to done."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from bidden.cli.flags import add_output_flags, add_session_flags

if TYPE_CHECKING:
    from argparse import _SubParsersAction

_EPILOG = """\
examples:
  bidden run "pick up the red cube and put it in the blue bowl"
  bidden run "turn left ninety degrees. walk one metre, then wave" --policy expert
  bidden run "bring the ball to the person" --seed 12 --video bring.mp4 --record runs
  bidden run "walk to the door" --json | python -m json.tool

Several sentences, or `then`, make several goals; they are done in order and the first
that fails ends the run. Ctrl-C stops the robot: it stays standing and the files are
closed; a second Ctrl-C leaves at once.

exit codes: 0 done, 2 refused or not understood, 3 not achieved, 4 fault, 130 Ctrl-C
"""


def register(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "run",
        help="do one instruction in the simulated room",
        description="Do one instruction, tell what happens, and say what became of it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "instruction", nargs="+", help="what to do, in plain words; quotes are optional"
    )
    add_session_flags(parser)
    add_output_flags(parser)
    parser.set_defaults(func=execute)


def execute(args: argparse.Namespace) -> int:
    """Run the command; its exit code."""
    from rich.console import Console

    from bidden.cli import session as sessions
    from bidden.cli.exits import exit_of
    from bidden.cli.terminal.result import print_result, result_json
    from bidden.cli.terminal.view import make_view

    config = sessions.config_from_flags(args)
    console = Console(stderr=args.json, highlight=False, markup=False)
    with (
        closing(make_view(console, quiet=args.quiet)) as view,
        closing(sessions.open_from_config(config, view)) as session,
        sessions.stop_on_signal(session.interrupt),
    ):
        outcome = session.ask(" ".join(args.instruction))
    files = sessions.left_behind(config)
    if args.json:
        print(result_json(outcome, files))
    elif args.quiet:
        print(outcome.reply)
    else:
        print_result(console, outcome, files)
    if outcome.status == "fault":
        print("bidden: a part failed; the recording tells more", file=sys.stderr)
    return exit_of(outcome.status)
