"""`bidden judge`: may these instructions be asked?"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bidden.cli.flags import PRECISIONS

if TYPE_CHECKING:
    from argparse import _SubParsersAction

_EPILOG = """\
FILE holds one JSON object a line with `text` and, if there is one, `scene` (what is
seen, in words); `-` reads stdin. Each line is printed again with `verdict` (allow,
check, refuse), `score` (below 0 refuses), `rule` and `reason`.

examples:
  bidden judge orders.jsonl > judged.jsonl
  echo '{"text": "pour water over the laptop"}' | bidden judge -
"""


def register(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "judge",
        help="may these instructions be asked?",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", help="JSON lines, or - for stdin")
    parser.add_argument(
        "--precision", choices=PRECISIONS, default="int8", help="default int8"
    )
    parser.set_defaults(func=execute)


def execute(args: argparse.Namespace) -> int:
    """Run the command; its exit code."""
    from bidden.brain.language.encoder import Encoder
    from bidden.brain.language.rules import InstructionGate, judge_lines
    from bidden.core.errors import ConfigError

    gate = InstructionGate.load(Encoder.load(), args.precision)
    try:
        with (
            sys.stdin.buffer
            if args.file == "-"
            else Path(args.file).open("rb") as lines
        ):
            for line in judge_lines(gate, lines):
                print(line.decode())
    except FileNotFoundError:
        raise ConfigError(f"no file '{args.file}'") from None
    return 0
