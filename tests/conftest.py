"""Nothing in the suite reaches the network; pictures are drawn as in a run."""

from __future__ import annotations

import contextlib
import socket

import pytest

from bidden.adapters.sim.gl import choose_gl
from bidden.core.errors import RobotError

with contextlib.suppress(RobotError):  # tests that draw say what is missing
    choose_gl()  # before the first import of mujoco


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def local_only(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else "localhost"
        if host not in ("localhost", "127.0.0.1", "::1"):
            raise AssertionError(f"a test tried to reach {host}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", local_only)
