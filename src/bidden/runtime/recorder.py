"""Writes every message to one MCAP file, on its own thread, without ever waiting.

The control loop only appends to a bounded ring. When the writer falls behind the
oldest messages are dropped and counted; when the disk fills up it warns once, keeps
what is on disk readable and counts what was lost.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self, cast

import msgspec
from mcap.writer import CompressionType, Writer

from bidden import __version__
from bidden.core.errors import ConfigError, RecordingError
from bidden.core.messages import Image

from .clock import NS_PER_S
from .codec import SCHEMA_VERSION, describe, encode

_log = logging.getLogger(__name__)
CONFIG_RECORD = "bidden.config"
TOTALS_RECORD = "bidden.totals"
_CHUNK_BYTES = 256 * 1024  # what a hard kill may lose, about a second of a run
_WAKE_S = 0.2
_CLOSE_S = 30.0


class RecorderConfig(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """How a run is recorded."""

    path: str  # MCAP file to make; its folder is made when missing
    ring_messages: int = 4096  # waiting messages, about 20 s of a run in real time
    ring_images: int = 16  # waiting camera frames
    image_period_s: float = 0.2  # least time between recorded frames of a camera [s]

    def __post_init__(self) -> None:
        if not (self.ring_messages >= 1 and self.ring_images >= 1):
            raise ConfigError("a recorder's rings hold at least one message each")
        if not self.image_period_s >= 0:
            raise ConfigError(f"image_period_s must be >= 0, got {self.image_period_s}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderTotals:
    """What became of the messages."""

    written: int = 0
    dropped: int = 0  # pushed out of a full ring
    lost: int = 0  # could not be written


class _Entry(NamedTuple):
    topic: str
    stamp_ns: int
    message: object


class Recorder:
    """One recording. `put` may be called from any thread; use as a context manager.

    Args:
        config: where and how.
        effective: the effective configuration of the run, carried in the file; any
            value that msgspec can write.

    Raises:
        RecordingError: the file cannot be made.
    """

    def __init__(self, config: RecorderConfig, *, effective: object = None) -> None:
        self._config = config
        self._rings: tuple[deque[_Entry], deque[_Entry]] = (deque(), deque())
        self._wake = threading.Condition()
        self._closing = False
        self._dropped = 0
        self._last_image_ns: dict[str, int] = {}
        self._file = _McapFile(Path(config.path), effective)
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self._config.path)

    def put(self, topic: str, message: object, *, stamp_ns: int) -> None:
        """Take over one frozen message; returns at once, never raises.

        Frames of one camera closer than `image_period_s` are left out.
        """
        image = isinstance(message, Image)
        with self._wake:
            if self._closing or (image and self._too_soon(topic, stamp_ns)):
                return
            ring = self._rings[image]
            limit = self._config.ring_images if image else self._config.ring_messages
            if len(ring) >= limit:
                ring.popleft()
                self._dropped += 1
            ring.append(_Entry(topic, stamp_ns, message))
            self._wake.notify()

    def _too_soon(self, topic: str, stamp_ns: int) -> bool:
        last_ns = self._last_image_ns.get(topic)
        period_ns = int(self._config.image_period_s * NS_PER_S)
        if last_ns is not None and 0 <= stamp_ns - last_ns < period_ns:
            return True
        self._last_image_ns[topic] = stamp_ns
        return False

    def totals(self) -> RecorderTotals:
        """Counts so far; final after `close`."""
        with self._wake:
            waiting = sum(map(len, self._rings)) if not self._thread.is_alive() else 0
            return RecorderTotals(
                written=self._file.written,
                dropped=self._dropped,
                lost=self._file.lost + waiting,
            )

    def close(self) -> None:
        """Write what is waiting and finish the file; safe to repeat, never raises."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join(timeout=_CLOSE_S)
        atexit.unregister(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self) -> None:
        while True:
            with self._wake:
                if not (self._closing or any(self._rings)):
                    self._wake.wait(_WAKE_S)
                closing = self._closing
                batch = sorted((*self._rings[0], *self._rings[1]), key=_stamp)
                for ring in self._rings:
                    ring.clear()
            for entry in batch:
                self._file.write(entry)
            if closing and not batch:
                break
        self._file.finish(self._dropped)


