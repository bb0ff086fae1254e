"""Recordings read back as the messages that were recorded, torn files included."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from mcap.exceptions import McapError
from mcap.records import Channel, McapRecord, Message, Metadata, Schema
from mcap.stream_reader import CRCValidationError, StreamReader
from zstandard import ZstdError

from bidden.core.errors import RecordingError

from .clock import NS_PER_S
from .codec import Decoder
from .recorder import CONFIG_RECORD, TOTALS_RECORD, RecorderTotals

# what the reader raises where a file ends in the middle of a record or is altered
_TORN = (
    McapError, CRCValidationError, ZstdError, zlib.error, struct.error, ValueError
)  # fmt: skip


class Recorded(NamedTuple):
    """One message of a recording."""

    topic: str
    stamp_ns: int
    message: object


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingSummary:
    """What a recording holds."""

    path: Path
    version: str  # of the program that made it
    config: str  # effective configuration of the run, JSON
    duration_s: float
    counts: dict[str, int] = field(default_factory=dict)  # messages by topic
    totals: RecorderTotals | None = None  # None when the recorder did not finish
    torn: bool = False  # ends in the middle: a crash or a full disk


class Recording:
    """One MCAP file that `Recorder` made.

    Args:
        path: the file.
        decoder: knows the message types; `core.messages` when left out.

    Raises:
        RecordingError: no such file, or not a recording of ours.
    """

    def __init__(self, path: Path, decoder: Decoder | None = None) -> None:
        self.path = path
        self._decoder = decoder or Decoder()
        self.torn = False
        self._channels: dict[int, Channel] = {}
        self._schemas: dict[int, Schema] = {}
        self._metadata: dict[str, dict[str, str]] = {}
        if not path.is_file():
            raise RecordingError(f"no recording at {path}")
        for record in self._records():
            if isinstance(record, Metadata) and record.name == CONFIG_RECORD:
                return
        raise RecordingError(f"{path} is not a recording of bidden")

    @property
    def config(self) -> str:
        """The effective configuration of the run, as JSON."""
        return self._metadata[CONFIG_RECORD]["config"]

    def messages(self, topics: Collection[str] | None = None) -> Iterator[Recorded]:
        """Every message, or those of some topics, in the order they were written.

        Sets `torn` when the file ends in the middle of a record.

        Raises:
            RecordingError: a message type or version that this program does not know.
        """
        for record in self._records():
            if not isinstance(record, Message):
                continue
            channel = self._channels[record.channel_id]
            if topics is not None and channel.topic not in topics:
                continue
            name = self._schemas[channel.schema_id].name
            message = self._decoder.decode(name, record.data)
            yield Recorded(channel.topic, record.log_time, message)

    def summary(self) -> RecordingSummary:
        """What the file holds, read to its end."""
        counts: Counter[str] = Counter()
        first_ns, last_ns = 0, 0
        for record in self._records():
            if isinstance(record, Message):
                first_ns = first_ns if counts else record.log_time
                last_ns = max(last_ns, record.log_time)
                counts[self._channels[record.channel_id].topic] += 1
        totals = self._metadata.get(TOTALS_RECORD)
        return RecordingSummary(
            path=self.path,
            version=self._metadata[CONFIG_RECORD]["version"],
            config=self.config,
            duration_s=max(0, last_ns - first_ns) / NS_PER_S,
            counts=dict(sorted(counts.items())),
            totals=_totals(totals) if totals else None,
            torn=self.torn,
        )

    def _records(self) -> Iterator[McapRecord]:
        """Records from the start until the end or the first torn one."""
        self.torn = False
        with self.path.open("rb") as stream:
            records = StreamReader(stream, validate_crcs=True).records
            while True:
                try:
                    record = next(records, None)
                except _TORN:
                    self.torn = True
                    return
                if record is None:
                    return
                self._take_over(record)
                yield record

    def _take_over(self, record: McapRecord) -> None:
        if isinstance(record, Schema):
            self._decoder.check_schema(record.name, record.data)
            self._schemas[record.id] = record
        elif isinstance(record, Channel):
            self._channels[record.id] = record
        elif isinstance(record, Metadata):
            self._metadata[record.name] = record.metadata


def _totals(values: dict[str, str]) -> RecorderTotals:
    return RecorderTotals(
        written=int(values["written"]),
        dropped=int(values["dropped"]),
        lost=int(values["lost"]),
    )
