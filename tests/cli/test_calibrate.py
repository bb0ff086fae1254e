"""`bidden calibrate`: what it writes, what it promises, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bidden.brain.policy.uncertainty import Calibration
from bidden.cli.main import main
from bidden.core.messages import ActionChunk, Goal, Observation, RobotState, Skill
from bidden.evaluation.doubt import collect as collecting
from bidden.evaluation.doubt.collect import Case
from bidden.evaluation.doubt.trail import Trail, TrailWatch
from bidden.evaluation.household.episode import EpisodeRecord


def trail_of(case: Case) -> Trail:
    """Three waves of the hand; every tenth fails."""
    watch, goal = TrailWatch(), Goal(skill=Skill.WAVE, instruction="wave")
    watch.reset(goal)
    rng = np.random.default_rng(case.seed)
    zero = {"torque": 29, "gyro": 3, "base_pose": 3, "base_velocity": 3}
    for step in range(3):
        stamp_ns = step * 200_000_000
        state = RobotState(
            stamp_ns=stamp_ns,
            q=np.zeros(29),
            dq=np.zeros(29),
            gravity=np.array([0.0, 0.0, -1.0]),
            grip_width=np.full(2, 0.09),
            grip_force=np.zeros(2),
            **{name: np.zeros(n) for name, n in zero.items()},
        )
        o = Observation(
            stamp_ns=stamp_ns,
            state=state,
            images={},
            goal=goal,
            started_ns=0,
            start_pose=np.zeros(3),
            hand_target=np.zeros((2, 6)),
            grip_command=np.zeros(2),
        )
        actions = rng.normal(0, 0.1, (8, 12))
        watch.judge(ActionChunk(stamp_ns=0, actions=actions, spread=0 * actions), o)
    record = EpisodeRecord(
        seed=case.seed, skill="wave", sayings=("wave",), named={},
        success=case.seed % 10 != 0,
    )  # fmt: skip
    return watch.trail(record, policy=case.policy, weights="w")


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[Case]:
    asked: list[Case] = []

    def here(cases: Sequence[Case], folder: Path, **_: Any) -> Iterator[Trail]:
        for case in reversed(cases):  # they end in any order
            asked.append(case)
            yield trail_of(case)

    monkeypatch.setattr(collecting, "collect", here)
    return asked


def test_it_writes_what_it_learned_and_says_what_it_promises(
    played: list[Case], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "doubt.json"
    argv = ["calibrate", "--policy", "expert", "--episodes", "60", "--out", str(out)]
    assert main(argv) == 0
    made = Calibration.load(out)
    assert (made.policy, made.weights, made.episodes) == ("expert", "w", 60)
    assert (made.seeds, len(made.maxima)) == ((700_000, 700_059), 54)
    assert made.made_by.startswith("bidden calibrate --policy expert")
    said, told = capsys.readouterr()
    assert "54 of 60 episodes went well" in said
    assert "at most 20 in 100 are ever slowed, at most 2 are ever held" in said
    assert "60/60 episodes, 54 of 60 went well" in told
    assert {case.policy for case in played} == {"expert"}


def test_the_line_in_the_file_makes_the_same_file(
    played: list[Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    argv = ["calibrate", "--episodes", "60", "--seed", "710001", "--out", "a.json"]
    assert main([*argv, "--slow-alpha", "0.3"]) == 0
    first = Path("a.json").read_bytes()
    line = Calibration.load(Path("a.json")).made_by
    assert line.startswith("bidden ")
    assert main(line.split()[1:]) == 0
    assert Path("a.json").read_bytes() == first


def test_json_is_one_line(
    played: list[Case], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "doubt.json"
    assert main(["calibrate", "--episodes", "60", "--out", str(out), "--json"]) == 0
    tree = json.loads(capsys.readouterr().out)
    assert tree["out"] == str(out)
    assert (tree["episodes"], tree["successes"], tree["alpha"]) == (60, 54, 0.02)
    assert len(tree["data"]) == 64


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--episodes", "10"], "9 successes of 10 episodes"),
        (["--episodes", "0"], "episodes and workers are at least 1"),
        (["--episodes", "40", "--alpha", "0.5"], "alpha"),
        (["--episodes", "40", "--alpha", "0"], "alpha"),
        (["--seed", "900000"], "belongs to evaluation"),
    ],
)
def test_what_cannot_be_promised_is_refused(
    played: list[Case], tmp_path: Path, flags: list[str], complaint: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    out = tmp_path / "doubt.json"
    assert main(["calibrate", "--out", str(out), *flags]) == 2
    assert complaint in capsys.readouterr().err
    assert not out.exists()


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["calibrate", "--help"])
    said = capsys.readouterr().out
    for word in (
        "policy_uncertain",
        "--alpha",
        "share of them",
        "the same line goes on",
    ):
        assert word in said


def test_run_takes_a_calibration(session: Any, tmp_path: Path) -> None:
    main(["run", "wave", "--calibration", "doubt.json", "--json"])
    assert session.config.calibration == Path("doubt.json")
