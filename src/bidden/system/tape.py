"""What a session records, so that its verdicts can be given again.

The shield is pure: its limits, what it was told and when it was armed are all that
its verdicts depend on. All of that is on the tape, tick by tick.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bidden.core.messages import (
    ActionChunk,
    Advice,
    Command,
    Health,
    Image,
    RobotState,
    Verdict,
)
from bidden.core.vetted import VettedCommand
from bidden.runtime.codec import Decoder
from bidden.runtime.recorder import Recorder, RecorderConfig
from bidden.runtime.replay import Recording
from bidden.safety import Limits, Scene

from .events import (
    ChunkMade,
    Event,
    Finished,
    FrameReady,
    GoalEnded,
    GoalStarted,
    Heard,
    Said,
    Ticked,
    Understood,
    Verdicted,
)

TICK, SCENE, ARMING, LIMITS = "tick", "scene", "arming", "limits"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JudgedTick:
    """One control tick: what the shield was given, and what it gave."""

    now_ns: int
    command: Command | None  # what was wanted
    state: RobotState
    vetted: Command  # what the body got
    settle: float  # 0 stand .. 1 fully crouched
    verdict: Verdict
    advice: tuple[Advice, ...] = ()
    health: Health | None = None
    press: str | None = None  # the emergency stop that this tick met, its reason


Arm = Literal["arm", "disarm", "reset"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arming:
    """The shield was armed, disarmed or reset."""

    stamp_ns: int
    event: Arm


_EVENTS = (
    Heard, Understood, GoalStarted, GoalEnded, Said, ChunkMade, Verdicted, Finished
)  # fmt: skip
_TYPES = (JudgedTick, Arming, Scene, Limits, *_EVENTS)


class Tape:
    """Records a session. It listens to the events; the control loop brings the rest.

    Every call returns at once. Messages are written later: their arrays must not be
    changed once they are on the tape.

    Args:
        path: MCAP file to make.
        effective: the effective configuration of the session.
        limits: what the shield judges by.

    Raises:
        RecordingError: the file cannot be made.
    """

    def __init__(self, path: Path, *, effective: object, limits: Limits) -> None:
        self.recorder = Recorder(RecorderConfig(path=str(path)), effective=effective)
        self._limits: Limits | None = limits  # go on the tape with the first message
        self._scene: Scene | None = None

    def __call__(self, event: Event) -> None:
        """Record one event; pictures for the video and samples for the eye are not."""
        if not isinstance(event, FrameReady | Ticked):
            self._put("event", event, event.stamp_ns)

    def _put(self, topic: str, message: object, stamp_ns: int) -> None:
        if self._limits is not None:
            self.recorder.put(LIMITS, self._limits, stamp_ns=stamp_ns)
            self._limits = None
        self.recorder.put(topic, message, stamp_ns=stamp_ns)

    def tick(
        self,
        now_ns: int,
        command: Command | None,
        *,
        state: RobotState,
        scene: Scene,
        vetted: VettedCommand,
        advice: tuple[Advice, ...] = (),
        health: Health | None = None,
        press: str | None = None,
    ) -> None:
        """Record one control tick, just after the shield has judged it."""
        if scene is not self._scene:
            self._scene = scene
            self._put(SCENE, scene, now_ns)
        judged = JudgedTick(
            now_ns=now_ns,
            command=command,
            state=state,
            vetted=vetted.command,
            settle=vetted.settle,
            verdict=vetted.verdict,
            advice=advice,
            health=health,
            press=press,
        )
        self._put(TICK, judged, now_ns)

    def arming(self, now_ns: int, *, event: Arm) -> None:
        """Record each successful `arm`, `disarm` or `reset`, before the next tick."""
        self._put(ARMING, Arming(stamp_ns=now_ns, event=event), now_ns)

    def image(self, image: Image) -> None:
        """Record one camera frame, at most 5 a second of each camera."""
        self._put(f"image/{image.camera}", image, image.stamp_ns)

    def chunk(self, chunk: ActionChunk) -> None:
        """Record one chunk of the policy."""
        self._put("chunk", chunk, chunk.stamp_ns)

    def close(self) -> None:
        """Finish the file; safe to repeat."""
        self.recorder.close()


def open_tape(path: Path) -> Recording:
    """A tape to read back.

    Raises:
        RecordingError: no such file, or not a recording of ours.
    """
    return Recording(path, Decoder(_TYPES))
