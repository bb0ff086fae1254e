"""A run as a live panel: heard, doing, seeing, the shield, the timing."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bidden.core.messages import Goal, Grounding, Verdict
from bidden.runtime.clock import stopwatch_ns
from bidden.system.events import (
    ChunkMade,
    Event,
    Finished,
    GoalEnded,
    GoalStarted,
    Heard,
    Said,
    Ticked,
    Understood,
    Verdicted,
)
from bidden.system.reporting.words import (
    STATUS_WORDS,
    describe_goal,
    describe_grounding,
    describe_timing,
    describe_verdict,
    shorten,
    tone_of_rung,
    tone_of_status,
)

_REFRESH_NS = 200_000_000  # drawing costs a few ms; 5 Hz is all that an eye wants
STYLES = {
    "plain": "",
    "dim": "dim",
    "good": "green",
    "warn": "yellow",
    "bad": "bold red",
}


@dataclass(slots=True)
class _Board:
    """What the panel shows at the moment."""

    heard: str = ""
    goals: tuple[Goal, ...] = ()
    marks: dict[int, str] = field(default_factory=dict)  # goal index -> status
    current: int = -1
    groundings: tuple[Grounding, ...] = ()
    verdict: Verdict | None = None
    said: str = ""
    ticked: Ticked | None = None
    began_ns: int = 0
    now_ns: int = 0


class LiveView:
    """Redraws one panel in place; leaves the terminal clean when it closes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._board = _Board()
        self._live: Live | None = None
        self._drawn_ns = 0

    def __call__(self, event: Event) -> None:
        """Take one event; redraws at most at 5 Hz."""
        if isinstance(event, Heard):
            self._board = _Board(heard=shorten(event.text), began_ns=event.stamp_ns)
            self._start()
        self._board.now_ns = max(self._board.now_ns, event.stamp_ns)
        self._take(event)
        if isinstance(event, Finished):
            self.close()
        elif stopwatch_ns() - self._drawn_ns > _REFRESH_NS:
            self._draw()

    def _take(self, event: Event) -> None:
        board = self._board
        match event:
            case Understood():
                board.goals = event.goals
            case GoalStarted():
                board.current, board.groundings = event.index, ()
            case GoalEnded():
                board.marks[event.index] = event.result.status
            case ChunkMade():
                board.groundings = event.groundings
            case Verdicted():
                board.verdict = event.verdict
            case Said():
                board.said = event.text
            case Ticked():
                board.ticked = event

    def _start(self) -> None:
        if self._live is None:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()

    def _draw(self) -> None:
        if self._live is not None:
            self._live.update(render_board(self._board), refresh=True)
            self._drawn_ns = stopwatch_ns()

    def close(self) -> None:
        """Take the panel away and show the cursor again; safe to repeat."""
        live, self._live = self._live, None
        if live is not None:
            live.stop()


def render_board(board: _Board) -> Panel:
    """The panel for one moment."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("heard", Text(board.heard))
    table.add_row("doing", _goals(board))
    seen = "\n".join(map(describe_grounding, board.groundings))
    table.add_row("sees", Text(seen or "-"))
    table.add_row("shield", _verdict(board))
    table.add_row("body", _body(board.ticked))
    table.add_row("timing", _timing(board.ticked))
    if board.said:
        table.add_row("says", Text(board.said, style="bold"))
    at_s = (board.now_ns - board.began_ns) / 1e9
    return Panel(table, title="bidden", subtitle=f"{at_s:.1f} s", title_align="left")


def _goals(board: _Board) -> Text:
    text = Text()
    for index, goal in enumerate(board.goals):
        status = board.marks.get(index)
        if status:
            mark = "✓" if status == "done" else "✗"
            style = STYLES[tone_of_status(status)]
            note = "" if status == "done" else f" ({STATUS_WORDS[status]})"
        else:
            running = index == board.current
            mark, note = ("▸" if running else "·"), ""
            style = "bold" if running else "dim"
        line_end = "\n" if index + 1 < len(board.goals) else ""
        text.append(f"{mark} {describe_goal(goal)}{note}{line_end}", style=style)
    return text


def _verdict(board: _Board) -> Text:
    if board.verdict is not None:
        rung, words = board.verdict.rung, describe_verdict(board.verdict)
    elif board.ticked is not None:  # nothing has changed yet
        rung, words = board.ticked.rung, board.ticked.rung.name.lower()
    else:
        return Text("-", style="dim")
    return Text(words, style=STYLES[tone_of_rung(rung)])


def _body(ticked: Ticked | None) -> Text:
    if ticked is None:
        return Text("-", style="dim")
    x, y, yaw = (float(v) for v in ticked.base_pose)
    grips = " · ".join(
        f"{side} hand {1000 * float(width):.0f} mm open"
        for side, width in zip(("right", "left"), ticked.grip_width, strict=True)
    )
    return Text(f"at {x:.2f}, {y:.2f} m, heading {math.degrees(yaw):.0f}° · {grips}")


def _timing(ticked: Ticked | None) -> Text:
    if ticked is None:
        return Text("-", style="dim")
    return Text(
        f"tick {describe_timing(ticked.tick)} · policy {describe_timing(ticked.policy)}"
        f" · {ticked.real_time_factor:.1f} x real time"
    )
