"""The compiled loops against the same in numpy, and what they make of nan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bidden.core.messages import Command, Rung
from bidden.safety import kernels
from bidden.safety.checks import Check
from bidden.safety.limits import ARM_LOWER, ARM_UPPER
from bidden.safety.motion import Step
from bidden.safety.motion.gap_kernels import people_within, share_left
from bidden.safety.motion.gaps import Gaps, shares_of
from bidden.safety.motion.step_kernels import (
    base_velocity,
    bent,
    joint_targets,
    obstacles_of,
    shortened,
    slowed,
)

from .conftest import arm_weight, make_state, person_scene

NAN, INF = float("nan"), float("inf")
NOTHING = np.zeros((2, 0))
STATE = (
    "q", "dq", "torque", "gyro", "gravity", "base_pose", "base_velocity",
    "grip_width", "grip_force",
)  # fmt: skip
SCENE = ("base_pose", "box_centre", "box_half", "box_yaw", "person_ends")


@pytest.mark.parametrize(("a", "b"), [(NAN, 1.0), (1.0, NAN), (NAN, NAN)])
def test_nan_is_never_the_smaller_nor_the_larger(a: float, b: float) -> None:
    assert np.isnan(kernels.least(a, b))
    assert np.isnan(kernels.most(a, b))


def test_the_smaller_and_the_larger() -> None:
    for a, b in ((1.0, 2.0), (2.0, 1.0), (-INF, 3.0), (3.0, INF), (1.0, 1.0)):
        assert kernels.least(a, b) == min(a, b)
        assert kernels.most(a, b) == max(a, b)


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
@pytest.mark.parametrize("place", range(3))
def test_one_number_that_is_not_finite_is_found(place: int, bad: float) -> None:
    arrays = [np.ones(3), np.zeros(14), np.zeros(2)]
    assert kernels.are_finite(*arrays)
    arrays[place][-1] = bad
    assert not kernels.are_finite(*arrays)
    low, high = np.full(3, -2.0), np.full(3, 2.0)
    assert not kernels.is_within(np.array([0.0, bad, 0.0]), low, high)
    now, before = np.array([0.0, bad]), np.zeros(2)
    assert not kernels.is_near(now, before, np.ones(2), 0.02, 0.05)


def test_ranges_and_jumps_hold_their_bounds() -> None:
    low, high = np.array([-1.0, 0.0]), np.array([1.0, 0.0])
    assert kernels.is_within(np.array([1.0, 0.0]), low, high)
    assert not kernels.is_within(np.array([1.0 + 1e-12, 0.0]), low, high)
    assert not kernels.is_within(np.array([-1.0 - 1e-12, 0.0]), low, high)
    speed = np.array([10.0, 10.0])
    before = np.zeros(2)
    assert kernels.is_near(np.array([0.249, -0.249]), before, speed, 0.02, 0.05)
    assert not kernels.is_near(np.array([0.251, 0.0]), before, speed, 0.02, 0.05)
    assert not kernels.is_near(np.array([0.0, -0.251]), before, speed, 0.02, 0.05)


def test_still_numbers_age_only_while_they_must_move() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        still, now = rng.uniform(0, 1, 70), rng.normal(size=103)
        before = np.where(rng.random(103) < 0.5, now, rng.normal(size=103))
        posture = rng.normal(size=14)
        then = posture + rng.choice([0.0, 0.0019, 0.0021], 14)
        base = rng.choice([0.0, 0.04, 0.06], 3)
        args = (still, now, before, posture, then, base, 0.02, 0.05, 0.1)
        must = np.full(70, base @ base > 0.05**2)
        must[15:29] = must[44:58] = np.abs(posture - then) > 0.1 * 0.02
        expected = (still + 0.02 * must) * (now[:70] == before[:70])
        assert kernels.still_for(*args) == pytest.approx(expected)


def test_pushes_and_loads_are_those_of_least_squares() -> None:
    rng = np.random.default_rng(4)
    for scale in (1.0, 1e-3):  # the second: arms that hang, no lever
        residual, per_kg = rng.normal(size=14), scale * rng.normal(size=14)
        one, two = per_kg.reshape(2, 7), residual.reshape(2, 7)
        size = np.maximum((one * one).sum(1), 0.24)
        mass = (one * two).sum(1) / size
        rest = np.abs(two - np.maximum(mass, 0.0)[:, None] * one)
        expected = rest[:, :5].max(), rest[:, 5:].max(), mass.max()
        assert kernels.pushes_of(residual, per_kg, 0.24, 5) == pytest.approx(expected)
    for joint in range(14):
        residual[joint] = NAN
        push, weak_push, mass = kernels.pushes_of(residual, per_kg, 0.24, 5)
        assert np.isnan(mass)
        assert np.isnan(push) or np.isnan(weak_push)


def test_joint_targets_are_those_of_numpy() -> None:
    rng = np.random.default_rng(5)
    reach, lag, longest = np.full(14, 0.6), 0.075, 0.06
    for _ in range(200):
        posture = rng.uniform(ARM_LOWER, ARM_UPPER)
        wish = posture + rng.normal(0, 0.3, 14)
        q, dq = posture + rng.normal(0, 0.2, 14), rng.normal(0, 2, 14)
        value, ranged, strong, fast = joint_targets(
            wish, posture, q, dq, ARM_LOWER, ARM_UPPER, lag, reach, longest
        )
        target = np.clip(wish, ARM_LOWER, ARM_UPPER)
        eased = np.clip(target, q + lag * dq - reach, q + lag * dq + reach)
        eased = np.clip(eased, ARM_LOWER, ARM_UPPER)
        step = (eased - posture).reshape(2, 7)
        share = np.minimum(longest / np.abs(step).max(axis=1), 1.0)
        slow = (share[:, None] * step).ravel()
        assert value == pytest.approx(posture + slow)
        assert ranged == (np.abs(target - wish).max() > 1e-6)
        assert strong == (np.abs(eased - target).max() > 1e-6)
        assert fast == (np.abs(slow - step.ravel()).max() > 1e-6)


@pytest.mark.parametrize("joint", [0, 6, 7, 13])
def test_nan_in_a_wish_of_the_arms_is_cut_loudly(joint: int) -> None:
    wish, zeros = np.zeros(14), np.zeros(14)
    wish[joint] = NAN
    found = joint_targets(
        wish, zeros, zeros, zeros, ARM_LOWER, ARM_UPPER, 0.1, np.ones(14), 0.06
    )
    assert all(found[1:])
    assert np.isnan(slowed(wish, 0.06)[joint])
    half = shortened(zeros, np.ones(14), 0.25, 0.5)
    assert half == pytest.approx([0.5] * 7 + [0.25] * 7)


@pytest.mark.parametrize("approach", [NAN, 0.1])
@pytest.mark.parametrize("room", [NAN, 0.05])
def test_a_gap_that_is_nan_leaves_no_step(approach: float, room: float) -> None:
    share = share_left(np.array([0.0, approach, 0.1]), np.array([0.0, room, 0.2]))
    expected = 0.5 if approach == approach and room == room else NAN
    assert share == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("place", range(4))
def test_a_share_that_is_nan_wins_and_is_named(place: int) -> None:
    shares = [1.0, 0.5, 0.25, 1.0]
    shares[place] = NAN
    gaps = [
        Gaps(
            check=check, approach=NOTHING, room=NOTHING, margin=0.1,
            share=(right, left), sides=lambda *_: [],
        )
        for check, right, left in (
            (Check.SELF_DISTANCE, *shares[:2]),
            (Check.SCENE_DISTANCE, *shares[2:]),
        )
    ]  # fmt: skip
    found, cut = shares_of(tuple(gaps))
    assert np.isnan(found[place % 2])
    assert not np.isnan(found[1 - place % 2])
    assert cut == (Check.SELF_DISTANCE, Check.SCENE_DISTANCE)


@pytest.mark.parametrize("bad", [NAN, INF])
def test_what_was_bent_to_no_number_holds(
    bad: float, bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last look before the motors, whatever a check upstream has made of it."""
    bench.tick()
    broken = Step(value=np.full(14, bad), found=[])
    monkeypatch.setattr(bench.shield._judge, "_move_arms", lambda *_, **__: broken)
    vetted, verdict = bench.tick(base_velocity=np.array([0.2, 0.0, 0.0]))
    assert verdict.rung is Rung.HOLD
    assert "internal_error" in verdict.reasons
    assert np.isfinite(vetted.command.arm_q).all()
    assert not vetted.command.base_velocity.any()


