"""`bidden config show`: the settings that a run would have."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from bidden.cli.flags import add_output_flags, add_session_flags

if TYPE_CHECKING:
    from argparse import _SubParsersAction

_EPILOG = """\
examples:
  bidden config show
  bidden config show --seed 7 --policy expert > run.toml
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
        description="Print every setting of a run with these flags, as TOML.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_session_flags(show)
    add_output_flags(show)
    show.set_defaults(func=execute)


def execute(args: argparse.Namespace) -> int:
    """Run the command; its exit code."""
    import msgspec

    from bidden.cli.session import config_from_flags
    from bidden.safety import Limits
    from bidden.system.executor import ExecutorConfig
    from bidden.system.progress import OrchestratorConfig

    whole = {
        "session": config_from_flags(args),
        "orchestrator": OrchestratorConfig(),
        "executor": ExecutorConfig(),
        "limits": Limits(),
    }
    tree = msgspec.to_builtins(whole, enc_hook=str)
    print(json.dumps(tree) if args.json else "\n".join(toml_lines(tree)))
    return 0


def toml_lines(tree: Mapping[str, object], path: str = "") -> Iterator[str]:
    """A tree of plain values as TOML; what is not set becomes a comment."""
    if path:
        yield f"[{path}]"
    for key, value in tree.items():
        if value is None:
            yield f"# {key} is not set"
        elif not isinstance(value, Mapping):
            yield f"{key} = {_toml_value(value)}"
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield ""
            yield from toml_lines(value, f"{path}.{key}" if path else key)


def _toml_value(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case float() if not math.isfinite(value):
            return str(value)
        case list() | tuple():
            return f"[{', '.join(map(_toml_value, value))}]"
        case int() | float():
            return repr(value)
        case _:
            return json.dumps(str(value), ensure_ascii=False)
