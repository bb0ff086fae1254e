"""Recorder and reader together: exactness, bounds, torn files, full disks."""

import errno
import logging
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from bidden.core.errors import ConfigError, RecordingError
from bidden.core.messages import Command, Goal, Image, RobotState, Rung, Skill, Verdict
from bidden.runtime import codec, recorder
from bidden.runtime.codec import Decoder
from bidden.runtime.recorder import Recorder, RecorderConfig, RecorderTotals
from bidden.runtime.replay import Recording


def command(stamp_ns: int = 1) -> Command:
    return Command(
        stamp_ns=stamp_ns,
        source_ns=0,
        base_velocity=np.array([0.1, np.nan, -np.inf]),
        arm_q=np.linspace(0, 1, 14, dtype=np.float32),
        grip=np.zeros(2),
    )


def image(stamp_ns: int, *, size: int = 8) -> Image:
    ramp = np.arange(size * size, dtype=np.float32).reshape(size, size) / 100
    return Image(
        stamp_ns=stamp_ns,
        camera="head",
        rgb=np.full((size, size, 3), 120, np.uint8),
        depth=ramp,
        K=np.eye(3),
        X_BC=np.eye(4),
    )


def record(path: Path, messages: list[tuple[str, object, int]]) -> RecorderTotals:
    config = RecorderConfig(path=str(path))
    with Recorder(config, effective={"seed": 3, "scene": Path("room.toml")}) as to:
        for topic, message, stamp_ns in messages:
            to.put(topic, message, stamp_ns=stamp_ns)
    return to.totals()


def test_messages_come_back_exactly(tmp_path: Path) -> None:
    path = tmp_path / "new" / "run.mcap"
    verdict = Verdict(stamp_ns=5, rung=Rung.HOLD, reasons=("stale",))
    goal = Goal(skill=Skill.MOVE_BY, instruction="step", amount=np.arange(3.0))
    sent = [("command", command(), 1), ("verdict", verdict, 5), ("goal", goal, 6)]
    assert record(path, sent) == RecorderTotals(written=3)

    got = list(Recording(path).messages())
    assert [(m.topic, m.stamp_ns) for m in got] == [(t, s) for t, _, s in sent]
    first, second, third = (m.message for m in got)
    assert isinstance(first, Command)
    assert isinstance(second, Verdict)
    assert isinstance(third, Goal)
    np.testing.assert_array_equal(first.base_velocity, command().base_velocity)
    assert first.arm_q.dtype == np.float32
    assert (second.rung, second.reasons, second.margin_m) == (
        Rung.HOLD, ("stale",), float("inf"),
    )  # fmt: skip
    assert third.skill is Skill.MOVE_BY
    assert third.amount is not None
    np.testing.assert_array_equal(third.amount, [0, 1, 2])


def test_state_round_trips_without_a_copy_of_its_type_here() -> None:
    names = ("q", "dq", "torque", "gyro", "gravity", "base_pose", "base_velocity")
    arrays = {name: np.random.default_rng(1).normal(size=3) for name in names}
    state = RobotState(
        stamp_ns=2, **arrays, grip_width=np.zeros(2), grip_force=np.ones(2)
    )
    back = Decoder().decode("RobotState", codec.encode(state))
    assert isinstance(back, RobotState)
    for name in names:
        np.testing.assert_array_equal(getattr(back, name), arrays[name])


def test_images_keep_depth_to_the_millimetre() -> None:
    back = Decoder().decode("Image", codec.encode(image(7)))
    assert isinstance(back, Image)
    assert back.depth is not None
    np.testing.assert_allclose(back.depth, image(7).depth, atol=5.1e-4)
    assert np.abs(back.rgb.astype(int) - 120).max() <= 3


def test_unmeasured_depth_is_recorded_as_a_hole() -> None:
    sent = image(7)
    assert sent.depth is not None
    sent.depth[0, :3] = (np.nan, np.inf, 900.0)
    back = Decoder().decode("Image", codec.encode(sent))
    assert isinstance(back, Image)
    assert back.depth is not None
    assert back.depth[0, 0] == 0
    assert back.depth[0, 1] == 0
    assert back.depth[0, 2] == pytest.approx(65.535)


def test_frames_of_one_camera_are_thinned(tmp_path: Path) -> None:
    path = tmp_path / "run.mcap"
    stamps = range(0, 1_000_000_000, 50_000_000)
    totals = record(path, [("image/head", image(s), s) for s in stamps])
    assert totals == RecorderTotals(written=5)


def test_recording_carries_the_effective_config(tmp_path: Path) -> None:
    record(tmp_path / "run.mcap", [("command", command(), 1)])
    recording = Recording(tmp_path / "run.mcap")
    assert recording.config == '{"seed":3,"scene":"room.toml"}'
    summary = recording.summary()
    assert summary.counts == {"command": 1}
    assert summary.totals == RecorderTotals(written=1)
    assert not summary.torn


