"""What is printed when an instruction is over: a short table, or one JSON line."""

from __future__ import annotations

import json
import math
from pathlib import Path

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bidden.system.outcome import Outcome
from bidden.system.reporting.words import (
    STATUS_WORDS,
    describe_goal,
    describe_ladder,
    describe_timing,
    tone_of_status,
)

from .live import STYLES


def print_result(console: Console, outcome: Outcome, files: dict[str, Path]) -> None:
    """A short table of what happened.

    Args:
        console: where.
        outcome: what happened.
        files: what is left behind, by kind.
    """
    table = Table(show_header=False, box=None, padding=(0, 2), pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    status = Text(
        STATUS_WORDS[outcome.status], style=STYLES[tone_of_status(outcome.status)]
    )
    table.add_row("result", status)
    table.add_row("says", Text(outcome.reply))
    for number, result in enumerate(outcome.goals, start=1):
        words = f"{describe_goal(result.goal)}: {STATUS_WORDS[result.status]}"
        why = f", {result.reason}" if result.reason else ""
        style = STYLES[tone_of_status(result.status)]
        table.add_row(
            f"goal {number}", Text(f"{words}{why}, {result.sim_s:.1f} s", style)
        )
    if outcome.ticks:
        _add_figures(table, outcome)
    for kind, path in files.items():
        if path.is_file():
            size_mb = path.stat().st_size / 1e6
            table.add_row(kind, Text(f"{path} ({size_mb:.1f} MB)"))
    console.print(table)


def _add_figures(table: Table, outcome: Outcome) -> None:
    speed = outcome.sim_s / outcome.wall_s if outcome.wall_s > 0 else math.nan
    table.add_row(
        "time",
        f"{outcome.sim_s:.1f} s of the robot's, {outcome.wall_s:.1f} s of yours "
        f"({speed:.1f} x real time)",
    )
    table.add_row(
        "policy", f"{outcome.chunks} chunks, {describe_timing(outcome.policy)}"
    )
    skipped = f", {outcome.skipped_ticks} skipped"
    table.add_row(
        "control", f"{outcome.ticks} ticks, {describe_timing(outcome.tick)}{skipped}"
    )
    table.add_row("shield", describe_ladder(outcome))
    style = "bold red" if outcome.falls or outcome.violations else ""
    harm = f"{outcome.falls} falls, {outcome.violations} limit violations"
    table.add_row("safety", Text(harm, style=style))


def result_json(outcome: Outcome, files: dict[str, Path]) -> str:
    """The outcome as one JSON line; what was not measured is null."""
    tree = msgspec.to_builtins(outcome, enc_hook=_plain)
    for bins in ("tick_bins", "policy_bins"):
        del tree[bins]
    tree["files"] = {kind: str(path) for kind, path in files.items() if path.is_file()}
    return json.dumps(_without_nan(tree), ensure_ascii=False)


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    return str(value)


def _without_nan(tree: object) -> object:
    """JSON has no NaN; `null` says the same."""
    if isinstance(tree, dict):
        return {key: _without_nan(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_without_nan(value) for value in tree]
    if isinstance(tree, float) and not math.isfinite(tree):
        return None
    return tree
