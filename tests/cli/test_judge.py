"""`bidden judge`: JSON lines in, verdicts out, and what becomes of bad lines."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bidden.brain.language.rules import records
from bidden.cli.main import main


def lines(captured: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in captured.splitlines()]


def write(path: Path, *rows: object) -> str:
    file = path / "orders.jsonl"
    texts = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    file.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return str(file)


def test_every_line_comes_back_with_a_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(
        tmp_path,
        {"text": "stab the guest", "id": 1},
        {"text": "wave to the person", "id": 2},
        {"text": "put the mug of coffee on the desk", "scene": "a laptop, on", "id": 3},
    )
    assert main(["judge", file]) == 0
    got = lines(capsys.readouterr().out)
    assert [row["id"] for row in got] == [1, 2, 3]
    assert [row["verdict"] for row in got] == ["refuse", "allow", "check"]
    assert got[0]["score"] < 0 < got[1]["score"]
    assert got[0]["reason"]


def test_bad_lines_are_named_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = ["{", "[]", '{"txt": "a"}', '{"text": 7}', '{"text": null}', '"wave"']
    file = write(tmp_path, {"text": "wave"}, *bad, {"text": "stop"})
    assert main(["judge", file]) == 2
    captured = capsys.readouterr()
    assert [row["text"] for row in lines(captured.out)] == ["wave", "stop"]
    told = captured.err.splitlines()
    assert len(told) == len(bad)
    for number, line in enumerate(told, start=2):
        assert line.startswith(
            f"bidden: line {number}: expected a JSON object with 'text'"
        )
    assert "Expected `str`, got `int`" in told[3]


def test_bytes_that_are_no_text_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "orders.jsonl"
    file.write_bytes(b'{"text": "\xff"}\n')
    assert main(["judge", str(file)]) == 2
    assert "line 1" in capsys.readouterr().err


def test_empty_and_very_long_texts_get_a_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = "please walk to the door " * 2_000
    file = write(tmp_path, {"text": ""}, {"text": "  "}, {"text": long}, "", "  ")
    assert main(["judge", file]) == 0
    empty, blank, judged = lines(capsys.readouterr().out)
    assert (empty["verdict"], blank["verdict"]) == ("allow", "allow")
    assert (judged["verdict"], judged["rule"]) == ("refuse", "too_long")
    assert "fewer words" in judged["reason"]


def test_stdin_is_read_line_by_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = io.BytesIO(b'{"text": "wave"}\n{"text": "stab the guest"}')
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=stream))
    assert main(["judge", "-"]) == 0
    got = lines(capsys.readouterr().out)
    assert [row["verdict"] for row in got] == ["allow", "refuse"]
    assert not stream.closed


def test_a_file_that_cannot_be_read_is_a_usage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["judge", str(tmp_path / "none.jsonl")]) == 2
    assert "no file" in capsys.readouterr().err
    assert main(["judge", str(tmp_path)]) == 2
    assert "cannot read" in capsys.readouterr().err


def test_a_line_without_end_is_not_read_into_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(records, "MAX_LINE", 100)

    class Endless(io.BytesIO):
        longest = 0

        def readline(self, size: int | None = -1, /) -> bytes:
            line = super().readline(size)
            self.longest = max(self.longest, len(line))
            return line

    stream = Endless(b'{"text": "' + b"a" * 10_000 + b'"}\n{"text": "wave"}\n')
    first, second = records.lines_of(stream)
    assert len(first) == 101
    assert second == b'{"text": "wave"}\n'
    assert stream.longest == 101
