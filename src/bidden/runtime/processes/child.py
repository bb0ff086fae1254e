"""Other processes of ours: started, spoken to in frames, never waited for without end.

A frame is a mark, a length and that many bytes, over a pair of connected sockets that
only the two processes hold. What comes in is data: the reader decides what to make of
it. A wrong mark or length ends the connection, because nothing after it can be trusted.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from bidden.core.errors import RobotError
from bidden.runtime.clock import NS_PER_MS, stopwatch_ns

MARK: Final = b"bdn1"
FRAME_MAX: Final = 16 * 1024 * 1024  # bytes; a head camera's frame has 0.7 MB
_HEAD: Final = struct.Struct("<4sI")
_READ: Final = 256 * 1024
_END_S: Final = 20.0  # that a killed process may take to go, on a busy machine


class Wire:
    """Frames over one connected stream socket. One thread uses it.

    Sending never waits: one frame may be under way, and a second is refused until the
    first has gone. Receiving waits as long as it is told to.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._socket.settimeout(0.0)
        self._in = bytearray()
        self._out = memoryview(b"")
        self.is_open = True  # the other end is there, as far as we know

    @staticmethod
    def of_descriptor(number: int) -> Wire:
        """The wire that a parent process passed on."""
        return Wire(socket.socket(fileno=number))

    def send(self, frame: bytes) -> bool:
        """Begin to send one frame; False when the last has not gone, or nobody reads.

        Raises:
            RobotError: the frame is longer than `FRAME_MAX`.
        """
        if not len(frame) <= FRAME_MAX:
            raise RobotError(f"a frame of {len(frame)} bytes, at most {FRAME_MAX}")
        self._flush()
        if self._out or not self.is_open:
            return False
        self._out = memoryview(_HEAD.pack(MARK, len(frame)) + frame)
        self._flush()
        return self.is_open

    def detach(self) -> int:
        """Give the descriptor away; the wire is of no use after that."""
        self.is_open = False
        return self._socket.detach()

    def receive(self, timeout_s: float | None = 0.0) -> bytes | None:
        """The oldest frame, or None when none came in time or the wire has ended.

        Args:
            timeout_s: how long to wait [s]; None waits until the other end closes.
        """
        until_ns = None if timeout_s is None else stopwatch_ns() + int(timeout_s * 1e9)
        while True:
            frame = self._take()
            if frame is not None or not self.is_open:
                return frame  # what came before an end is still given
            left_ms = None
            if until_ns is not None:
                left_ms = max(0.0, (until_ns - stopwatch_ns()) / NS_PER_MS)
            if not self._exchange(left_ms):
                return None

    def finish(self, timeout_s: float) -> bool:
        """Wait until what is under way has gone; False when it has not."""
        until_ns = stopwatch_ns() + int(timeout_s * 1e9)
        while self._out and self.is_open and stopwatch_ns() < until_ns:
            self._exchange(10.0)
        return not self._out

    def close(self) -> None:
        """Hang up; safe to repeat."""
        self.is_open = False
        self._socket.close()

    def _take(self) -> bytes | None:
        """One whole frame out of what has come, if there is one."""
        if len(self._in) < _HEAD.size:
            return None
        mark, length = _HEAD.unpack_from(self._in)
        if mark != MARK or not length <= FRAME_MAX:
            self.close()
            return None
        end = _HEAD.size + length
        if len(self._in) < end:
            return None
        frame = bytes(memoryview(self._in)[_HEAD.size : end])
        del self._in[:end]
        return frame

    def _exchange(self, timeout_ms: float | None) -> bool:
        """Move bytes both ways, once; False when the time passed with nothing."""
        watcher = select.poll()
        wanted = select.POLLIN | (select.POLLOUT if self._out else 0)
        watcher.register(self._socket, wanted)
        ready = watcher.poll(timeout_ms)
        if not ready:
            return False
        if self._out:
            self._flush()
        if self.is_open and ready[0][1] & (select.POLLIN | select.POLLHUP):
            self._read()
        return True

    def _flush(self) -> None:
        try:
            while self._out:
                self._out = self._out[self._socket.send(self._out) :]
        except BlockingIOError:
            return
        except OSError:
            self.is_open = False

    def _read(self) -> None:
        try:
            data = self._socket.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.is_open = False
        self._in += data


class Child:
    """One Python module that runs in a process of its own, with a wire to it.

    It gets its end of the wire as `--fd N`, and ends when the wire does. Ctrl-C on a
    terminal reaches us alone.

    Args:
        module: run as `python -m MODULE --fd N ARGUMENTS`.
        arguments: more words for it.
        share: descriptors that it gets as well.
    """

    def __init__(
        self, module: str, arguments: Sequence[str] = (), *, share: Sequence[int] = ()
    ) -> None:
        ours, theirs = socket.socketpair()
        try:
            self._process = subprocess.Popen(
                [
                    sys.executable, "-m", module, "--fd", str(theirs.fileno()),
                    *arguments,
                ],
                pass_fds=(theirs.fileno(), *share),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            ours.close()
            raise RobotError(f"cannot start {module}: {error.strerror}") from error
        finally:
            theirs.close()
        self.wire = Wire(ours)

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """It has not ended."""
        return self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when it has ended."""
        if self.is_alive:
            os.kill(self.pid, number)

    def close(self) -> None:
        """Hang up, and see to it that the process ends; safe to repeat."""
        self.wire.close()
        try:
            self._process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=_END_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
