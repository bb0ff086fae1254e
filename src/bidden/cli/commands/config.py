"""`bidden config show`: the settings that a run would have."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import _SubParsersAction

_EPILOG = """\
examples:
  bidden config show
  bidden config show --seed 7 --policy expert
"""


def register(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "config", help="show the settings of a run", description="Settings of a run."
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    show = actions.add_parser(
        "show",
        help="print the whole tree, defaults included",
        description="Print every setting that a run with these flags would have.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    show.set_defaults(func=execute)


def execute(_args: argparse.Namespace) -> int:
    """Run the command; its exit code."""
    return 0
