"""A trail gives back what the watch saw, from memory and from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bidden.brain.policy.uncertainty.signals import Signals
from bidden.brain.policy.uncertainty.views import glimpse
from bidden.core.errors import RecordingError
from bidden.core.messages import ActionChunk, Goal, Skill
from bidden.evaluation.doubt.trail import TrailWatch, load_trail, save_trail


def test_signals_of_a_filed_trail_are_those_of_the_run(
    observe: Any, trail_of: Any, tmp_path: Path
) -> None:
    """The watch and the trail must come to the same numbers."""
    rng, watch, signals = np.random.default_rng(1), TrailWatch(), Signals()
    goal = Goal(skill=Skill.MOVE_BY, instruction="x", amount=np.array([1.0, 0.0, 0.5]))
    watch.reset(goal)
    signals.reset(goal)
    live = []
    for step in range(8):
        o = observe(goal, step)
        actions = rng.normal(0, 0.1, (8, 12))
        chunk = ActionChunk(
            stamp_ns=o.stamp_ns, actions=actions, spread=np.abs(actions), note="x"
        )
        watch.judge(chunk, o)
        live.append(signals.step(chunk, o))
    path = tmp_path / "trail.npz"
    save_trail(watch.trail(trail_of().head.record, policy="p", weights="w"), path)
    trail, again = load_trail(path), Signals()
    again.reset(trail.goals()[0])
    filed = [again.step(s.chunk, s.observation) for s in trail.steps()]
    assert np.allclose(live, filed, atol=1e-5)
    assert list(tmp_path.iterdir()) == [path]  # nothing half-written is left


def test_views_come_back_to_the_last_number(trail_of: Any, image_of: Any) -> None:
    view = next(iter(trail_of(seed=3).steps())).view
    seen = glimpse(image_of(0, 3))
    assert view is not None
    assert seen is not None
    assert np.array_equal(view.rgb, seen.rgb)
    assert np.array_equal(view.near, seen.near)
    for name in ("dark", "bright", "edges", "grain", "holes", "digest"):
        assert getattr(view, name) == getattr(seen, name)


def test_without_images_there_are_no_views(observe: Any, trail_of: Any) -> None:
    from dataclasses import replace

    watch, goal = TrailWatch(), Goal(skill=Skill.WAVE, instruction="wave")
    watch.reset(goal)
    o = replace(observe(goal, 0), images={})
    actions = np.zeros((8, 12))
    watch.judge(ActionChunk(stamp_ns=0, actions=actions, spread=actions), o)
    trail = watch.trail(trail_of().head.record, policy="p", weights="w")
    assert [step.view for step in trail.steps()] == [None]


def test_another_attempt_of_a_pick_is_the_same_goal(trail_of: Any) -> None:
    watch = TrailWatch()
    pick = Goal(skill=Skill.PICK, instruction="x", phrases={"object": "cube"})
    back = [
        Goal(skill=Skill.MOVE_BY, instruction="x", amount=np.array([-0.3, 0, 0]))
        for _ in range(2)
    ]
    for goal in (pick, back[0], pick, back[1]):
        watch.reset(goal)
    goals = watch.trail(trail_of().head.record, policy="p", weights="w").goals()
    assert goals[0] is goals[2]
    assert goals[1] is not goals[3]


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 broken", b"text"])
def test_another_file_is_no_trail(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.npz"
    path.write_bytes(data)
    with pytest.raises(RecordingError, match=r"x\.npz is not a trail"):
        load_trail(path)


def test_another_schema_is_refused(
    trail_of: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bidden.evaluation.doubt import trail as module

    path = tmp_path / "x.npz"
    save_trail(trail_of(), path)
    monkeypatch.setattr(module, "SCHEMA", 2)
    with pytest.raises(RecordingError, match="trail schema 1, expected 2"):
        load_trail(path)
