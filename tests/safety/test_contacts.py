"""Where capsules meet, compiled, against the same in numpy; and what nan does."""

from __future__ import annotations

import numpy as np
import pytest

from bidden.core.messages import Array
from bidden.robot.capsules import segment_contacts
from bidden.safety.motion.gap_kernels import (
    CONTACTS,
    box_ways_out,
    closing_speeds,
    contacts_of,
    people_near,
    segment_contact,
    share_beside,
    tightest,
)

NAN = float("nan")
HERE = np.eye(4)


def pose(rng: np.random.Generator) -> Array:
    X = np.eye(4)
    X[:3, :3] = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    X[:3, 3] = rng.normal(size=3)
    return X


def test_the_tightest_gaps_come_first_and_no_more_than_are_bent_around() -> None:
    rng = np.random.default_rng(0)
    for count in (1, 3, 40):
        approach, room = rng.normal(size=count), rng.normal(size=count)
        excess = approach - room
        worst = [k for k in np.argsort(-excess) if excess[k] > 1e-9][:CONTACTS]
        assert tightest(approach, room).tolist() == worst
    assert len(tightest(np.zeros(5), np.zeros(5))) == 0
    assert tightest(np.array([3.0, 2.0, 1.0]), np.zeros(3)).tolist() == [0, 1, 2]


@pytest.mark.parametrize(("approach", "room"), [(NAN, 1.0), (1.0, NAN)])
def test_a_gap_that_is_nan_is_among_the_tightest(approach: float, room: float) -> None:
    given = np.array([5.0, approach, 4.0]), np.array([0.0, room, 9.0])
    assert 1 in tightest(*given)
    assert 2 not in tightest(*given)


def test_contacts_are_those_of_numpy() -> None:
    rng = np.random.default_rng(1)
    ones, twos = rng.normal(size=(5, 3, 2)), rng.normal(size=(4, 3, 2))
    first, second = rng.integers(0, 5, 30), rng.integers(0, 4, 30)
    points, away, behind = contacts_of(ones, first, twos, second)
    gap, there = segment_contacts(ones[first], twos[second])
    distance = np.linalg.norm(gap, axis=1, keepdims=True)
    assert points == pytest.approx(there)
    assert away * distance == pytest.approx(gap)
    assert behind == pytest.approx(there - gap)
    assert np.linalg.norm(away, axis=1) == pytest.approx(np.ones(30))


def test_crossing_segments_have_no_way_out_and_nan_stays() -> None:
    one = np.array([[-1.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    point, away = np.empty(3), np.empty(3)
    assert segment_contact(one, one[[1, 0, 2]], point, away) == pytest.approx(0.0)
    assert np.abs(away).max() < 1e-3
    assert np.isnan(segment_contact(one, np.full((3, 2), NAN), point, away))


def test_ways_out_of_boxes_lead_away_from_them() -> None:
    rng = np.random.default_rng(2)
    half = np.array([[0.5, 0.3, 0.2]])

    def signed(at: Array) -> float:
        beyond = np.abs(at) - half[0]
        outside = float(np.linalg.norm(np.maximum(beyond, 0.0)))
        return outside or float(beyond.max())

    inside = 0
    for _ in range(60):
        X = pose(rng)
        size = rng.choice([0.15, 0.6])
        at = rng.uniform(-size, size, 3)  # in the box's frame
        p = X[:3, :3].T @ (at - X[:3, 3])
        ends = np.stack([p, p + 1.0], axis=1)[None]
        zero = np.array([0])
        points, away = box_ways_out(ends, zero, np.zeros(1), X[None], half, zero)
        out = X[:3, :3] @ away[0]
        assert points[0] == pytest.approx(p)
        assert np.linalg.norm(out) == pytest.approx(1.0)
        assert signed(at + 1e-6 * out) - signed(at) == pytest.approx(1e-6)
        inside += signed(at) < 0.0
    assert 5 < inside < 55


def test_gaps_to_people_are_those_of_numpy_in_any_frame() -> None:
    rng = np.random.default_rng(3)
    X, arms = pose(rng), np.array([1, 3])
    segments, ends = rng.normal(size=(4, 3, 2)), rng.normal(size=(3, 3, 2))
    gaps, points, away = people_near(
        segments, arms, np.array([0.1, 0.2]), X, ends, np.array([0.3, 0.4, 0.5])
    )
    moved = X[:3, :3] @ segments[arms] + X[:3, 3:]
    gap, there = segment_contacts(moved[:, None], ends)
    distance = np.linalg.norm(gap, axis=-1)
    radii = np.array([[0.1], [0.2]]) + np.array([0.3, 0.4, 0.5])
    assert gaps == pytest.approx(distance - radii)
    assert points == pytest.approx(there)
    assert away == pytest.approx(gap / distance[..., None])


def test_a_base_is_slowed_to_the_speed_of_the_gap_that_it_closes_most() -> None:
    points = np.array([[[0.4, 0.0, 1.0]], [[0.0, 0.5, 1.0]]])
    away = np.array([[[-1.0, 0.0, 0.0]], [[0.0, -1.0, 0.0]]])  # people in front, beside
    velocity = np.array([0.4, 0.1, 0.5])
    closing = closing_speeds(points, away, velocity)
    assert closing[:, 0] == pytest.approx((0.4, 0.1))
    gaps = np.array([[0.3], [0.2]])
    share, margin = share_beside(gaps, closing, 0.1, 0.5)
    assert share == pytest.approx(0.5 * 0.2 / 0.4)
    assert margin == 0.2
    assert share_beside(gaps, -closing, 0.1, 0.5) == (1.0, 0.2)
    assert share_beside(np.array([[0.1], [0.2]]), closing, 0.1, 0.5)[0] == 0.0


@pytest.mark.parametrize("bad", ["gap", "closing"])
def test_a_person_at_no_number_stops_the_base(bad: str) -> None:
    gaps, closing = np.array([[0.3, 0.3]]), np.array([[0.1, 0.1]])
    (gaps if bad == "gap" else closing)[0, 1] = NAN
    share, _ = share_beside(gaps, closing, 0.1, 0.5)
    assert not share >= 1.0
