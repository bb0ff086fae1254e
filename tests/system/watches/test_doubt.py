"""Doubt becomes advice, and advice reaches the motors."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bidden.brain.policy.uncertainty import Calibration, Meter, Reading
from bidden.brain.policy.uncertainty.calibration import ANY_SKILL, COLUMNS, Band
from bidden.core.messages import ActionChunk, Image, Observation, Rung
from bidden.core.vetted import VettedCommand
from bidden.system.orchestrator import Orchestrator
from bidden.system.watches import DoubtWatch, weights_of

K = len(COLUMNS)
CALM = Reading(
    score=0.0, uncertainty=0.0, worst="jump",
    acting_score=0.0, acting=0.0, acting_worst="jump",
)  # fmt: skip


def calibration(**change: Any) -> Calibration:
    """Signals are usual up to 1, times up to 60 s; of 39 successes the worst was 2."""
    usual = tuple(60.0 if name in ("stall", "late") else 1.0 for name in COLUMNS)
    band = Band(goals=20, usual=usual, width=(0.1,) * K)
    fields: dict[str, Any] = {
        "policy": "script", "weights": "none", "data": "d", "seeds": (1, 2),
        "episodes": 39, "maxima": tuple(np.linspace(0, 2, 39).tolist()), "alpha": 0.05,
        "acting_maxima": tuple(np.linspace(0, 2, 39).tolist()),
        "slow_alpha": 0.2, "k": 2, "n": 3, "columns": COLUMNS,
        "bands": {ANY_SKILL: band}, "novelty": None, "made_by": "", "version": "0",
    }  # fmt: skip
    return Calibration(**fields | change)


@dataclass
class FakeCamera:
    """Shows what a test wants."""

    clock: Any
    show: Callable[[int], np.ndarray]
    noisy: bool = True
    name: str = "head"

    def read(self) -> Image:
        now_ns = self.clock.now_ns()
        seed = now_ns if self.noisy else 0
        depth = np.random.default_rng(seed).normal(1.5, 0.01, (320, 320))
        return Image(
            stamp_ns=now_ns,
            camera="head",
            rgb=self.show(now_ns).astype(np.uint8),
            depth=depth.astype(np.float32),
            K=np.array([[200.0, 0, 160], [0, 200, 160], [0, 0, 1]]),
            X_BC=np.eye(4),
        )


def room(_: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    return rng.integers(30, 220, (20, 20, 3)).repeat(16, 0).repeat(16, 1)


def watched(stage: Any, watch: DoubtWatch, camera: FakeCamera | None) -> Orchestrator:
    return Orchestrator(
        stage.loop,
        {"head": camera} if camera else {},
        language=stage.orchestrator._language,
        policy=stage.policy,
        on_event=stage.events.append,
        watches=(watch,),
    )


def speeds(stage: Any) -> np.ndarray:
    return np.array(
        [np.abs(v.command.base_velocity).max() for v in stage.robot.written]
    )


def walk_for(stage: Any, chunk_of: Any, chunks: int = 12, vx: float = 0.4) -> None:
    stage.says(
        lambda o: chunk_of(o.stamp_ns, vx=vx, done=float(stage.policy.calls > chunks))
    )


def test_a_calm_policy_is_left_alone(stage: Any, chunk_of: Any) -> None:
    walk_for(stage, chunk_of)
    outcome = watched(
        stage, DoubtWatch(calibration()), FakeCamera(stage.clock, room)
    ).ask("walk one metre forward")
    assert not {"policy_uncertain", "unfamiliar_view"} & set(outcome.reasons)
    assert speeds(stage).max() == pytest.approx(0.4)


def test_a_policy_that_contradicts_itself_is_stopped(stage: Any, chunk_of: Any) -> None:
    def script(o: Observation) -> ActionChunk:
        sign = 1 if stage.policy.calls % 2 else -1
        done = float(stage.policy.calls > 12)
        return chunk_of(o.stamp_ns, vx=0.4 * sign, done=done)

    stage.says(script)
    outcome = watched(stage, DoubtWatch(calibration()), None).ask("wave")
    assert "policy_uncertain" in outcome.reasons
    assert outcome.rungs.get("HOLD", 0) > 50
    assert speeds(stage)[60:].max() == 0


def test_a_hold_of_a_body_that_did_not_follow_comes_to_an_end(
    stage: Any, chunk_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk_for(stage, chunk_of, 60, vx=0.8)
    follow, began_ns = stage.robot.write, stage.clock.now_ns()

    def write(command: VettedCommand) -> None:
        pose = stage.robot.pose
        follow(command)
        if stage.clock.now_ns() - began_ns < 2_000_000_000:  # it slips
            stage.robot.pose, stage.robot.velocity = pose, np.zeros(3)

    monkeypatch.setattr(stage.robot, "write", write)
    outcome = watched(stage, DoubtWatch(calibration()), None).ask(
        "walk three metres forward"
    )
    assert outcome.rungs.get("HOLD", 0) > 10
    assert "policy_uncertain" in outcome.reasons
    assert speeds(stage)[-100:-20].min() == pytest.approx(0.8)  # and walks on


@pytest.mark.parametrize(
    ("rank", "rung"), [(0.7, None), (0.85, Rung.SLOW), (0.96, Rung.HOLD)]
)
@pytest.mark.parametrize("worst", ["jump", "view"])
def test_rank_decides_the_rung(
    rank: float, rung: Rung | None, worst: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = replace(CALM, uncertainty=rank, acting=rank, acting_worst=worst)
    monkeypatch.setattr(Meter, "step", lambda *_: reading)
    watch = DoubtWatch(calibration())
    advice = watch.judge(_chunk(), _observation())
    assert watch.reading is reading
    if rung is None:
        assert advice is None
        return
    assert advice is not None
    assert advice.rung is rung
    reason = "unfamiliar_view" if worst == "view" else "policy_uncertain"
    assert advice.reason == reason
    assert advice.score == rank
    assert advice.bound == pytest.approx(0.8 if rung is Rung.SLOW else 0.95)


def test_no_progress_is_only_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hold that waits for progress would wait for ever."""
    reading = replace(CALM, score=9.0, uncertainty=0.97, worst="late")
    monkeypatch.setattr(Meter, "step", lambda *_: reading)
    advice = DoubtWatch(calibration()).judge(_chunk(), _observation())
    assert advice is not None
    assert (advice.rung, advice.reason) == (Rung.WARN, "policy_uncertain")


