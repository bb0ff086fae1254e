from __future__ import annotations

import numpy as np

from bidden.brain.fusion import Sighting
from bidden.brain.perception import find_ambiguity
from bidden.core.messages import Grounding


def sighting(places: list[list[float]], scores: list[float]) -> Sighting:
    g = Grounding(
        role="object", phrase="red cube", p_B=np.array(places[0]), spread_m=0.01,
        confidence=max(scores),
    )  # fmt: skip
    return Sighting(
        grounding=g, candidates_B=np.array(places), scores=np.array(scores),
        local=np.zeros(4),
    )  # fmt: skip


def test_two_that_fit_are_reported_best_first() -> None:
    found = find_ambiguity(
        sighting([[0.4, 0, 0.8], [0.4, 0.2, 0.8], [0.5, -0.2, 0.8]], [0.8, 0.9, 0.1])
    )
    assert found is not None
    assert found.phrase == "red cube"
    assert np.allclose(found.places_B[:, 1], [0.2, 0.0])


def test_two_peaks_on_one_thing_are_one() -> None:
    found = find_ambiguity(sighting([[0.4, 0, 0.8], [0.41, 0.02, 0.8]], [0.9, 0.9]))
    assert found is None


def test_a_likely_and_an_unlikely_one_are_clear() -> None:
    assert (
        find_ambiguity(sighting([[0.4, 0, 0.8], [0.4, 0.2, 0.8]], [0.9, 0.3])) is None
    )


def test_nan_scores_are_no_match() -> None:
    found = find_ambiguity(
        sighting([[0.4, 0, 0.8], [0.4, 0.2, 0.8]], [float("nan"), float("nan")])
    )
    assert found is None