@pytest.mark.parametrize("axis", range(3))
def test_a_wish_of_the_base_that_is_nan_does_not_move_it_on(axis: int) -> None:
    wish, last = np.zeros(3), np.zeros(3)
    wish[axis] = NAN
    value, cut, away = base_velocity(
        wish, last, np.zeros((0, 3)), INF, 0.8, 0.5, 0.4, 0.9, 0.06, 0.12
    )
    assert cut
    assert away
    assert not (np.abs(value) > 0.0).any()


@pytest.mark.parametrize(
    "wish",
    [
        (0.5, 0.2, 0.1), (0.1, -0.4, 0.1), (0.01, 0.0, 0.9), (0.0, -0.02, -0.06),
        (1.6, 0.0, 0.0), (-1.0, 0.0, 0.0), (0.0, 0.8, 0.0), (0.0, -0.8, 0.0),
        (0.0, 0.0, -1.8), (0.0, 0.0, 1.8),
    ],
)  # fmt: skip
def test_the_base_changes_as_fast_as_its_ramps_allow(wish: Any) -> None:
    last, ramps = np.array([0.02, -0.01, 0.04]), np.array([0.06, 0.06, 0.12])
    value, cut, away = base_velocity(
        np.array(wish), last, np.zeros((0, 3)), INF, 0.8, 0.5, 0.4, 0.9, 0.06, 0.12
    )
    goal = np.clip(wish, [-0.5, -0.4, -0.9], [0.8, 0.4, 0.9])
    assert cut == (np.abs(goal - wish).max() > 1e-6)
    assert not away
    share = min(1.0, *(ramps / np.abs(goal - last)))
    assert value == pytest.approx(last + share * (goal - last))


