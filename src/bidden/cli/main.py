"""The `bidden` command: parsing, logging and the last net for errors."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import cast

from bidden import __version__
from bidden.core.errors import BiddenError, ConfigError

_DESCRIPTION = """\
Tell a humanoid robot what to do in plain language. It looks through its own cameras,
does it, and a shield checks every command before a motor gets it.
"""
_EPILOG = """\
examples:
  bidden run "pick up the red cube and put it in the blue bowl"
  bidden run "walk to the door, then wave" --seed 7 --video wave.mp4
  bidden chat
  bidden doctor

exit codes: 0 done, 2 refused or not understood, 3 not achieved, 4 fault,
130 stopped by Ctrl-C. `bidden COMMAND --help` tells more about each command.
"""
# Command -> the module that has its `register(subparsers)`, and its line of help; only
# the module of the chosen command is imported, so that every command starts at once.
COMMANDS = {
    "run": ("commands.run", "do one instruction in the simulated room"),
    "chat": ("commands.chat", "keep one room and give one instruction after another"),
    "eval": ("commands.evaluate", "measure how often it does what it is told"),
    "train": ("commands.train", "make the weights again, from nothing"),
    "calibrate": ("calibrate", "learn what a policy is like when all goes well"),
    "replay": ("commands.replay", "show a recording and judge its commands again"),
    "judge": ("commands.judge", "may these instructions be asked?"),
    "faults": ("faults", "break things on purpose and see what it does"),
    "config": ("commands.config", "show the settings of a run"),
    "doctor": ("doctor", "what is there, what is not, and the line that mends it"),
}


def make_parser(chosen: str | None = None) -> argparse.ArgumentParser:
    """The parser; the command `chosen` in full, the others by their line of help."""
    parser = argparse.ArgumentParser(
        prog="bidden",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"bidden {__version__}")
    parser.add_argument(
        "--debug", action="store_true", help="show logs and tracebacks of errors"
    )
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, (module, line) in COMMANDS.items():
        if name == chosen:
            importlib.import_module(f"bidden.cli.{module}").register(subparsers)
        else:
            subparsers.add_parser(name, help=line)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    argv = sys.argv[1:] if argv is None else argv
    parser = make_parser(next((word for word in argv if word in COMMANDS), None))
    args = parser.parse_args(argv)
    if not hasattr(args, "func"):
        parser.print_help()
        return 2
    _configure_logging(args)
    execute = cast("Callable[[argparse.Namespace], int]", args.func)
    try:
        code = execute(args)
        sys.stdout.flush()  # a closed pipe shows here, not in the interpreter's exit
        return int(code)
    except ConfigError as error:
        return _complain(error, args, code=2)
    except BiddenError as error:
        return _complain(error, args, code=4)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `bidden ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001  # the edge of the process
        return _complain(error, args, code=4)


def _complain(error: Exception, args: argparse.Namespace, *, code: int) -> int:
    if args.debug:
        logging.getLogger(__name__).error("failed", exc_info=error)
    own = isinstance(error, BiddenError)
    what = str(error) if own else f"{type(error).__name__}: {error}"
    print(f"bidden: {' '.join(what.split())}", file=sys.stderr)
    if not (own or args.debug):
        print("This is a bug in bidden; `bidden --debug` shows more.", file=sys.stderr)
    return code


def _configure_logging(args: argparse.Namespace) -> None:
    logging.basicConfig(
        level=logging.DEBUG if args.debug else logging.WARNING,
        format="%(levelname)s %(name)s %(message)s" if args.debug else "%(message)s",
        stream=sys.stderr,
    )