def test_full_ring_drops_the_oldest_and_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    entered = threading.Event()
    write = recorder._McapFile.write

    def slow(self: recorder._McapFile, entry: recorder._Entry) -> None:
        entered.set()
        assert gate.wait(10)
        write(self, entry)

    monkeypatch.setattr(recorder._McapFile, "write", slow)
    path = tmp_path / "run.mcap"
    with Recorder(RecorderConfig(path=str(path), ring_messages=4)) as to:
        to.put("command", command(0), stamp_ns=0)
        assert entered.wait(10)
        for i in range(1, 10):
            to.put("command", command(i), stamp_ns=i)
        gate.set()
    assert to.totals() == RecorderTotals(written=5, dropped=5)
    stamps = [m.stamp_ns for m in Recording(path).messages()]
    assert stamps == [0, 6, 7, 8, 9]
    totals = Recording(path).summary().totals
    assert totals is not None
    assert totals.dropped == 5


def fill_disk(monkeypatch: pytest.MonkeyPatch, *, after_bytes: int) -> None:
    """Let writes beyond a size fail half-way, as a full disk does."""
    whole = recorder._WholeWrites.write

    def write(self: recorder._WholeWrites, data: bytes) -> int:
        room = after_bytes - self.tell()
        if len(data) > room:
            whole(self, bytes(data)[: max(0, room)])
            raise OSError(errno.ENOSPC, "No space left on device")
        return whole(self, data)

    monkeypatch.setattr(recorder._WholeWrites, "write", write)


def test_full_disk_warns_once_counts_and_leaves_a_readable_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fill_disk(monkeypatch, after_bytes=400_000)
    path = tmp_path / "run.mcap"
    noise = np.random.default_rng(0)
    messages: list[tuple[str, object, int]] = []
    for i in range(300):
        pixels = noise.normal(size=200)
        goal = Goal(skill=Skill.PICK, instruction="x", amount=pixels)
        messages.append(("goal", goal, i))
    with caplog.at_level(logging.WARNING):
        totals = record(path, messages)
    assert totals.lost > 0
    assert totals.written + totals.lost == 300
    assert [r.message for r in caplog.records if "recording stopped" in r.message]
    assert len(caplog.records) == 1
    assert path.stat().st_size <= 400_000
    assert len(list(Recording(path).messages())) == totals.written > 0


def test_torn_file_reads_up_to_the_tear(tmp_path: Path) -> None:
    path = tmp_path / "run.mcap"
    noise = np.random.default_rng(0)
    messages: list[tuple[str, object, int]] = [
        (
            "goal",
            Goal(skill=Skill.PICK, instruction="", amount=noise.normal(size=999)),
            i,
        )
        for i in range(200)
    ]
    record(path, messages)
    whole = path.read_bytes()
    for keep in (len(whole) // 2, len(whole) - 20, 400):
        path.write_bytes(whole[:keep])
        recording = Recording(path)
        got = list(recording.messages())
        assert recording.torn
        assert [m.stamp_ns for m in got] == list(range(len(got)))
        summary = recording.summary()
        assert summary.torn
        assert summary.counts.get("goal", 0) == len(got)


@pytest.mark.parametrize("content", [b"", b"not a recording", b"\x89MCAP0\r\n"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.mcap"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match="is not a recording of bidden"):
        Recording(path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"no recording at .*gone\.mcap"):
        Recording(tmp_path / "gone.mcap")


def test_recording_into_a_file_as_folder_fails_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="cannot make the recording"):
        Recorder(RecorderConfig(path=str(tmp_path / "file" / "run.mcap")))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wish:
    """A message from outside `core`."""

    text: str


def test_messages_from_outside_core_need_a_decoder_that_knows_them(
    tmp_path: Path,
) -> None:
    path = tmp_path / "run.mcap"
    record(path, [("wish", Wish(text="tea"), 1)])
    with pytest.raises(RecordingError, match="unknown message type 'Wish'"):
        list(Recording(path).messages())
    (got,) = Recording(path, Decoder([Wish])).messages()
    assert isinstance(got.message, Wish)
    assert got.message.text == "tea"


def test_another_schema_version_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codec, "SCHEMA_VERSION", 99)
    record(tmp_path / "run.mcap", [("command", command(), 1)])
    monkeypatch.undo()
    with pytest.raises(RecordingError, match="schema version 99, this program reads"):
        list(Recording(tmp_path / "run.mcap").messages())


def test_what_cannot_be_recorded_is_lost_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "run.mcap"
    bad = Wish(text=object())  # type: ignore[arg-type]
    assert record(path, [("wish", bad, 1), ("command", command(), 2)]) == (
        RecorderTotals(written=1, lost=1)
    )
    assert "cannot record a object" in caplog.text


def test_close_is_safe_to_repeat_and_late_messages_are_ignored(tmp_path: Path) -> None:
    to = Recorder(RecorderConfig(path=str(tmp_path / "run.mcap")))
    to.close()
    to.put("command", command(), stamp_ns=1)
    to.close()
    assert to.totals() == RecorderTotals()


def test_garbled_message_is_named() -> None:
    with pytest.raises(RecordingError, match="broken 'Command' message"):
        Decoder().decode("Command", b"\x80")


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("ring_messages", 0, "rings hold at least one message"),
        ("image_period_s", float("nan"), "image_period_s must be >= 0, got nan"),
    ],
)
def test_config_refuses_nonsense(key: str, value: float, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        RecorderConfig(path="x", **{key: value})
