"""Many episodes: in order, resumed, counted, and safe from a dying worker."""

import importlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bidden.core.errors import ConfigError, RecordingError
from bidden.evaluation.household import report, suite
from bidden.evaluation.household.episode import Episode, EpisodeRecord
from bidden.evaluation.household.suite import SuiteConfig, evaluate

PLAYERS = """
import os
from bidden.evaluation.household.episode import EpisodeRecord

def fine(episode):
    assert os.environ["OMP_NUM_THREADS"] == "1"
    return EpisodeRecord(
        seed=episode.seed, skill="pick", sayings=("x",), named={}, success=True
    )

def dies_on_odd_seeds(episode):
    if episode.seed % 2:
        os._exit(9)
    return fine(episode)
""".replace(", video=episode.video", "")


@pytest.fixture
def players(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module that spawned workers can import."""
    (tmp_path / "players").mkdir()
    (tmp_path / "players" / "episode_players.py").write_text(PLAYERS)
    monkeypatch.syspath_prepend(str(tmp_path / "players"))
    return importlib.import_module("episode_players")


def here(episodes: list[Episode], **_: object) -> Any:
    """Plays in this process: one in three fails."""
    for episode in episodes:
        success = bool(episode.seed % 3)
        yield EpisodeRecord(
            seed=episode.seed,
            skill=("pick", "wave")[episode.seed % 2],
            sayings=("x",),
            named={},
            success=success,
            cause="" if success else "dropped",
            goals=2,
            goals_done=1 + success,
            ticks=10,
            rungs={"PASS": 9, "SLOW": 1},
            tick_bins={10: 5, -1: 1219},
            sim_s=2.0,
        )


def test_report_adds_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "play_all", here)
    got = evaluate(SuiteConfig(episodes=9, policy="expert"))
    assert (got.episodes, got.success) == (9, 0.6667)
    assert got.goals == report.Rate(n=18, success=0.8333, ci95=got.goals.ci95)
    assert got.per_skill["pick"].n + got.per_skill["wave"].n == 9
    assert got.causes == {"dropped": 3}
    assert got.rungs == {"PASS": 0.9, "SLOW": 0.1}
    assert (got.tick.n, got.tick.worst_ms) == (45, 0.001)
    assert got.policy_step.p50_ms is None
    assert got.seeds == (900_000, 900_008)
    assert got.weights == "none"
    line = msgspec.json.encode(got)
    assert b"\n" not in line
    assert msgspec.json.decode(line)["suite"] == "household"


def test_second_run_goes_on_where_the_first_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played: list[int] = []

    def count(episodes: list[Episode], **_: object) -> Any:
        played.extend(e.seed for e in episodes)
        yield from here(episodes)

    monkeypatch.setattr(suite, "play_all", count)
    config = SuiteConfig(episodes=4, policy="expert", out=str(tmp_path / "out"))
    evaluate(config)
    with (tmp_path / "out" / "episodes.jsonl").open("ab") as stream:
        stream.write(b'{"seed": 900004, "torn')
    seen: list[int] = []
    more = msgspec.structs.replace(config, episodes=6)
    got = evaluate(more, lambda record: seen.append(record.seed))
    assert played == [900_000 + k for k in range(6)]
    assert seen == played
    assert got.episodes == 6
    fewer = msgspec.structs.replace(config, episodes=2)
    assert evaluate(fewer).episodes == 2
    assert len(played) == 6


def test_folder_of_another_suite_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite, "play_all", here)
    config = SuiteConfig(episodes=1, policy="expert", out=str(tmp_path))
    evaluate(config)
    other = msgspec.structs.replace(config, policy="random")
    with pytest.raises(ConfigError, match="holds another suite"):
        evaluate(other)


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    config = SuiteConfig(episodes=1, policy="expert", out=str(tmp_path / "file" / "x"))
    with pytest.raises(RecordingError, match=r"cannot use .*file/x"):
        evaluate(config)


def test_failures_are_filmed_by_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    films: list[str] = []

    def film(episodes: list[Episode], **_: object) -> Any:
        films.extend(Path(e.video).name for e in episodes if e.video)
        yield from here(episodes)

    monkeypatch.setattr(suite, "play_all", film)
    evaluate(SuiteConfig(episodes=4, policy="expert", videos=str(tmp_path)))
    assert films == ["dropped-900000.mp4", "dropped-900003.mp4"]


def test_workers_run_on_one_thread_each(players: Any) -> None:
    plan = SuiteConfig(episodes=3, policy="expert").plan()
    records = list(suite.play_all(plan, workers=2, play_one=players.fine))
    assert sorted(r.seed for r in records) == [e.seed for e in plan]
    assert all(r.success for r in records)


def test_processes_are_renewed_and_nothing_is_lost(
    players: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite, "_EPISODES_PER_PROCESS", 2)
    plan = SuiteConfig(episodes=5, policy="expert").plan()
    records = list(suite.play_all(plan, workers=1, play_one=players.fine))
    assert sorted(r.seed for r in records) == [e.seed for e in plan]


def test_dying_worker_costs_its_own_episode_only(players: Any) -> None:
    plan = SuiteConfig(episodes=3, policy="expert").plan()
    records = {
        r.seed: r
        for r in suite.play_all(plan, workers=1, play_one=players.dies_on_odd_seeds)
    }
    assert {s: r.success for s, r in records.items()} == {
        900_000: True, 900_001: False, 900_002: True,
    }  # fmt: skip
    assert records[900_001].cause == "crash"
    assert records[900_001].detail == "the process died"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"seed": 899_999}, "seed 899999 belongs to training"),
        ({"seed": -1}, "seed -1 belongs to training"),
        ({"episodes": 0}, "episodes and workers are at least 1, got 0 and 1"),
        ({"split": "sen"}, "unknown split 'sen'; did you mean 'seen'?"),
    ],
)
def test_config_refuses_nonsense(changes: Any, text: str) -> None:
    with pytest.raises(ConfigError, match=text.replace("?", r"\?")):
        SuiteConfig(**changes)


def test_machine_and_weights_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "cores" in report.machine()
    assert report.weights_hash("int8") == report.weights_hash("int8")