def _stamp(entry: _Entry) -> int:
    return entry.stamp_ns


class _WholeWrites:
    """An unbuffered file: a write is whole or raises, at once and only once."""

    def __init__(self, path: Path) -> None:
        self._raw = open(path, "wb", buffering=0)  # noqa: SIM115  # lives as long as self

    def write(self, data: bytes) -> int:
        left = memoryview(data)
        while left:
            left = left[self._raw.write(left) :]
        return len(data)

    def tell(self) -> int:
        return self._raw.tell()

    def close_at(self, size: int) -> None:
        try:
            self._raw.truncate(size)
        finally:
            self._raw.close()


class _McapFile:
    """The file itself; only the writing thread touches it after construction."""

    def __init__(self, path: Path, effective: object) -> None:
        self.written = 0
        self.lost = 0
        self._path = path
        self._broken = False
        self._in_chunk = 0  # messages not on the disk yet
        self._channels: dict[tuple[str, type], int] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = _WholeWrites(path)
            self._writer = Writer(
                cast("IO[bytes]", self._stream),
                chunk_size=_CHUNK_BYTES,
                compression=CompressionType.ZSTD,
            )
            self._writer.start(profile="bidden", library=f"bidden {__version__}")
            self._metadata(
                CONFIG_RECORD,
                {
                    "version": __version__,
                    "schema_version": str(SCHEMA_VERSION),
                    "config": msgspec.json.encode(effective, enc_hook=str).decode(),
                },
            )
        except OSError as error:
            raise RecordingError(
                f"cannot make the recording {path}: {error}"
            ) from error
        self._good_bytes = self._stream.tell()

    def _metadata(self, name: str, data: Mapping[str, str]) -> None:
        self._writer.add_metadata(name, dict(data))

    def write(self, entry: _Entry) -> None:
        if self._broken:
            self.lost += 1
            return
        try:
            data = encode(entry.message)
            self._writer.add_message(
                channel_id=self._channel(entry.topic, type(entry.message)),
                log_time=max(0, entry.stamp_ns),
                publish_time=max(0, entry.stamp_ns),
                data=data,
            )
            self._count_one()
        except RecordingError as error:
            self.lost += 1
            if self.lost == 1:
                _log.warning("recording loses messages: path=%s %s", self._path, error)
        except OSError as error:
            self.lost += 1
            self._give_up(error)

    def _count_one(self) -> None:
        self.written += 1
        self._in_chunk += 1
        if self._stream.tell() != self._good_bytes:  # the chunk went to the disk
            self._good_bytes = self._stream.tell()
            self._in_chunk = 0

    def _channel(self, topic: str, kind: type) -> int:
        key = (topic, kind)
        if key not in self._channels:
            schema = self._writer.register_schema(
                kind.__name__, "bidden", describe(kind)
            )
            self._channels[key] = self._writer.register_channel(
                topic, "msgpack", schema
            )
        return self._channels[key]

    def _give_up(self, error: OSError) -> None:
        """Keep the whole records that are on disk, and write no more."""
        self._broken = True
        self.written -= self._in_chunk
        self.lost += self._in_chunk
        _log.warning(
            "recording stopped: path=%s %s; the run goes on", self._path, error
        )
        try:
            self._stream.close_at(self._good_bytes)
        except OSError:
            _log.debug("could not tidy the recording", exc_info=True)

    def finish(self, dropped: int) -> None:
        if self._broken:
            return
        try:
            totals = {"dropped": dropped, "lost": self.lost, "written": self.written}
            self._metadata(TOTALS_RECORD, {k: str(v) for k, v in totals.items()})
            self._writer.finish()  # type: ignore[no-untyped-call]  # mcap forgot it
            self._stream.close_at(self._stream.tell())
        except OSError as error:
            self._give_up(error)
