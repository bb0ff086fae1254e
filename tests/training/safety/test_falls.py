"""Runs that may end in a fall: played, kept, learned from and measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bidden.adapters.sim.gl import choose_gl
from bidden.safety.foresight.falls import FALLING_INPUTS
from bidden.safety.foresight.risk import NetData, load_risk

choose_gl()
from bidden.training.safety import data as files  # noqa: E402  # imports mujoco
from bidden.training.safety import train  # noqa: E402
from bidden.training.safety.__main__ import joined  # noqa: E402
from bidden.training.safety.falls import (  # noqa: E402
    BRANCHES,
    COLUMNS,
    Falls,
    Run,
    load_runs,
    save_runs,
)

WIDTH = sum(width for _, width in COLUMNS)


def run_of(seed: int, *, ticks: int = 60, fell: bool = False) -> Run:
    states = np.random.default_rng(seed).normal(size=(ticks, WIDTH)).astype("f4")
    return Run(
        seed=seed, cause="push", states=states, fell=fell, onset=20, change=0.5,
        landed_s=0.1 if fell else float("nan"),
    )  # fmt: skip


def by_input(name: str) -> tuple[NetData, ...]:
    """Log-odds that are one input, as long as it is small."""
    count = len(FALLING_INPUTS)
    weights = tuple((1e-3,) if n == name else (0.0,) for n in FALLING_INPUTS)
    zeros, ones = (0.0,) * count, (1.0,) * count
    net = NetData(
        inputs=FALLING_INPUTS, mean=zeros, scale=ones,
        layers=(weights, ((1e3,),)), biases=((0.0,), (0.0,)),
    )  # fmt: skip
    return (net,)


def scored(*scores: float) -> np.ndarray:
    """Inputs whose tilt is the score."""
    x = np.zeros((len(scores), len(FALLING_INPUTS)))
    x[:, FALLING_INPUTS.index("tilt")] = scores
    return x


# -- played -------------------------------------------------------------------------
@pytest.fixture(scope="module")
def falls() -> Falls:
    return Falls()


def test_the_same_seed_gives_the_same_run(falls: Falls) -> None:
    one, two = falls.play(720_000), falls.play(720_000)
    assert np.array_equal(one.states, two.states)
    assert (one.cause, one.change, one.onset) == (two.cause, two.change, two.onset)
    assert 20 <= one.onset < 70 < len(one.states)


def test_a_fall_ends_a_run_and_then_the_body_lands(falls: Falls) -> None:
    run = next(r for k in range(9) if (r := falls.play(720_003 + k)).fell)
    assert 0.0 <= run.landed_s <= 0.8
    assert len(run.states) < run.onset + 125


def test_nothing_but_soles_is_on_the_floor_when_it_stands(falls: Falls) -> None:
    falls.rig.stand(0.0, 0.0, 0.0)
    assert 0.0 < falls.lowest() < 0.06


def test_a_family_parts_at_one_moment_towards_the_verge(falls: Falls) -> None:
    runs = falls.family(730_000)
    assert len(runs) == BRANCHES
    onset = runs[0].onset
    for run in runs[1:]:
        assert run.onset == onset
        assert np.array_equal(run.states[:onset], runs[0].states[:onset])
        assert not np.array_equal(run.states[onset + 20], runs[0].states[onset + 20])
    pushes = [run.change for run in runs]
    assert {run.cause for run in runs} == {"push"}
    for k, run in enumerate(runs[:-1]):
        later = pushes[k + 1 :]
        assert all((p < run.change) == run.fell for p in later)


# -- kept ---------------------------------------------------------------------------
def test_runs_come_back_from_a_file(tmp_path: Path) -> None:
    runs = [run_of(1), run_of(2, ticks=30, fell=True)]
    save_runs(runs, tmp_path / "r.npz")
    back = load_runs(tmp_path / "r.npz")
    for run, again in zip(runs, back, strict=True):
        assert np.array_equal(run.states, again.states)
        assert (run.seed, run.cause, run.fell) == (again.seed, again.cause, again.fell)
        assert (run.onset, run.change) == (again.onset, again.change)
    assert np.isnan(back[0].landed_s)
    assert back[1].landed_s == 0.1
    assert [path.name for path in tmp_path.iterdir()] == ["r.npz"]


def test_a_collection_goes_on_where_it_was_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played: list[int] = []

    class Fake:
        def play(self, seed: int) -> Run:
            if seed == cut_at:
                raise KeyboardInterrupt
            played.append(seed)
            return run_of(seed)

    monkeypatch.setattr(files, "Falls", Fake)
    monkeypatch.setattr(files, "RUNS_A_FILE", 2)
    cut_at = 105
    said: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        files.runs_in(tmp_path, seed=100, count=7, say=said.append)
    assert played == [100, 101, 102, 103, 104]
    cut_at = -1
    runs = files.runs_in(tmp_path, seed=100, count=7, say=said.append)
    assert [run.seed for run in runs] == [100, 101, 102, 103, 104, 105, 106]
    assert played[5:] == [104, 105, 106, 107]  # 104 went with its file
    assert said[-1] == "run 6 of 7, seed 106"
    assert len(files.runs_in(tmp_path, seed=100, count=3)) == 3
    assert len(played) == 9


# -- learned and measured -----------------------------------------------------------
def test_the_alarm_is_the_score_that_few_calm_runs_reach() -> None:
    runs = [run_of(k) for k in range(200)] + [run_of(999, fell=True)]
    inputs = [scored(0.0, 0.01 * k, 0.0) for k in range(200)] + [scored(0.0, 5.0)]
    alarm = train.set_alarm(by_input("tilt"), runs, inputs)
    assert alarm == pytest.approx(0.01 * 199 * (1 - train.FALSE_ALARMS), abs=1e-3)


def test_leads_recall_and_false_alarms() -> None:
    risk = load_risk()
    kept = {f: getattr(risk, f) for f in risk.__struct_fields__}
    risk = type(risk)(**{**kept, "falling": by_input("tilt"), "alarm": 1.0})
    quiet = [0.0] * 20
    runs = [run_of(k, fell=k < 4) for k in range(8)]
    inputs = [
        scored(*quiet, 2.0, *[0.0] * 10),  # 0.20 s ahead
        scored(*quiet, 2.0, *[0.0] * 6),  # 0.12 s before the fall, 0.22 s the landing
        scored(*quiet, 2.0, *[0.0] * 2),  # too late for both
        scored(*quiet, *[0.0] * 10),  # never
        scored(*quiet, 2.0, 0.0),  # a false alarm
        *[scored(*quiet)] * 3,
    ]
    figures = train.fall_figures(risk, runs, inputs)
    assert set(figures) == {"all", "push"}
    assert figures["all"] == figures["push"]
    f = figures["push"]
    assert (f["falls"], f["runs_without_fall"]) == (4, 4)
    assert (f["recall"], f["recall_of_landing"]) == (0.25, 0.5)
    assert (f["foreseen_at_all"], f["false_alarms"]) == (0.75, 0.25)


def test_windows_leave_out_what_comes_too_late() -> None:
    runs = [run_of(0), run_of(1, fell=True), run_of(2, ticks=25, fell=True)]
    inputs = [
        np.arange(len(r.states), dtype="f4")[:, None] * np.ones(3, "f4") for r in runs
    ]
    rows, fell, starts = train._windows(runs, inputs)
    assert fell.tolist() == [0.0, 1.0]  # the third fell before anybody could know
    assert rows[: starts[1], 0].tolist() == list(range(5, 60, 2))
    assert rows[starts[1] :, 0].tolist() == list(range(20, 50))


def test_a_file_names_the_commands_whose_models_it_holds() -> None:
    old = load_risk()
    for name in ("chunks", "falling"):
        assert f"--only {name}" in old.command
        new = joined(f"python --only {name} --x 1", old, but=name)
        assert new.count("--only") == 2
        assert new.endswith("--x 1")
