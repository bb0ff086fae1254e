"""Priority in real time: asked for in a process of its own, because it stays."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import os, resource
{limit}
from bidden.runtime.realtime import ask_for_priority, calm_garbage
got = ask_for_priority()
calm_garbage()
fifo = os.sched_getscheduler(0) == os.SCHED_FIFO
nicer = os.getpriority(os.PRIO_PROCESS, 0) < 0
print(got, fifo, nicer)
"""
UNPRIVILEGED = "os.setuid(65534) if os.getuid() == 0 else None"


def answer(limit: str) -> list[str]:
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(limit=limit)],
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.split()


def test_it_says_what_it_got() -> None:
    got, fifo, nicer = answer("")
    assert (got == "fifo") == (fifo == "True")
    assert got in ("nice", "fifo") or nicer == "False"


def test_without_the_right_nothing_breaks() -> None:
    limit = "import bidden.runtime.realtime; " + UNPRIVILEGED
    got, _, _ = answer(limit)
    assert got in ("normal", "nice", "fifo")
