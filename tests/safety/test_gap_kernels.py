"""What a step does to the gaps, against plain numpy: each arm by itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bidden.robot.capsules import segment_contacts
from bidden.safety.motion.gap_kernels import (
    box_gaps,
    people_within,
    person_gaps,
    room_of,
    rows_within,
    self_gaps,
)

ARM = np.array([-1, -1, 0, 0, 1, 1])  # two capsules of trunk, right arm, left arm
ARMS = np.array([2, 3, 4, 5])
RADIUS = np.array([0.03, 0.05, 0.02, 0.04])  # of these
GAIN = 0.25
Gap = Callable[[np.ndarray, np.ndarray], np.ndarray]


def steps(rng: np.random.Generator) -> np.ndarray:
    """Six segments before and after a step, (2, 6, 3, 2)."""
    before = rng.uniform(-0.5, 0.5, (6, 3, 2))
    return np.stack([before, before + rng.uniform(-0.05, 0.05, (6, 3, 2))])


def between(one: np.ndarray, two: np.ndarray) -> float:
    return float(np.linalg.norm(segment_contacts(one, two)[0]))


def share_of(approach: np.ndarray, room: np.ndarray) -> float:
    near = approach > 1e-9
    return float(np.min(room[near] / approach[near], initial=1.0))


def test_gaps_of_the_own_body() -> None:
    rng = np.random.default_rng(0)
    first, second = np.triu_indices(6, 1)
    cut = 0
    for _ in range(100):
        segments, sums = steps(rng), rng.uniform(0.02, 0.08, 15)
        found = self_gaps(segments, first, second, sums, ARM, 0.01, GAIN)
        approach, room, afters = np.zeros((2, 15)), np.zeros((2, 15)), []
        for k, (a, b) in enumerate(zip(first, second, strict=True)):
            gap = between(segments[0, a], segments[0, b]) - sums[k]
            for hand in (0, 1):
                moved = segments[[int(ARM[i] == hand) for i in (a, b)], [a, b]]
                afters.append(between(*moved) - sums[k])
                approach[hand, k] = max(gap - afters[-1], 0.0)
            total = approach[:, k].sum()
            if total > 0.0:  # both arms share what may be lost
                room[:, k] = GAIN * max(gap - 0.01, 0.0) * approach[:, k] / total
        assert found[0] == pytest.approx(approach, abs=1e-9)
        assert found[1] == pytest.approx(room, abs=1e-9)
        assert found[2] == pytest.approx(min(afters))
        shares = [share_of(approach[hand], room[hand]) for hand in (0, 1)]
        assert found[3:] == pytest.approx(shares, abs=1e-6)
        cut += 0.0 < min(shares) < 1.0
    assert cut > 20


def test_gaps_to_people() -> None:
    rng = np.random.default_rng(1)
    for _ in range(100):
        segments = steps(rng)
        ends, radius = rng.uniform(-1, 1, (3, 3, 2)), rng.uniform(0.05, 0.2, 3)
        approach, room, margin, right, left = person_gaps(
            segments, ARMS, RADIUS, ends, radius, 0.1, GAIN
        )
        gaps = np.array(
            [
                [
                    [between(segments[step, own], person) for person in ends]
                    for own in ARMS
                ]
                for step in (0, 1)
            ]
        )
        gaps = (gaps - RADIUS[:, None] - radius).reshape(2, 2, 6)  # step, arm, gap
        assert approach == pytest.approx(gaps[0] - gaps[1], abs=1e-9)
        assert room == pytest.approx(GAIN * np.maximum(gaps[0] - 0.1, 0.0), abs=1e-9)
        assert margin == pytest.approx(gaps[1].min())
        shares = [share_of(approach[hand], room[hand]) for hand in (0, 1)]
        assert (right, left) == pytest.approx(shares)


def test_gaps_to_boxes() -> None:
    rng = np.random.default_rng(2)
    along = np.linspace(0, 1, 401)
    clearance = np.array([0.01, 0.002, 0.01, 0.002])
    compared = 0
    for _ in range(40):
        segments, half = steps(rng), rng.uniform(0.05, 0.2, (3, 3))
        X_OP = np.tile(np.eye(4), (3, 1, 1))
        for m in range(3):
            X_OP[m, :3, :3] = np.linalg.qr(rng.normal(size=(3, 3)))[0]
            X_OP[m, :3, 3] = rng.uniform(-1, 1, 3)
        approach, room, margin, right, left, where = box_gaps(
            segments, ARMS, RADIUS, clearance, X_OP, half, GAIN
        )
        ends = segments[:, ARMS]
        points = ends[..., :1] + along * (ends[..., 1:] - ends[..., :1])
        seen = np.einsum("mij,saju->samiu", X_OP[:, :3, :3], points)
        seen += X_OP[:, :3, 3][:, :, None]
        beyond = np.maximum(np.abs(seen) - half[:, :, None], 0.0)
        away = np.linalg.norm(beyond, axis=3)  # step, capsule, box, share
        gaps = (away.min(axis=-1) - RADIUS[:, None]).reshape(2, 2, 6)
        outside = (away.min(axis=-1) > 0).all(axis=0).reshape(2, 6)
        lost = gaps[0] - gaps[1]
        assert approach[outside] == pytest.approx(lost[outside], abs=2e-5)
        left_over = gaps[0] - np.repeat(clearance, 3).reshape(2, 6)
        free = GAIN * np.maximum(left_over, 0.0)
        assert room[outside] == pytest.approx(free[outside], abs=2e-5)
        there = ends[0, :, None, :, 0] + where.reshape(4, 3)[..., None] * (
            ends[0, :, None, :, 1] - ends[0, :, None, :, 0]
        )
        seen = np.einsum("mij,amj->ami", X_OP[:, :3, :3], there) + X_OP[:, :3, 3]
        own = np.linalg.norm(np.maximum(np.abs(seen) - half, 0.0), axis=-1)
        assert own == pytest.approx(away[0].min(axis=-1), abs=2e-5)
        if outside.all():
            assert margin == pytest.approx(gaps[1].min(), abs=2e-5)
            compared += 1
        shares = [share_of(approach[hand], room[hand]) for hand in (0, 1)]
        assert (right, left) == pytest.approx(shares)
    assert compared > 10


def test_what_is_at_reach_counts_and_what_is_nan_as_well() -> None:
    away = np.array([2.0, 1.0, np.nan, 1.0 + 1e-9, 0.0])
    assert list(rows_within(away, 1.0)) == [1, 2, 4]
    assert room_of(0.5, 0.1, GAIN) == pytest.approx(0.1)
    assert room_of(0.05, 0.1, GAIN) == 0.0


def test_people_are_seen_from_the_pelvis() -> None:
    rng = np.random.default_rng(3)
    ends, radius = rng.normal(size=(3, 3, 2)), np.array([0.1, 0.2, 0.3])
    X = np.eye(4)
    X[:3, :3], X[:3, 3] = np.linalg.qr(rng.normal(size=(3, 3)))[0], (0.1, -0.2, 0.7)
    beside = np.array([[0.0, 0.0, 0.9], [0.0, 0.0, 1.25], [0.0, 0.0, 1.25]])
    seen, sizes = people_within(ends, radius, beside, X, 1.0)
    local = np.linalg.inv(X)
    expected = local[:3, :3] @ ends[[0, 2]] + local[:3, 3:]
    assert seen == pytest.approx(expected)
    assert sizes == pytest.approx([0.1, 0.3])
