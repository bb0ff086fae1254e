from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bidden.brain.fusion import Sighting
from bidden.brain.perception import Look, Tracker, TrackerConfig
from bidden.brain.perception.tracker import is_in_view
from bidden.core.messages import Array, Grounding, Image

HOME = np.zeros(3)
QUICK = TrackerConfig(meetings=1)  # believes a new thing at first sight
CUBE = np.array([0.45, -0.10, 0.80])


def look(
    p_B: Array = CUBE,
    *,
    confidence: float = 0.9,
    spread: float = 0.01,
    phrase: str = "cube",
) -> Look:
    g = Grounding(
        role="object", phrase=phrase, p_B=np.array(p_B, float), spread_m=spread,
        confidence=confidence, stamp_ns=1,
    )  # fmt: skip
    sighting = Sighting(
        grounding=g, candidates_B=p_B[None], scores=np.ones(1), local=np.zeros(4)
    )
    return Look(stamp_ns=1, sightings=(sighting,))


def place(tracker: Tracker, pose: Array = HOME) -> Array:
    track = tracker.track("object", pose)
    assert track is not None
    return track.p_B


def test_first_confident_sighting_is_believed() -> None:
    tracker = Tracker(QUICK)
    assert tracker.track("object", HOME) is None
    tracker.update(look(), base_pose=HOME)
    assert np.allclose(place(tracker), CUBE)


def test_a_new_thing_needs_two_looks_that_agree() -> None:
    tracker = Tracker()
    tracker.update(look(), base_pose=HOME)
    assert tracker.track("object", HOME) is None
    tracker.update(look(CUBE + np.array([1.0, 0.0, 0.0])), base_pose=HOME)
    assert tracker.track("object", HOME) is None
    tracker.update(look(CUBE + np.array([1.01, 0.0, 0.0])), base_pose=HOME)
    assert np.allclose(place(tracker), CUBE + np.array([1.01, 0.0, 0.0]))


def test_a_new_thing_needs_more_confidence_than_a_known_one() -> None:
    tracker = Tracker(QUICK)
    tracker.update(look(confidence=0.7), base_pose=HOME)
    assert tracker.track("object", HOME) is None


def test_low_confidence_is_no_sighting() -> None:
    tracker = Tracker(QUICK)
    tracker.update(look(confidence=0.1), base_pose=HOME)
    assert tracker.track("object", HOME) is None


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_no_sighting(bad: float) -> None:
    tracker = Tracker(QUICK)
    tracker.update(look(np.array([bad, 0.0, 0.8])), base_pose=HOME)
    tracker.update(look(confidence=bad if np.isnan(bad) else 0.0), base_pose=HOME)
    assert tracker.track("object", HOME) is None


def test_noise_is_averaged_out() -> None:
    r, tracker = np.random.default_rng(0), Tracker(QUICK)
    for _ in range(30):
        tracker.update(look(CUBE + r.normal(0, 0.006, 3)), base_pose=HOME)
    assert np.linalg.norm(place(tracker) - CUBE) < 0.006
    track = tracker.track("object", HOME)
    assert track is not None
    assert track.spread_m < 0.006


def test_point_stays_in_the_room_while_the_robot_moves() -> None:
    tracker = Tracker(QUICK)
    tracker.update(look(), base_pose=HOME)
    turned = np.array([0.2, 0.0, np.pi / 2])
    assert np.allclose(place(tracker, turned), [-0.10, -0.25, 0.80])


def test_walking_makes_it_less_sure() -> None:
    tracker = Tracker(QUICK)
    tracker.update(look(spread=0.005), base_pose=HOME)
    blind = Look(stamp_ns=2, sightings=(), reason="black")
    tracker.update(blind, base_pose=np.array([1.0, 0.0, 0.5]))
    track = tracker.track("object", HOME)
    assert track is not None
    assert track.spread_m > 0.015


def test_one_outlier_changes_nothing() -> None:
    tracker = Tracker(QUICK)
    for _ in range(3):
        tracker.update(look(), base_pose=HOME)
    tracker.update(look(CUBE + np.array([0.3, 0.2, 0.0])), base_pose=HOME)
    assert np.linalg.norm(place(tracker) - CUBE) < 1e-6


def test_outliers_that_agree_move_the_point() -> None:
    tracker = Tracker(QUICK)
    tracker.update(look(), base_pose=HOME)
    moved = CUBE + np.array([0.3, 0.2, 0.0])
    for _ in range(TrackerConfig().confirmations):
        tracker.update(look(moved), base_pose=HOME)
    assert np.linalg.norm(place(tracker) - moved) < 1e-6


def test_outliers_that_disagree_do_not() -> None:
    tracker = Tracker(QUICK)
    tracker.update(look(), base_pose=HOME)
    for k in range(8):
        side = 0.4 if k % 2 else -0.4
        tracker.update(look(CUBE + np.array([0.0, side, 0.0])), base_pose=HOME)
    assert np.linalg.norm(place(tracker) - CUBE) < 1e-6


def test_held_thing_is_where_the_hand_is() -> None:
    tracker = Tracker(QUICK)
    tracker.update(look(), base_pose=HOME)
    hand = np.array([0.3, -0.2, 1.0])
    tracker.update(look(CUBE), base_pose=HOME, held={"object": hand})
    assert np.allclose(place(tracker), hand)
    track = tracker.track("object", HOME)
    assert track is not None
    assert track.held
    tracker.update(look(hand), base_pose=HOME)
    track = tracker.track("object", HOME)
    assert track is not None
    assert not track.held


def test_what_should_be_there_but_is_not_is_forgotten(image: Image) -> None:
    tracker = Tracker(TrackerConfig(meetings=1, patience=5))
    tracker.update(look(np.array([0.9, 0.0, 0.02])), base_pose=HOME, image=image)
    for _ in range(4):
        tracker.update(look(confidence=0.05), base_pose=HOME, image=image)
    assert tracker.track("object", HOME) is not None
    tracker.update(look(confidence=0.05), base_pose=HOME, image=image)
    assert tracker.track("object", HOME) is None


def test_what_is_out_of_view_is_remembered(image: Image) -> None:
    tracker = Tracker(TrackerConfig(meetings=1, patience=5))
    tracker.update(look(np.array([-1.0, 0.0, 0.02])), base_pose=HOME, image=image)
    for _ in range(20):
        tracker.update(look(confidence=0.05), base_pose=HOME, image=image)
    assert tracker.track("object", HOME) is not None


def test_what_is_hidden_is_remembered(image: Image) -> None:
    hidden = np.array([0.9, 0.0, 0.02])
    assert is_in_view(hidden, image, 0.06)
    assert image.depth is not None
    hand = replace(image, depth=np.minimum(image.depth, np.float32(0.4)))
    assert not is_in_view(hidden, hand, 0.06)


def test_another_phrase_is_another_thing() -> None:
    tracker = Tracker(QUICK)
    tracker.update(look(), base_pose=HOME)
    other = CUBE + np.array([0.1, 0.1, 0.0])
    tracker.update(look(other, phrase="red ball"), base_pose=HOME)
    assert np.allclose(place(tracker), other)


def test_config_is_checked() -> None:
    with pytest.raises(ValueError, match="above 0"):
        TrackerConfig(meetings=1, patience=0)
    with pytest.raises(ValueError, match="above 0"):
        TrackerConfig(gate=float("nan"))
