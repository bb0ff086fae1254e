"""`bidden chat` with piped words."""

import io
import json
from typing import Any

import pytest

from bidden.cli.main import main

Session = Any


def chat(monkeypatch: pytest.MonkeyPatch, text: str, *flags: str) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    return main(["chat", *flags])


def test_chat_does_one_line_after_another(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert chat(monkeypatch, "wave\n\n  walk to the door \n") == 0
    assert session.asked == ["wave", "walk to the door"]
    assert session.closed == 1


def test_quit_ends_before_the_rest(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert chat(monkeypatch, "wave\nquit\nwalk\n") == 0
    assert session.asked == ["wave"]


def test_look_and_help_ask_nothing_of_the_robot(
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert chat(monkeypatch, "look\nhelp\n") == 0
    out = capsys.readouterr().out
    assert "red cube 1.30 m ahead, 4° left ± 12 mm" in out
    assert "pick up the red cube" in out
    assert session.asked == []


def test_looking_at_nothing_says_so(
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    session.look = lambda: ()
    chat(monkeypatch, "look\n")
    assert "I see nothing that I know by name." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("status", "code", "asked"),
    [("not_achieved", 0, 2), ("refused", 0, 2), ("interrupted", 0, 2), ("fault", 4, 1)],
)
def test_only_a_fault_ends_the_chat(
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    status: Any,
    code: int,
    asked: int,
) -> None:
    session.status = status
    assert chat(monkeypatch, "wave\nwave\n") == code
    assert len(session.asked) == asked


def test_json_gives_one_line_for_each_instruction(
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    chat(monkeypatch, "wave\nwave\n", "--json")
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["status"] for line in lines] == ["done", "done"]


def test_quiet_prints_answers_alone(
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    chat(monkeypatch, "wave\n", "--quiet")
    assert capsys.readouterr().out == "I hold the red cube.\n"
