"""Weaknesses do what they are named after, more so when they are stronger."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from bidden.core.errors import ConfigError
from bidden.core.messages import ActionChunk, Goal, Image, Observation, Skill
from bidden.evaluation.doubt.weakness import (
    POLICY_WEAKNESSES,
    VIEW_WEAKNESSES,
    WeakCamera,
    WeakPolicy,
    check_weakness,
)

GOAL = Goal(skill=Skill.PICK, instruction="x", phrases={"object": "red cube"})


@dataclass
class Counting:
    """Its actions count its calls; it keeps what it was shown."""

    seen: list[Observation] = field(default_factory=list)
    name: str = "counting"
    weights: str = "abc"

    def reset(self, goal: Goal) -> None:
        self.seen.clear()

    def act(self, observation: Observation) -> ActionChunk:
        self.seen.append(observation)
        actions = np.full((8, 12), 0.1 * len(self.seen))
        return ActionChunk(
            stamp_ns=observation.stamp_ns, actions=actions, spread=0 * actions
        )


def run(observe: Any, weakness: str, strength: float, chunks: int = 60) -> Any:
    inner = Counting()
    policy = WeakPolicy(inner, weakness=weakness, strength=strength, seed=1)
    policy.reset(GOAL)
    shown = [observe(GOAL, k) for k in range(chunks)]
    return inner, shown, [policy.act(o) for o in shown]


@pytest.mark.parametrize("weakness", POLICY_WEAKNESSES)
def test_every_chunk_has_the_stamp_of_its_call(observe: Any, weakness: str) -> None:
    _, shown, chunks = run(observe, weakness, 0.7)
    assert [c.stamp_ns for c in chunks] == [o.stamp_ns for o in shown]
    assert all(np.isfinite(c.actions).all() for c in chunks)


def test_a_weak_policy_goes_by_the_name_of_its_own(observe: Any) -> None:
    policy = WeakPolicy(Counting(), weakness="noise", strength=0.1, seed=1)
    assert (policy.name, policy.weights) == ("counting", "abc")


def test_noise_grows_with_strength(observe: Any) -> None:
    def spread(strength: float) -> float:
        _, _, chunks = run(observe, "noise", strength)
        numbers = [c.actions[0, 0] - 0.1 * (k + 1) for k, c in enumerate(chunks)]
        return float(np.std(numbers))

    assert spread(0.0) == pytest.approx(0, abs=1e-12)
    assert 0.05 < spread(0.3) < spread(0.9)


def test_frozen_repeats_old_actions(observe: Any) -> None:
    _, _, chunks = run(observe, "frozen", 1.0)
    same = sum(np.array_equal(a.actions, b.actions) for a, b in pairwise(chunks))
    assert same > 20


def test_delay_shows_what_is_past(observe: Any) -> None:
    inner, _, _ = run(observe, "delay", 0.5)
    assert inner.seen[-1].state.stamp_ns == (59 - 5) * 200_000_000
    assert inner.seen[-1].stamp_ns == 59 * 200_000_000


def test_dim_moves_less(observe: Any) -> None:
    _, _, chunks = run(observe, "dim", 1.0)
    assert chunks[9].actions[0, 0] == pytest.approx(0.1)  # a tenth of 1
    assert chunks[9].actions[0, 9] == pytest.approx(1.0)  # the grip is as it was


def test_blink_takes_images_away(observe: Any) -> None:
    inner, shown, _ = run(observe, "blink", 0.5)
    blind = np.mean([not o.images for o in inner.seen])
    assert 0.2 < blind < 1
    assert all(o.images for o in shown)  # the watch still sees them


def test_biased_moves_the_camera_not_the_picture(observe: Any) -> None:
    inner, shown, _ = run(observe, "biased", 1.0, 3)
    told, true = inner.seen[0].images["head"], shown[0].images["head"]
    assert not np.allclose(told.X_BC, true.X_BC)
    R = told.X_BC[:3, :3]
    assert np.allclose(R @ R.T, np.eye(3))
    assert told.rgb is true.rgb


def test_wrong_goes_for_another_colour_and_claims_not_to(observe: Any) -> None:
    inner, _, _ = run(observe, "wrong", 1.0)
    asked = {o.goal.phrases["object"] for o in inner.seen}
    assert "red cube" in asked
    assert len(asked) > 1
    assert all(phrase.endswith("cube") for phrase in asked)


@dataclass
class Still:
    image: Image
    name: str = "head"

    def read(self) -> Image:
        return self.image


@pytest.mark.parametrize("weakness", VIEW_WEAKNESSES)
def test_a_view_gets_worse_with_strength(image_of: Any, weakness: str) -> None:
    image = image_of(0, 1)

    def change(strength: float) -> float:
        camera = WeakCamera(Still(image), weakness=weakness, strength=strength, seed=1)
        assert camera.name == "head"
        seen = camera.read()
        assert (seen.rgb.shape, seen.rgb.dtype) == (image.rgb.shape, np.uint8)
        return float(np.mean(np.abs(seen.rgb.astype(int) - image.rgb)))

    assert change(0.0) == 0
    assert change(0.3) > 0
    if weakness != "shifted":  # random blocks are as far apart as they can be
        assert change(0.3) < change(1.0)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_blocked_has_no_depth(image_of: Any, seed: int) -> None:
    image = replace(image_of(0, 1), rgb=np.full((60, 60, 3), 200, np.uint8))
    seen = WeakCamera(Still(image), weakness="blocked", strength=0.5, seed=seed).read()
    covered = seen.rgb[:, :, 0] == 38
    assert covered.mean() == pytest.approx(0.45)
    assert np.all(seen.depth[covered] == 0)
    assert np.all(seen.depth[~covered] > 0)


@pytest.mark.parametrize(
    ("name", "strength", "complaint"),
    [("nois", 0.5, "noise"), ("noise", 1.5, "within 0 and 1"), ("noise", -1, "within")],
)
def test_what_does_not_exist_is_refused(
    name: str, strength: float, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        check_weakness(name, strength)
