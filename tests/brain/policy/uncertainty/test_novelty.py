"""Views like those of before are near, others are far."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from bidden.brain.policy.uncertainty.novelty import Novelty, describe, fit_novelty
from bidden.brain.policy.uncertainty.views import glimpse


def rooms(count: int, seed: int) -> list[np.ndarray]:
    """Views that vary along three directions of thirty."""
    basis = np.random.default_rng(9).normal(size=(3, 30))
    rng = np.random.default_rng(seed)
    return [
        rng.normal(size=(20, 3)) @ basis + rng.normal(0, 0.1, (20, 30))
        for _ in range(count)
    ]


def test_what_leaves_the_usual_directions_is_far() -> None:
    novelty = fit_novelty(rooms(30, 1), axes=3)
    usual = novelty.distance(np.vstack(rooms(10, 2)))
    assert np.median(usual) == pytest.approx(1, abs=0.3)
    odd = np.random.default_rng(3).normal(size=(50, 30)) * 2
    assert novelty.distance(odd).min() > 2 * usual.max()


def test_every_episode_counts_alike() -> None:
    """One long episode does not decide what is usual."""
    rng = np.random.default_rng(0)
    short = [rng.normal(0, 1, (5, 6)) for _ in range(40)]
    long = [rng.normal(30, 1, (5000, 6))]
    novelty = fit_novelty(short + long, axes=2)
    assert np.all(np.array(novelty.mean) < 3)


def test_a_constant_number_does_not_explode() -> None:
    flat = [np.ones((5, 12)) for _ in range(3)]
    distance = fit_novelty(flat, axes=2).distance(np.ones((1, 12)))
    assert np.isfinite(distance).all()


def test_a_description_has_fixed_length(image_of: Any) -> None:
    view = glimpse(image_of())
    assert view is not None
    described = describe(view)
    assert described.shape == (108,)
    assert np.isfinite(described).all()


@pytest.mark.parametrize(
    "change",
    [
        {"scale": (1.0,)},
        {"scale": (0.0,) * 30},
        {"variances": ()},
        {"rest": 0.0},
        {"axes": ((1.0,),) * 3},
    ],
)
def test_a_malformed_file_is_refused(change: dict[str, Any]) -> None:
    novelty = fit_novelty(rooms(5, 1), axes=3)
    tree = msgspec.to_builtins(novelty) | change
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(tree), type=Novelty)
