"""The live panel."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from bidden.cli.terminal import live
from bidden.cli.terminal.lines import LineView
from bidden.cli.terminal.live import LiveView, render_board
from bidden.cli.terminal.view import SilentView, make_view
from bidden.core.messages import Rung, Verdict
from bidden.system.events import Verdicted

Session = Any


def terminal() -> Console:
    return Console(
        file=StringIO(), force_terminal=True, width=100, color_system=None, markup=False
    )


def shown(view: LiveView) -> str:
    console = Console(file=StringIO(), width=110, color_system=None)
    console.print(render_board(view._board))
    out: Any = console.file
    return str(out.getvalue())


def test_view_fits_the_console() -> None:
    assert isinstance(make_view(terminal(), quiet=False), LiveView)
    assert isinstance(make_view(Console(file=StringIO()), quiet=False), LineView)
    assert isinstance(make_view(terminal(), quiet=True), SilentView)


def test_panel_shows_all_that_matters(session: Session) -> None:
    view = LiveView(terminal())
    session.listener = view
    session.ask("pick up [the] red cube")
    panel = shown(view)
    for text in (
        "pick up [the] red cube",
        "✓ pick up the red cube",
        "red cube 1.30 m ahead, 4° left ± 12 mm",
        "hold: stale",
        "at 0.50, -0.25 m, heading 90° · right hand 90 mm open · left hand 45 mm open",
        "tick p50 0.80 ms, p99 1.20 ms · policy - · 4.0 x real time",
        "I hold the red cube.",
        "4.0 s",
    ):
        assert text in panel


def test_panel_of_a_fresh_instruction_forgets_the_one_before(session: Session) -> None:
    view = LiveView(terminal())
    session.listener = view
    session.ask("pick up the red cube")
    session.error = RuntimeError("cut short")
    with pytest.raises(RuntimeError):
        session.ask("wave")
    assert "I hold" not in shown(view)
    assert "· pick up the red cube" in shown(view)
    view.close()


def test_panel_is_taken_away_and_the_cursor_comes_back(session: Session) -> None:
    console = terminal()
    view = LiveView(console)
    session.listener = view
    session.ask("wave")
    view.close()
    out: Any = console.file
    assert out.getvalue().endswith("\x1b[?25h\r\x1b[1A\x1b[2K") or (
        out.getvalue().count("\x1b[?25l") == out.getvalue().count("\x1b[?25h")
    )


def test_panel_is_not_drawn_more_often_than_an_eye_wants(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0]
    drawn: list[int] = []
    monkeypatch.setattr(live, "stopwatch_ns", lambda: now[0])
    monkeypatch.setattr(
        live, "render_board", lambda board: drawn.append(now[0]) or render_board(board)
    )
    view = LiveView(terminal())
    session.listener = view
    session.ask("wave")
    assert drawn == []
    for _ in range(100):
        now[0] += 10_000_000
        view(session.ticked())
    view.close()
    assert drawn == []  # the instruction is over
    session.error = RuntimeError("cut short")
    with pytest.raises(RuntimeError):
        session.ask("wave")
    for _ in range(100):
        now[0] += 10_000_000
        view(session.ticked())
    assert 4 <= len(drawn) <= 6
    view.close()


def test_lines_tell_a_hold_at_once_and_do_not_chatter_about_slowing() -> None:
    console = Console(file=StringIO(), width=100)
    view = LineView(console)

    def rung(at_ms: int, rung: Rung, reason: str = "") -> None:
        verdict = Verdict(
            stamp_ns=at_ms * 10**6, rung=rung, reasons=(reason,) * bool(reason)
        )
        view(Verdicted(stamp_ns=at_ms * 10**6, verdict=verdict, before=Rung.PASS))

    for at_ms in range(0, 1000, 20):
        rung(at_ms, Rung.SLOW if at_ms % 40 else Rung.PASS, "hand_speed")
    rung(1000, Rung.HOLD, "stale")
    rung(1100, Rung.PASS)
    rung(1120, Rung.SLOW, "hand_speed")
    rung(1140, Rung.PASS)
    rung(3120, Rung.SLOW, "scene")
    out: Any = console.file
    told = [line.split("shield")[1].strip() for line in out.getvalue().splitlines()]
    assert told == ["slow: hand_speed", "hold: stale", "pass", "slow: scene"]
