"""`bidden chat`: one world, one instruction after another."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from bidden.cli.flags import add_output_flags, add_session_flags

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from rich.console import Console

    from bidden.cli.session import Session

_EPILOG = """\
examples:
  bidden chat
  bidden chat --seed 3 --policy expert
  printf 'wave\\nwalk to the chair\\n' | bidden chat

At the prompt: an instruction in plain words, `look` for what the robot sees, `help`,
or `quit`. Ctrl-C while it works stops it, standing; at the prompt it clears the line.
"""
_HELP = """\
Say what to do in plain words, for example:
  pick up the red cube            walk to the door
  put it in the blue bowl         turn left ninety degrees
  bring the ball to the person    walk back half a metre
  face the plant                  wave, stop
Several sentences, or `then`, make several goals.
  look   what the robot sees and where       quit   leave"""
_PROMPT = "you> "


def register(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "chat",
        help="keep one room and give one instruction after another",
        description="Keep the robot in one room and tell it one thing after another.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_session_flags(parser)
    add_output_flags(parser)
    parser.set_defaults(func=execute)


def execute(args: argparse.Namespace) -> int:
    """Run the command; its exit code."""
    from rich.console import Console

    from bidden.cli import session as sessions
    from bidden.cli.exits import Exit
    from bidden.cli.terminal.view import make_view

    config = sessions.config_from_flags(args)
    console = Console(stderr=args.json, highlight=False, markup=False)
    with (
        closing(make_view(console, quiet=args.quiet)) as view,
        closing(sessions.open_from_config(config, view)) as session,
    ):
        if sys.stdin.isatty():
            console.print("Tell the robot what to do; `help` helps, `quit` leaves.")
        for line in _lines():
            if line in ("quit", "exit"):
                break
            if not _answer(line, session, console, args):
                return Exit.FAULT
    return Exit.DONE


def _lines() -> Iterator[str]:
    """Lines that a person types or a pipe brings, without the empty ones."""
    if not sys.stdin.isatty():
        yield from (line.strip() for line in sys.stdin if line.strip())
        return
    with suppress(ImportError):
        import readline  # noqa: F401  # input() then edits and remembers
    while True:
        try:
            line = input(_PROMPT).strip()
        except KeyboardInterrupt:
            print()
            continue
        except EOFError:
            print()
            return
        if line:
            yield line


def _answer(
    line: str, session: Session, console: Console, args: argparse.Namespace
) -> bool:
    """Do one line; False when a part failed and the chat must end."""
    from bidden.cli.session import stop_on_signal
    from bidden.cli.terminal.result import print_result, result_json
    from bidden.system.reporting.words import describe_grounding

    if line in ("help", "?"):
        console.print(_HELP)
        return True
    if line == "look":
        seen = [describe_grounding(g) for g in session.look()]
        console.print("\n".join(seen) or "I see nothing that I know by name.")
        return True
    with stop_on_signal(session.interrupt):
        outcome = session.ask(line)
    if args.json:
        print(result_json(outcome, {}), flush=True)
    elif args.quiet:
        print(outcome.reply, flush=True)
    else:
        print_result(console, outcome, {})
    return outcome.status != "fault"
