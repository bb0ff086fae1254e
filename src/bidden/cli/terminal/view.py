"""Which view fits: live on a terminal, lines in a pipe, nothing when quiet."""

from __future__ import annotations

from typing import Protocol

from rich.console import Console

from bidden.system.events import Event

from .lines import LineView
from .live import LiveView


class View(Protocol):
    """Shows events to a person."""

    def __call__(self, event: Event) -> None:
        """Take one event."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was; safe to repeat."""
        ...


class SilentView:
    """Shows nothing."""

    def __call__(self, event: Event) -> None:
        """Take one event, and leave it."""

    def close(self) -> None:
        """Nothing to do."""


def make_view(console: Console, *, quiet: bool) -> View:
    """The view for this console."""
    if quiet:
        return SilentView()
    return LiveView(console) if console.is_terminal else LineView(console)
