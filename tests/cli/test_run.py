"""`bidden run`: what is printed, and the exit code."""

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from bidden.cli import session as sessions
from bidden.cli.main import main
from bidden.core.errors import AssetError, ConfigError

Session = Any


def test_run_tells_the_story_in_lines_when_piped(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "pick", "up", "the", "red", "cube"]) == 0
    out = capsys.readouterr().out
    assert session.asked == ["pick up the red cube"]
    told = [line.strip() for line in out.splitlines()]
    assert told[:5] == [
        "0.0 s  heard    pick up the red cube",
        "0.0 s  doing    pick up the red cube",
        "0.0 s  sees     red cube 1.30 m ahead, 4° left ± 12 mm",
        "2.0 s  sees     red cube 1.30 m ahead, 4° left ± 12 mm",
        "2.0 s  shield   hold: stale",
    ]
    assert "4.0 s  says     I hold the red cube." in told
    assert "pass 95.0 %, hold 5.0 %" in out
    assert "200 ticks, p50 0.80 ms, p99 1.20 ms, 0 skipped" in out
    assert "4.0 x real time" in out
    assert session.closed == 1


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("done", 0),
        ("refused", 2),
        ("not_understood", 2),
        ("not_achieved", 3),
        ("fault", 4),
        ("interrupted", 130),
    ],
)
@pytest.mark.parametrize("flags", [[], ["--json"], ["--quiet"]])
def test_exit_code_says_what_became_of_it(
    session: Session, status: Any, code: int, flags: list[str]
) -> None:
    session.status = status
    assert main(["run", "wave", *flags]) == code
    assert session.closed == 1


def test_json_is_one_line_on_stdout_and_the_telling_goes_to_stderr(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "wave", "--json"]) == 0
    out, err = capsys.readouterr()
    assert out.count("\n") == 1
    tree = json.loads(out)
    assert tree["status"] == "done"
    assert tree["goals"][0]["goal"]["phrases"] == {"object": "red cube"}
    assert tree["policy"]["p50_ms"] is None
    assert "tick_bins" not in tree
    assert "heard" in err


def test_quiet_prints_the_answer_alone(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["run", "wave", "--quiet"])
    assert capsys.readouterr().out == "I hold the red cube.\n"


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (ConfigError("scene file 'x.toml': unknown key"), 2, "scene file 'x.toml'"),
        (
            AssetError("g1.xml is truncated;\n run make setup"),
            4,
            "g1.xml is truncated;",
        ),
    ],
)
def test_our_errors_are_one_clear_line(
    session: Session,
    capsys: pytest.CaptureFixture[str],
    error: Any,
    code: int,
    text: str,
) -> None:
    session.open_error = error
    assert main(["run", "wave"]) == code
    err = capsys.readouterr().err
    assert err.startswith(f"bidden: {text}")
    assert err.count("\n") == 1


def test_bug_is_a_line_too_and_closes_the_session(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    session.error = ZeroDivisionError("oh")
    assert main(["run", "wave"]) == 4
    err = capsys.readouterr().err
    assert "bidden: ZeroDivisionError: oh" in err
    assert "Traceback" not in err
    assert session.closed == 1


def test_ctrl_c_before_the_robot_stands_says_stopped(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    session.error = KeyboardInterrupt()
    assert main(["run", "wave"]) == 130
    assert capsys.readouterr().err == "stopped\n"
    assert session.closed == 1


@pytest.fixture
def default_ctrl_c() -> Iterator[None]:
    """Ctrl-C as in a terminal; a shell's background jobs start with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_first_signal_asks_the_robot_to_stop_and_the_second_is_immediate(
    number: int, default_ctrl_c: None
) -> None:
    stops: list[int] = []
    with sessions.stop_on_signal(lambda: stops.append(1)):
        os.kill(os.getpid(), number)
        assert stops == [1]
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_video_of_another_kind_is_refused() -> None:
    from pathlib import Path

    with pytest.raises(ConfigError, match=r"--video writes \.mp4 files, got 'x\.avi'"):
        sessions.check_video_path(Path("x.avi"))


def test_flags_reach_the_session(session: Session, tmp_path: Any) -> None:
    scene, video = tmp_path / "room.toml", tmp_path / "run.mp4"
    flags = f"--seed 7 --policy expert --precision fp32 --scene {scene} --video {video}"
    main(["run", "wave", *flags.split(), "--record", str(tmp_path)])
    config = session.config
    assert (config.seed, config.policy, config.precision) == (7, "expert", "fp32")
    assert (config.scene, config.video) == (scene, video)
    assert config.record.parent == tmp_path
    assert config.record.name.endswith("-seed7.mcap")
    main(["run", "wave"])
    assert session.config.record is None


def test_files_left_behind_are_told(
    session: Session, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    video = tmp_path / "run.mp4"
    video.write_bytes(b"x" * 2_000_000)
    main(["run", "wave", "--video", str(video), "--record", str(tmp_path)])
    out = capsys.readouterr().out
    assert "(2.0 MB)" in out
    assert "recording" not in out  # it was never made
    main(["run", "wave", "--video", str(video), "--json"])
    assert json.loads(capsys.readouterr().out)["files"] == {"video": str(video)}
