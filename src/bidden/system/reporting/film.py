"""A listener that makes the captioned video of a session."""

from __future__ import annotations

from pathlib import Path

from bidden.runtime.video import VideoWriter, caption
from bidden.system.events import (
    ChunkMade,
    Event,
    Finished,
    FrameReady,
    GoalStarted,
    Heard,
    Said,
    Verdicted,
)

from .words import (
    STATUS_WORDS,
    describe_goal,
    describe_grounding,
    describe_verdict,
    shorten,
    tone_of_rung,
    tone_of_status,
)

Line = tuple[str, str]  # text, tone


class Film:
    """Writes every `FrameReady` with what is going on below it.

    Args:
        path: MP4 file.
        fps: pictures per second of the run, the rate of `FrameReady`.

    Raises:
        RecordingError: no ffmpeg, or the file cannot be made.
    """

    def __init__(self, path: Path, *, fps: float) -> None:
        self._writer = VideoWriter(path, fps=fps)
        self._heard: Line = ("", "plain")
        self._doing: Line = ("", "dim")
        self._where = ""
        self._answer: Line = ("", "good")

    @property
    def writer(self) -> VideoWriter:
        """The file and its counts."""
        return self._writer

    def __call__(self, event: Event) -> None:
        """Take one event into the caption, or write one frame."""
        match event:
            case FrameReady():
                self._writer.write(caption(event.rgb, self.lines()))
            case Heard():
                self._heard = (f"heard: “{shorten(event.text)}”", "plain")
                self._doing, self._where = ("listening", "dim"), ""
                self._answer = ("shield: -", "dim")
            case GoalStarted():
                count = f" ({event.index + 1} of {event.total})" * (event.total > 1)
                self._doing = (describe_goal(event.goal) + count, "plain")
                self._where = ""
            case ChunkMade():
                self._where = "; ".join(map(describe_grounding, event.groundings))
            case Verdicted():
                tone = tone_of_rung(event.verdict.rung)
                self._answer = (f"shield: {describe_verdict(event.verdict)}", tone)
            case Said():
                self._answer = (f"says: “{event.text}”", "plain")
            case Finished():
                status = event.outcome.status
                self._doing = (STATUS_WORDS[status], tone_of_status(status))
                self._where = ""

    def lines(self) -> list[Line]:
        """The caption as it stands: heard, doing, verdict."""
        text, tone = self._doing
        doing = f"{text} · {self._where}" if self._where else text
        return [self._heard, (doing, tone), self._answer]

    def close(self) -> None:
        """Finish the file; safe to repeat."""
        self._writer.close()