def test_between_two_walls_the_base_stands() -> None:
    s = np.sqrt(0.5)
    corner = np.array([[s, s, 0.0], [s, -s, 0.0]])
    assert bent(0.5, 0.0, 0.3, corner, INF) == pytest.approx((0.0, 0.0, 0.3), abs=1e-9)
    assert bent(-0.5, 0.0, 0.3, corner, 0.25) == pytest.approx((-0.25, 0.0, 0.15))
    wall = np.array([[1.0, 0.0, 0.1]])
    assert bent(0.5, 0.2, 0.0, wall, INF) == pytest.approx((0.1, 0.2, 0.0))


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_only_the_nearest_person_and_boxes_at_body_height_stand_in_the_way(
    order: list[int],
) -> None:
    boxes = np.array([[0.5, 0.0, 0.5], [0.0, 0.6, 0.6]])
    centre = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 2.0]])  # the second overhead
    half = np.full((2, 3), 0.2)
    people = np.array([[0.0, 2.0, 2.0], [1.0, 0.0, 1.0]])[order]
    radius = np.full(2, 0.2)
    limits = (0.05, 1.3, 0.12, 0.02, 1.5, 0.45, 0.8)
    rows, margin, person = obstacles_of(boxes, centre, half, people, radius, *limits)
    assert rows == pytest.approx(np.array([[1, 0, 1.5 * 0.36], [1, 0, 0.8 * 0.23]]))
    assert (margin, person) == pytest.approx((0.38, 0.68))
    nobody = np.zeros((0, 3)), np.zeros(0)
    rows, margin, person = obstacles_of(boxes, centre, half, *nobody, *limits)
    assert len(rows) == 1
    assert person == INF


