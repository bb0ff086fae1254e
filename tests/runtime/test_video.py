"""Captions and the MP4 writer."""

import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bidden.core.errors import RecordingError
from bidden.runtime import video
from bidden.runtime.video import VideoWriter, caption, fit_text

FRAME = np.full((120, 160, 3), 90, np.uint8)


def frames_in(path: Path) -> int:
    probe = subprocess.run(
        [video._find_ffmpeg(), "-i", str(path), "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(probe.stderr.rsplit("frame=", 1)[1].split()[0])


def test_caption_goes_below_and_leaves_the_picture_alone() -> None:
    page = caption(FRAME, [("heard: wave", "plain"), ("pass", "good")])
    assert page.shape == (182, 160, 3)
    np.testing.assert_array_equal(page[:120], FRAME)
    assert page[120:].max() > 150


def test_captioned_pictures_have_even_sides() -> None:
    assert caption(FRAME[:119, :159], [("x", "dim")]).shape == (156, 160, 3)


@pytest.mark.parametrize(
    "text", ["", "short", "many words " * 80, "no-space" * 200, "a\nb\t c", "🤖" * 300]
)
def test_text_fits_its_line(text: str) -> None:
    fitted = fit_text(text, 200)
    assert video._font().getlength(fitted) <= 200
    assert "\n" not in fitted
    assert fitted.endswith("…") == (len(fitted) < len(" ".join(text.split())))


def test_video_holds_every_frame(tmp_path: Path) -> None:
    path = tmp_path / "new" / "run.mp4"
    with VideoWriter(path, fps=10) as writer:
        for _ in range(25):
            writer.write(FRAME)
    assert (writer.frames, writer.lost) == (25, 0)
    assert frames_in(path) == 25


def test_video_without_frames_leaves_no_file(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "run.mp4", fps=10) as writer:
        pass
    writer.close()
    assert not (tmp_path / "run.mp4").exists()


def test_dying_ffmpeg_ends_the_video_and_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(video, "_find_ffmpeg", lambda: "/bin/false")
    big = np.zeros((480, 640, 3), np.uint8)
    with (
        caplog.at_level(logging.WARNING),
        VideoWriter(tmp_path / "run.mp4", fps=10) as writer,
    ):
        for _ in range(50):
            writer.write(big)
    assert writer.lost > 0
    assert len(caplog.records) == 1
    assert "video stopped" in caplog.text


def test_missing_ffmpeg_is_said_before_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(RecordingError, match=r"pip install .bidden\[video\]"):
        VideoWriter(tmp_path / "run.mp4", fps=10)


def test_folder_that_cannot_be_made_is_said_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="cannot make the video"):
        VideoWriter(tmp_path / "file" / "run.mp4", fps=10)
