"""Frames between processes: whole or not at all, and no wait without an end."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidden.core.errors import RobotError
from bidden.runtime.clock import stopwatch_ns
from bidden.runtime.processes.child import FRAME_MAX, MARK, Child, Wire

WALKER = "bidden.evaluation.faults.misbehaving:Walker"


@pytest.fixture
def pair() -> Iterator[tuple[Wire, Wire]]:
    one, other = map(Wire, socket.socketpair())
    yield one, other
    one.close()
    other.close()


def test_frames_arrive_whole_and_in_order(pair: tuple[Wire, Wire]) -> None:
    one, other = pair
    frames = [b"", b"x", os.urandom(3000)]
    for frame in frames:
        assert one.send(frame)
    assert [other.receive(0.1) for _ in frames] == frames
    assert other.receive(0.0) is None
    assert other.is_open


def test_a_frame_longer_than_the_socket_goes_in_pieces(pair: tuple[Wire, Wire]) -> None:
    one, other = pair
    frame = os.urandom(2_000_000)
    assert one.send(frame)
    assert not one.send(b"next")  # the first is still under way: refused, not queued
    got = None
    while got is None:
        one.finish(0.001)
        got = other.receive(0.01)
    assert got == frame
    assert one.send(b"next")


def test_receiving_ends_in_time(pair: tuple[Wire, Wire]) -> None:
    began = stopwatch_ns()
    assert pair[0].receive(0.05) is None
    assert 0.045e9 < stopwatch_ns() - began < 1e9


def test_an_end_is_noticed_from_both_sides(pair: tuple[Wire, Wire]) -> None:
    one, other = pair
    other.close()
    assert one.receive(1.0) is None
    assert not one.is_open
    assert not one.send(b"x")


def test_what_was_sent_before_the_end_is_still_read(pair: tuple[Wire, Wire]) -> None:
    one, other = pair
    one.send(b"last words")
    one.close()
    assert other.receive(1.0) == b"last words"
    assert other.receive(1.0) is None


@pytest.mark.parametrize(
    "junk", [b"hello, I am a log line", MARK + (FRAME_MAX + 1).to_bytes(4, "little")]
)
def test_nonsense_ends_the_wire(junk: bytes) -> None:
    raw, other = socket.socketpair()
    wire = Wire(other)
    raw.sendall(junk)
    assert wire.receive(0.5) is None
    assert not wire.is_open
    wire.close()
    raw.close()


def test_a_frame_that_is_too_long_is_refused(pair: tuple[Wire, Wire]) -> None:
    with pytest.raises(RobotError, match=r"a frame of 16777217 bytes, at most"):
        pair[0].send(bytes(FRAME_MAX + 1))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=6))
def test_any_bytes_are_survived(pieces: list[bytes]) -> None:
    raw, other = socket.socketpair()
    wire = Wire(other)
    for piece in pieces:
        raw.sendall(MARK + piece if len(piece) % 2 else piece)
    raw.close()
    with contextlib.closing(wire):
        for _ in range(20):
            wire.receive(0.01)
        assert not wire.is_open


def test_a_child_ends_when_we_hang_up() -> None:
    with Child("bidden.system.processes.serve", [WALKER]) as child:
        assert child.wire.receive(30.0)  # it is ready
        assert child.is_alive
    assert not child.is_alive
    child.signal(signal.SIGTERM)  # to nobody: nothing happens