def test_a_rank_that_is_no_number_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = float("nan")
    reading = replace(CALM, score=bad, uncertainty=bad, acting_score=bad, acting=bad)
    monkeypatch.setattr(Meter, "step", lambda *_: reading)
    advice = DoubtWatch(calibration()).judge(_chunk(), _observation())
    assert advice is not None
    assert advice.rung is Rung.HOLD


NOISE = np.random.default_rng(0)
BROKEN: dict[str, Callable[[int], np.ndarray]] = {
    "black": lambda _: np.zeros((320, 320, 3)),
    "saturated": lambda _: np.full((320, 320, 3), 255),
    "noise": lambda _: NOISE.integers(0, 256, (320, 320, 3)),
}


@pytest.mark.parametrize("what", BROKEN)
@pytest.mark.parametrize("known", [True, False])
def test_nothing_moves_on_a_broken_picture(
    stage: Any, chunk_of: Any, what: str, known: bool
) -> None:
    """Row 3 of the fault matrix: no motion in any case, calibrated or not."""
    stage.robot.written.clear()
    walk_for(stage, chunk_of)
    camera = FakeCamera(stage.clock, BROKEN[what])
    watch = DoubtWatch(calibration() if known else None)
    outcome = watched(stage, watch, camera).ask("walk one metre forward")
    assert "unfamiliar_view" in outcome.reasons
    assert speeds(stage).max() == 0