def test_the_way_beside_people_and_boxes_is_the_shortest() -> None:
    rng, along = np.random.default_rng(6), np.linspace(0, 1, 2001)
    ends = rng.uniform(-1, 1, (50, 3, 2))
    points = ends[:, :2, :1] + along * (ends[:, :2, 1:] - ends[:, :2, :1])
    ways = kernels.axes_beside(ends)
    assert ways[:, 2] == pytest.approx(np.hypot(ways[:, 0], ways[:, 1]))
    least = np.linalg.norm(points, axis=1).min(axis=1)
    assert ways[:, 2] == pytest.approx(least, abs=1e-3)
    off = np.linalg.norm(points - ways[:, :2, None], axis=1).min(axis=1)
    assert off.max() < 1e-3  # it ends on the axis
    centre, half = rng.uniform(-1, 1, (50, 3)), rng.uniform(0.1, 1.0, (50, 3))
    yaw = rng.uniform(-3, 3, 50)
    ways = kernels.beside(centre, half, yaw)
    c, s = np.cos(yaw), np.sin(yaw)
    R = np.array([[c, -s], [s, c]]).transpose(2, 0, 1)
    seen = -(centre[:, None, :2] @ R)[:, 0]  # the body's axis from the box
    inside = (np.abs(seen) <= half[:, :2]).all(axis=1)
    assert 5 < inside.sum() < 45
    nearest = np.clip(seen, -half[:, :2], half[:, :2])
    goal = np.where(inside[:, None], 0.0, nearest)
    assert ways[:, :2] == pytest.approx((R @ (goal - seen)[..., None])[..., 0])
    length = np.linalg.norm(nearest - seen, axis=1)
    assert ways[:, 2] == pytest.approx(length)


def test_people_beyond_reach_are_left_out() -> None:
    ends = np.array(
        [[[1.0, 1.0], [0.0, 0.0], [0.0, 1.5]], [[3.0] * 2, [0] * 2, [1] * 2]]
    )
    beside = kernels.axes_beside(ends)
    assert beside == pytest.approx(np.array([[1, 0, 1], [3, 0, 3.0]]))
    X = np.eye(4)
    X[:3, 3] = (0.5, 0.0, 0.7)
    seen, radius = people_within(ends, np.array([0.2, 0.3]), beside, X, 1.7)
    assert seen == pytest.approx(ends[:1] - X[:3, 3:])
    assert radius == pytest.approx([0.2])


def recast(message: Any, kind: type, names: tuple[str, ...]) -> Any:
    """The same message with arrays of another kind that do not lie in one piece."""
    arrays = {
        name: np.repeat(getattr(message, name).astype(kind), 2, axis=0)[::2]
        for name in names
    }
    return replace(message, **arrays)


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int32])
def test_other_kinds_of_numbers_are_judged_too(
    kind: type, make_bench: Callable[..., Any], command_of: Callable[..., Command]
) -> None:
    bench = make_bench(arm=False)
    state = make_state(q=bench.q, torque=arm_weight(bench.q))
    state = recast(state, kind, STATE)
    if kind is np.int32:  # knees and elbows that are bent still
        state = replace(state, q=bench.q)
    scene = replace(
        person_scene(1.5), box_centre=np.full((1, 3), 1.0), box_half=np.ones((1, 3)),
        box_yaw=np.zeros(1),
    )  # fmt: skip
    scene = recast(scene, kind, SCENE)
    for k in range(3):
        now_ns = state.stamp_ns + k * 20_000_000
        command = command_of(now_ns, base_velocity=np.ones(3), arm_q=bench.q[15:] + 0.2)
        _, verdict = bench.shield.judge(
            recast(command, kind, ("base_velocity", "arm_q", "grip")),
            replace(state, stamp_ns=now_ns),
            now_ns=now_ns,
            scene=scene,
        )
        assert "internal_error" not in verdict.reasons
        bench.shield.arm()
    assert verdict.rung < Rung.HOLD
