"""`bidden judge`: may these instructions be asked?"""

from __future__ import annotations

import argparse
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from argparse import _SubParsersAction

_EPILOG = """\
FILE holds one JSON object a line with `text` and, if there is one, `scene` (what is
seen, in words); `-` reads stdin. Each line is printed again with `verdict` (allow,
check, refuse), `score` (below 0 refuses), `rule` and `reason`, as soon as it is read.
A line that is no such object is named on stderr and left out.

exit codes: 0 every line was judged (whatever the verdicts), 2 no such file or lines
were left out.

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
    parser.set_defaults(func=execute)


def execute(args: argparse.Namespace) -> int:
    """Run the command; its exit code."""
    from bidden.brain.language.encoder import Encoder
    from bidden.brain.language.rules import InstructionGate, judge_lines
    from bidden.brain.language.rules.records import lines_of
    from bidden.cli.exits import Exit

    bad: list[str] = []

    def on_bad(what: str) -> None:
        bad[:] = [what]
        print(f"bidden: {what}", file=sys.stderr)

    with _opened(args.file) as stream:
        gate = InstructionGate.load(Encoder.load())
        for line in judge_lines(gate, lines_of(stream), on_bad=on_bad):
            print(line.decode(), flush=True)
    return Exit.REFUSED if bad else Exit.DONE


def _opened(file: str) -> AbstractContextManager[BinaryIO]:
    """The bytes to judge; stdin stays open."""
    from bidden.core.errors import ConfigError

    if file == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(file).open("rb")
    except FileNotFoundError:
        raise ConfigError(f"no file '{file}'") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read '{file}': {error}") from None
