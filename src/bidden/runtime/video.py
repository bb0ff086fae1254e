"""Videos of a run: real frames with a caption line, written as MP4.

The writer runs an ffmpeg of its own. A frame that cannot be written ends the video,
not the run: one warning, what is on disk stays, further frames are counted as lost.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from bidden.core.errors import RecordingError

_log = logging.getLogger(__name__)
LINE_PX = 26  # height of one caption line
_TEXT_PX = 16
_MARGIN_PX = 10
_BACKGROUND = (18, 20, 24)
_COLOURS = {
    "plain": (235, 235, 235),
    "dim": (150, 156, 166),
    "good": (126, 211, 133),
    "warn": (240, 190, 90),
    "bad": (240, 110, 100),
}
_FINISH_S = 60.0
Pixels = NDArray[np.uint8]


@cache
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=_TEXT_PX)


def fit_text(text: str, width_px: float) -> str:
    """The text on one line, cut with an ellipsis where it would not fit."""
    text = " ".join(text.split())
    if _font().getlength(text) <= width_px:
        return text
    low, high = 0, len(text)
    while low < high:  # the longest beginning that fits
        middle = (low + high + 1) // 2
        if _font().getlength(text[:middle] + "…") <= width_px:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "…"


def caption(frame: Pixels, lines: list[tuple[str, str]]) -> Pixels:
    """The frame with caption lines below it.

    Args:
        frame: picture, (H, W, 3).
        lines: (text, tone) from top to bottom; tones are plain, dim, good, warn, bad.

    Returns:
        Picture of even height and width, as video codecs want them.
    """
    height, width = frame.shape[:2]
    below = LINE_PX * len(lines) + _MARGIN_PX
    even = (width + width % 2, height + below + (height + below) % 2)
    page = Picture.new("RGB", even, _BACKGROUND)
    page.paste(Picture.fromarray(frame), (0, 0))
    draw = ImageDraw.Draw(page)
    for row, (text, tone) in enumerate(lines):
        at = (_MARGIN_PX, height + _MARGIN_PX // 2 + row * LINE_PX)
        text = fit_text(text, width - 2 * _MARGIN_PX)
        draw.text(at, text, font=_font(), fill=_COLOURS[tone])
    return np.asarray(page)


class VideoWriter:
    """One MP4 file; the first frame settles its size. Use as a context manager.

    The file is fragmented, so that it plays up to the last two seconds even when
    the run is killed or the disk fills up.

    Args:
        path: the file; its folder is made when missing.
        fps: pictures per second of the run.

    Raises:
        RecordingError: no ffmpeg, or the file cannot be made.
    """

    def __init__(self, path: Path, *, fps: float) -> None:
        self.path = path
        self.frames = 0
        self.lost = 0
        self._fps = fps
        self._ffmpeg = _find_ffmpeg()
        self._process: subprocess.Popen[bytes] | None = None
        self._broken = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.open("wb").close()
            path.unlink()  # it can be made; a video without a frame leaves no file
        except OSError as error:
            raise RecordingError(f"cannot make the video {path}: {error}") from error

    def write(self, frame: Pixels) -> None:
        """Add one picture, (H, W, 3) with even H and W; never raises."""
        if self._broken:
            self.lost += 1
            return
        try:
            if self._process is None:
                self._process = self._start(frame)
            pipe = self._process.stdin
            assert pipe is not None  # made with PIPE
            pipe.write(np.ascontiguousarray(frame).data)
            self.frames += 1
        except BrokenPipeError:
            self.lost += 1
            self._give_up("ffmpeg ended early; is the disk full?")
        except OSError as error:
            self.lost += 1
            self._give_up(str(error))

    def _start(self, frame: Pixels) -> subprocess.Popen[bytes]:
        height, width = frame.shape[:2]
        source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
        coding = ["-c:v", "libx264", "-crf", "21", "-preset", "veryfast"]
        form = ["-pix_fmt", "yuv420p", "-g", str(max(1, round(2 * self._fps)))]
        pieces = ["-movflags", "+frag_keyframe+empty_moov+default_base_moof"]
        return subprocess.Popen(
            [
                *(self._ffmpeg, "-y", "-v", "quiet", *source, "-r", str(self._fps)),
                *("-i", "-", *coding, *form, *pieces, "-threads", "1", str(self.path)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us; ffmpeg ends when its pipe does
        )

    def _give_up(self, why: str) -> None:
        self._broken = True
        _log.warning("video stopped: path=%s %s; the run goes on", self.path, why)

    def close(self) -> None:
        """Finish the file; safe to repeat, never raises."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            process.communicate(timeout=_FINISH_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            process.kill()
            process.wait()
            if not self._broken:
                self._give_up(str(error))
        if process.returncode and not self._broken:
            self._give_up(f"ffmpeg ended with code {process.returncode}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _find_ffmpeg() -> str:
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        if found := shutil.which("ffmpeg"):
            return found
        raise RecordingError(
            "a video needs ffmpeg, and none was found; "
            'mend it with: pip install "bidden[video]"'
        ) from error
