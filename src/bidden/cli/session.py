"""Sessions from command-line flags, and how Ctrl-C ends them."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Protocol

from bidden.core.errors import ConfigError
from bidden.core.messages import Grounding
from bidden.system.events import Listener
from bidden.system.outcome import Outcome

if TYPE_CHECKING:
    from bidden.adapters.sim.house import SessionConfig


class Session(Protocol):
    """A robot in its world that takes one instruction after another."""

    def ask(self, text: str) -> Outcome:
        """Do what the words say; always comes back with what became of it."""
        ...

    def look(self) -> Sequence[Grounding]:
        """What the robot sees right now, with where it is."""
        ...

    def interrupt(self) -> None:
        """Make the running `ask` end soon, the robot standing; from any thread."""
        ...

    def close(self) -> None:
        """Finish the recording and the video; safe to repeat."""
        ...


def recording_path(args: argparse.Namespace) -> Path | None:
    """The file for `--record DIR`, named by the time and the seed."""
    from bidden.runtime.clock import utc_stamp

    if args.record is None:
        return None
    return Path(args.record) / f"{utc_stamp()}-seed{args.seed}.mcap"


def check_video_path(path: Path | None) -> None:
    """Refuse a video file of another kind than we write.

    Raises:
        ConfigError: it does not end in .mp4.
    """
    if path is not None and path.suffix.lower() != ".mp4":
        raise ConfigError(f"--video writes .mp4 files, got '{path}'")


def config_from_flags(args: argparse.Namespace) -> SessionConfig:
    """The configuration that the flags ask for.

    Raises:
        ConfigError: a flag's value is wrong.
        RobotError: nothing can draw what the cameras see.
    """
    from bidden.adapters.sim.gl import choose_gl

    choose_gl()  # before anything imports mujoco
    from bidden.adapters.sim.house import SessionConfig

    check_video_path(args.video)
    return SessionConfig(
        seed=args.seed,
        scene=args.scene,
        policy=args.policy,
        precision=args.precision,
        calibration=args.calibration,
        record=recording_path(args),
        video=args.video,
    )


def open_from_config(config: SessionConfig, on_event: Listener) -> Session:
    """The session that a configuration asks for."""
    from bidden.adapters.sim.house import open_session

    return open_session(config, on_event=on_event)


def left_behind(config: SessionConfig) -> dict[str, Path]:
    """The files that a session makes, by kind."""
    files = {"video": config.video, "recording": config.record}
    return {kind: path for kind, path in files.items() if path is not None}


@contextmanager
def stop_on_signal(interrupt: Callable[[], None]) -> Iterator[None]:
    """Turn the first Ctrl-C (or TERM) into `interrupt`; the second is immediate."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        restore()
        interrupt()

    for number in numbers:
        signal.signal(number, on_signal)
    try:
        yield
    finally:
        restore()
