"""Bytes from another process are data: any of them gives a chunk or a reason."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidden.core.errors import RecordingError
from bidden.core.messages import ActionChunk, Grounding
from bidden.system.processes.words import (
    Answer,
    Ask,
    pack,
    pack_message,
    read_answer,
    read_ask,
    read_chunk,
)

STAMP = 1_000_000_000


def chunk(**changes: object) -> bytes:
    fields: dict[str, object] = {
        "stamp_ns": STAMP,
        "actions": np.zeros((8, 12)),
        "spread": np.zeros((8, 12)),
    }
    return pack_message(ActionChunk(**(fields | changes)))  # type: ignore[arg-type]


def test_a_good_chunk_comes_through() -> None:
    place = Grounding(
        role="object", phrase="red cube", p_B=np.ones(3), spread_m=0.1, confidence=0.9
    )
    read, flaw = read_chunk(chunk(groundings=(place,), note="why?"), stamp_ns=STAMP)
    assert not flaw
    assert read is not None
    assert read.actions.shape == (8, 12)
    assert not read.actions.flags.writeable
    assert read.groundings[0].p_B.tolist() == [1, 1, 1]


NOWHERE = Grounding(
    role="object", phrase="x", p_B=np.full(3, np.nan), spread_m=0.1, confidence=0.9
)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"actions": np.zeros((8, 11))}, "of shape"),
        ({"actions": np.zeros((8, 12), complex)}, "not finite"),
        ({"actions": np.full((8, 12), "x")}, "not finite"),
        ({"actions": np.full((8, 12), np.nan)}, "not finite"),
        ({"actions": np.zeros((80, 12))}, "more than 64 steps"),
        ({"period_s": 1e9}, "more than 64 steps"),
        ({"period_s": 0.0}, "a period of"),
        ({"stamp_ns": STAMP + 1}, "another observation"),
        ({"spread": np.zeros(3)}, "spread"),
        ({"spread": np.full((8, 12), np.inf)}, "spread"),
        ({"groundings": (NOWHERE,)}, "not a point"),
    ],
)
def test_a_flaw_is_named(changes: dict[str, object], why: str) -> None:
    read, flaw = read_chunk(chunk(**changes), stamp_ns=STAMP)
    assert read is None
    assert why in flaw


@settings(max_examples=300, deadline=None)
@given(
    at=st.integers(0, 3000),
    value=st.integers(0, 255),
    cut=st.integers(0, 3000),
    junk=st.binary(max_size=20),
)
def test_altered_bytes_give_a_chunk_or_a_reason(
    at: int, value: int, cut: int, junk: bytes
) -> None:
    data = bytearray(chunk())
    data[at % len(data)] = value
    for body in (bytes(data), bytes(data[:cut]), bytes(data) + junk, junk):
        read, flaw = read_chunk(body, stamp_ns=STAMP)
        assert (read is None) == bool(flaw)
        if read is not None:
            assert np.isfinite(read.actions).all()
            assert read.actions.shape[1] == 12


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_frames_of_nonsense_are_refused(frame: bytes) -> None:
    for read in (read_answer, read_ask):
        with pytest.raises(RecordingError):
            read(frame)


def test_another_version_is_refused() -> None:
    with pytest.raises(RecordingError, match="version 2 of the wire, not 1"):
        read_answer(pack(Answer(number=1, version=2)))
    with pytest.raises(RecordingError, match="not a frame of ours"):
        read_answer(pack(Ask(number=1, what="act", body=b"")))
