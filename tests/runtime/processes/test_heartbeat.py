"""Stamps that several processes share."""

from __future__ import annotations

import os
import subprocess
import sys

from bidden.runtime.processes.heartbeat import Beat, Heartbeats


def test_a_heart_that_never_beat_is_very_old() -> None:
    beats = Heartbeats()
    assert all(beats.age_s(which) > 1e6 for which in Beat)
    beats.beat(Beat.CONTROL)
    assert 0.0 <= beats.age_s(Beat.CONTROL) < 1.0
    assert beats.age_s(Beat.MONITOR) > 1e6
    beats.close()


def test_two_holders_see_the_same_page() -> None:
    one = Heartbeats()
    other = Heartbeats(os.dup(one.descriptor))
    other.beat(Beat.STROKE)
    assert one.age_s(Beat.STROKE) < 1.0
    assert other.age_s(Beat.CONTROL) > 1e6  # the second holder clears nothing
    other.close()
    one.close()
    one.close()


def test_another_process_beats_on_the_same_clock() -> None:
    beats = Heartbeats()
    code = (
        "from bidden.runtime.processes.heartbeat import Beat, Heartbeats\n"
        f"Heartbeats({beats.descriptor}).beat(Beat.MONITOR)\n"
    )
    subprocess.run(
        [sys.executable, "-c", code], pass_fds=[beats.descriptor], check=True
    )
    assert 0.0 <= beats.age_s(Beat.MONITOR) < 30.0
    beats.close()