def test_a_frozen_picture_stops_within_half_a_second(stage: Any, chunk_of: Any) -> None:
    """Row 2 of the fault matrix: the same bytes with new stamps."""
    walk_for(stage, chunk_of, 20)
    camera = FakeCamera(stage.clock, room)
    began_ns = stage.clock.now_ns()
    frozen_ns = began_ns + 1_010_000_000
    camera.show = lambda now_ns: room(now_ns)
    read = camera.read

    def freeze() -> Image:
        camera.noisy = stage.clock.now_ns() < frozen_ns
        return read()

    camera.read = freeze  # type: ignore[method-assign]
    stage.robot.written.clear()
    outcome = watched(stage, DoubtWatch(calibration()), camera).ask(
        "walk one metre forward"
    )
    assert "unfamiliar_view" in outcome.reasons
    moving = np.flatnonzero(speeds(stage) > 0)
    stopped_ns = began_ns + (int(moving[-1]) + 1) * 20_000_000
    assert stopped_ns - frozen_ns <= 800_000_000  # two new pictures after the last good
    assert speeds(stage)[moving[-1] + 1 :].max() == 0


def test_it_goes_on_when_the_picture_is_whole_again(stage: Any, chunk_of: Any) -> None:
    walk_for(stage, chunk_of, 20)
    began_ns = stage.clock.now_ns()
    camera = FakeCamera(
        stage.clock,
        lambda now_ns: BROKEN["black"](0) if now_ns < began_ns + 1e9 else room(0),
    )
    stage.robot.written.clear()
    watched(stage, DoubtWatch(calibration()), camera).ask("walk one metre forward")
    assert speeds(stage)[:50].max() == 0
    assert speeds(stage)[60:].max() == pytest.approx(0.4)


# -- whose calibration it is -----------------------------------------------------
def test_a_fitting_calibration_is_taken(stage: Any, tmp_path: Path) -> None:
    path = tmp_path / "doubt.json"
    calibration().save(path)
    watch = DoubtWatch.of(stage.policy, path)
    assert (watch.calibration, watch.complaint) == (calibration(), "")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"policy": "other"}, "is of policy 'other', not of 'script'"),
        ({"weights": "abc"}, "is of weights abc, the policy runs on none"),
    ],
)
def test_a_foreign_calibration_is_refused_aloud(
    stage: Any,
    tmp_path: Path,
    chunk_of: Any,
    caplog: pytest.LogCaptureFixture,
    change: dict[str, Any],
    complaint: str,
) -> None:
    path = tmp_path / "doubt.json"
    calibration(**change).save(path)
    with caplog.at_level(logging.WARNING):
        watch = DoubtWatch.of(stage.policy, path)
    assert watch.calibration is None
    assert complaint in watch.complaint
    assert complaint in caplog.text
    stage.robot.written.clear()
    walk_for(stage, chunk_of)
    outcome = watched(stage, watch, None).ask("walk one metre forward")
    assert "policy_uncertain" in outcome.reasons
    assert speeds(stage).max() == pytest.approx(0.25)  # careful: reduced speed


def test_a_missing_calibration_is_refused_aloud(stage: Any, tmp_path: Path) -> None:
    watch = DoubtWatch.of(stage.policy, tmp_path / "none.json")
    assert watch.calibration is None
    assert "make one with `bidden calibrate`" in watch.complaint


def test_weights_are_asked_of_the_policy(stage: Any) -> None:
    assert weights_of(stage.policy) == "none"
    stage.policy.weights = "abc"
    assert weights_of(stage.policy) == "abc"
    stage.policy.weights = None
    assert weights_of(stage.policy) == "none"


def _chunk() -> ActionChunk:
    actions = np.zeros((8, 12))
    return ActionChunk(stamp_ns=0, actions=actions, spread=actions)


def _observation() -> Any:
    @dataclass
    class Seen:
        stamp_ns: int = 0
        images: Any = None

    return Seen(images={})
