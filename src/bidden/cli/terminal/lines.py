"""A run told in plain lines: for pipes, logs and screen readers."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from bidden.core.messages import Rung
from bidden.system.events import (
    ChunkMade,
    Event,
    GoalEnded,
    GoalStarted,
    Heard,
    Said,
    Verdicted,
)
from bidden.system.reporting.words import (
    STATUS_WORDS,
    describe_goal,
    describe_grounding,
    describe_verdict,
    shorten,
)

_NS_PER_S = 1e9
_EVERY_S = 2.0  # groundings and verdicts at 5 Hz and more would drown the rest


class LineView:
    """Prints one line for everything that matters, with the run's own time."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began_ns: int | None = None
        self._where_ns: int | None = None
        self._verdict_ns: int | None = None
        self._rung = Rung.PASS

    def __call__(self, event: Event) -> None:
        """Take one event."""
        line = self._line(event)
        if line:
            if self._began_ns is None:
                self._began_ns = event.stamp_ns
            at_s = (event.stamp_ns - self._began_ns) / _NS_PER_S
            self._console.print(Text(f"{at_s:7.1f} s  {line}"), soft_wrap=True)

    def _line(self, event: Event) -> str:
        match event:
            case Heard():
                return f"heard    {shorten(event.text)}"
            case GoalStarted():
                self._where_ns = None
                count = f" ({event.index + 1} of {event.total})" * (event.total > 1)
                return f"doing    {describe_goal(event.goal)}{count}"
            case ChunkMade():
                return self._where(event)
            case Verdicted():
                return self._verdict(event)
            case GoalEnded():
                reason = f": {event.result.reason}" if event.result.reason else ""
                return f"result   {STATUS_WORDS[event.result.status]}{reason}"
            case Said():
                return f"says     {event.text}"
            case _:
                return ""

    def _verdict(self, event: Verdicted) -> str:
        """Holding back and letting go at once; slowing and passing take turns."""
        before, self._rung = self._rung, event.verdict.rung
        last_ns = self._verdict_ns
        due = last_ns is None or event.stamp_ns - last_ns >= _EVERY_S * _NS_PER_S
        if not (max(before, self._rung) >= Rung.HOLD or (due and self._rung)):
            return ""
        self._verdict_ns = event.stamp_ns
        return f"shield   {describe_verdict(event.verdict)}"

    def _where(self, event: ChunkMade) -> str:
        last_ns = self._where_ns
        due = last_ns is None or event.stamp_ns - last_ns >= _EVERY_S * _NS_PER_S
        if not (event.groundings and due):
            return ""
        self._where_ns = event.stamp_ns
        return f"sees     {'; '.join(map(describe_grounding, event.groundings))}"

    def close(self) -> None:
        """Nothing to put back."""
