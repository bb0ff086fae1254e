"""A tape judged again gives the same verdicts; an altered one does not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bidden.cli.main import main
from bidden.core.messages import Command, Health, Image, Mode, RobotState
from bidden.evaluation.rejudge import rejudge
from bidden.robot import g1
from bidden.safety import EMPTY_SCENE, Limits, Scene, Shield
from bidden.system.events import Heard, Said
from bidden.system.tape import Tape, open_tape

TICK_NS = 20_000_000
START_NS = 5_000_000_000


def state_at(now_ns: int, q: Any) -> RobotState:
    return RobotState(
        stamp_ns=now_ns,
        q=q,
        dq=np.zeros(29),
        torque=np.zeros(29),
        gyro=np.zeros(3),
        gravity=np.array([0.0, 0.0, -1.0]),
        base_pose=np.zeros(3),
        base_velocity=np.zeros(3),
        grip_width=np.full(2, 0.09),
        grip_force=np.zeros(2),
    )


def scene_at(now_ns: int) -> Scene:
    return Scene(
        stamp_ns=now_ns,
        box_centre=np.array([[0.7, 0.0, 0.4]]),
        box_half=np.array([[0.25, 0.5, 0.4]]),
        box_yaw=np.zeros(1),
    )


def make_tape(path: Path, *, limits: Limits, alter: int | None = None) -> list[str]:
    """Wild commands for 4 s: late, NaN, missing, too fast; rungs as judged."""
    rng = np.random.default_rng(5)
    tape = Tape(path, effective={"seed": 1}, limits=limits)
    shield, scene, rungs = Shield(limits), EMPTY_SCENE, []
    q = g1.DEFAULT_Q.copy()
    q[g1.ARMS] = g1.READY_ARMS
    tape(Heard(stamp_ns=START_NS, text="wave"))
    for k in range(200):
        now_ns = START_NS + k * TICK_NS
        if k in (10, 60):
            shield.arm()
            tape.arming(now_ns, event="arm")
        if k == 50:
            shield.disarm()
            tape.arming(now_ns, event="disarm")
        if k % 10 == 0 and k > 30:
            scene = scene_at(now_ns)
        command: Command | None = Command(
            stamp_ns=now_ns,
            source_ns=now_ns - int(rng.uniform(0, 0.3) * 1e9),
            base_velocity=rng.normal(0, 0.5, 3),
            arm_q=g1.READY_ARMS + rng.normal(0, 0.1, 14),
            grip=rng.uniform(0, 1, 2),
        )
        if k % 37 == 0:
            command = None
        elif k % 41 == 0 and command is not None:
            command = replace(command, arm_q=np.full(14, np.nan))
        state = state_at(now_ns, q.copy())
        vetted, verdict = shield.judge(command, state, now_ns=now_ns, scene=scene)
        q[g1.ARMS] = vetted.command.arm_q
        rungs.append(verdict.rung.name)
        if k == alter:
            state = replace(state, gravity=np.array([0.9, 0, -0.4]))
        tape.tick(now_ns, command, state=state, scene=scene, vetted=vetted)
    tape(Said(stamp_ns=now_ns, text="done"))
    tape.close()
    return rungs


def test_tape_gives_the_same_verdicts_again(tmp_path: Path) -> None:
    path = tmp_path / "run.mcap"
    rungs = make_tape(path, limits=Limits(arm_speed=1.0))
    assert len(set(rungs)) > 1
    judged = rejudge(open_tape(path))
    assert judged.is_same
    assert judged.ticks == 200
    assert dict(judged.rungs) == {name: rungs.count(name) for name in set(rungs)}


def test_altered_tape_is_found_and_the_moment_told(tmp_path: Path) -> None:
    path = tmp_path / "run.mcap"
    make_tape(path, limits=Limits(), alter=150)
    judged = rejudge(open_tape(path))
    assert not judged.is_same
    assert judged.first[0].at_s == pytest.approx(3.0)
    assert len(judged.first) <= 5


def test_changed_shield_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.mcap"
    make_tape(path, limits=Limits())
    monkeypatch.setattr(
        "bidden.evaluation.rejudge.Shield", lambda *_: Shield(Limits(arm_speed=0.2))
    )
    assert rejudge(open_tape(path)).different > 10


def test_stops_resets_and_health_are_judged_again(tmp_path: Path) -> None:
    path, shield = tmp_path / "run.mcap", Shield()
    tape = Tape(path, effective={}, limits=Limits())
    q, modes = g1.DEFAULT_Q.copy(), set()
    q[g1.ARMS] = g1.READY_ARMS
    for k in range(120):
        now_ns = START_NS + k * TICK_NS
        if k in (2, 40):
            assert shield.arm() == ()
            tape.arming(now_ns, event="arm")
        if k == 10:
            shield.press("test")
        if k == 30:
            assert shield.reset() == ()
            tape.arming(now_ns, event="reset")
        health = Health(stamp_ns=now_ns, battery=1.0 - k / 130)
        state = state_at(now_ns, q)
        vetted, _ = shield.judge(None, state, now_ns=now_ns, health=health)
        modes.add(shield.mode)
        tape.tick(
            now_ns, None, state=state, scene=EMPTY_SCENE, vetted=vetted,
            health=health, press=shield.taken,
        )  # fmt: skip
    tape.close()
    assert modes >= {Mode.DISARMED, Mode.DEGRADED, Mode.STOPPED}
    judged = rejudge(open_tape(path))
    assert judged.is_same
    assert judged.reasons["estop"] > 10
    assert judged.reasons["battery"] > 5


def test_scene_is_recorded_when_it_changes_and_events_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "run.mcap"
    make_tape(path, limits=Limits())
    counts = open_tape(path).summary().counts
    assert open_tape(path).summary().duration_s == pytest.approx(3.98)
    assert counts == {"arming": 3, "event": 2, "limits": 1, "scene": 17, "tick": 200}
    words = [m.message for m in open_tape(path).messages({"event"})]
    assert isinstance(words[0], Heard)
    assert words[0].text == "wave"


def test_pictures_and_chunks_have_their_own_topics(tmp_path: Path) -> None:
    tape = Tape(tmp_path / "run.mcap", effective=None, limits=Limits())
    tape.image(
        Image(
            stamp_ns=3,
            camera="head",
            rgb=np.zeros((8, 8, 3), np.uint8),
            depth=None,
            K=np.eye(3),
            X_BC=np.eye(4),
        )
    )
    tape.close()
    assert "image/head" in open_tape(tmp_path / "run.mcap").summary().counts


def test_replay_command_says_same_or_exits_with_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.mcap"
    make_tape(path, limits=Limits())
    assert main(["replay", str(path)]) == 0
    assert "every verdict is the same" in capsys.readouterr().out
    make_tape(path, limits=Limits(), alter=150)
    assert main(["replay", str(path)]) == 3
    out = capsys.readouterr().out
    assert "judged differently now" in out
    assert "3.00 s " in out
    assert "recorded" in out
    assert main(["replay", str(path), "--json"]) == 3
    assert '"config":{"seed":1}' in capsys.readouterr().out


def test_replay_of_nothing_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(tmp_path / "gone.mcap")]) == 4
    assert "bidden: no recording at" in capsys.readouterr().err
