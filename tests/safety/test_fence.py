"""The fence around the odometry's origin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bidden.core.messages import RobotState, Rung
from bidden.safety import Limits
from bidden.safety.body import bent_inside, slowed_inside

TICK_NS = 20_000_000


def at_pose(bench: Any, state_of: Callable[..., RobotState], pose: Any) -> RobotState:
    """A state of the next tick, there, in which every sensor trembles."""
    rng = np.random.default_rng(bench.now_ns // TICK_NS)
    state = state_of(bench.now_ns + TICK_NS, base_pose=pose)
    names = ("q", "dq", "gyro", "gravity", "base_pose", "base_velocity")
    return replace(state, **{n: getattr(state, n) + 1e-6 * rng.normal() for n in names})


@pytest.mark.parametrize("yaw", [0.0, 1.1, np.pi])
@pytest.mark.parametrize("wish", [(0.8, 0.0, 0.0), (0.4, 0.4, 0.9), (-0.5, 0.2, -0.9)])
def test_the_fence_is_never_passed(
    make_bench: Any, state_of: Callable[..., RobotState], yaw: float, wish: Any
) -> None:
    bench = make_bench(Limits(fence_radius=2.0))
    pose, worst, slow = np.array([0.5, -0.2, yaw]), 0.0, 0
    for _ in range(500):
        state = at_pose(bench, state_of, pose)
        vetted, verdict = bench.tick(state=state, base_velocity=np.array(wish))
        vx, vy, wz = vetted.command.base_velocity
        c, s = np.cos(pose[2]), np.sin(pose[2])
        pose = pose + 0.02 * np.array([c * vx - s * vy, s * vx + c * vy, wz])
        distance = float(np.hypot(*pose[:2]))
        out = (c * vx - s * vy) * pose[0] + (s * vx + c * vy) * pose[1]
        margin = 2.0 - 0.15 - distance
        worst = max(worst, distance)
        assert out / distance <= np.sqrt(2 * 1.0 * max(margin, 0)) + 0.03
        slow += "geofence" in verdict.reasons
        assert verdict.rung is Rung.SLOW or "geofence" not in verdict.reasons
    assert worst <= 1.851
    if wish[2] == 0:
        assert worst > 1.8
        assert slow > 100


def test_outside_the_fence_only_inward_motion_is_left(
    make_bench: Any, state_of: Callable[..., RobotState]
) -> None:
    for vx in (0.4, -0.4):
        bench = make_bench(Limits(fence_radius=2.0))
        for _ in range(20):
            pose = np.array([2.3, 0.0, 0.0])
            state = at_pose(bench, state_of, pose)
            vetted, _ = bench.tick(state=state, base_velocity=np.array([vx, 0, 0]))
        assert vetted.command.base_velocity[0] == pytest.approx(min(vx, 0.0))


def test_turning_fast_at_the_fence_does_not_soften_the_brake(
    make_bench: Any, state_of: Callable[..., RobotState]
) -> None:
    bench = make_bench(Limits(fence_radius=2.0))
    pose = np.array([1.0, 0.0, 0.0])
    for k in range(60):
        turn = 0.9 if k % 2 else -0.9
        state = at_pose(bench, state_of, pose)
        vetted, _ = bench.tick(state=state, base_velocity=np.array([0.8, 0.0, turn]))
        forward = float(vetted.command.base_velocity[0])
        margin = 1.85 - pose[0]
        assert forward <= 1.5 * max(margin, 0.0) + 1e-5
        pose = pose + np.array([0.02 * forward, 0.0, 0.0])


def test_without_a_fence_the_base_goes_anywhere(bench: Any) -> None:
    for _ in range(30):
        _, verdict = bench.tick(base_velocity=np.array([0.8, 0.0, 0.0]))
        assert verdict.rung is Rung.PASS


@pytest.mark.parametrize("yaw", [0.0, 0.7, -2.0])
@pytest.mark.parametrize("place", [(1.0, 1.0), (-0.4, 1.6), (0.0, -1.7), (0.1, 0.1)])
def test_only_what_leads_out_too_fast_is_taken(yaw: float, place: Any) -> None:
    limits, distance = Limits(fence_radius=2.0), float(np.hypot(*place))
    margin = max(2.0 - 0.15 - distance, 0.0)
    most = min(np.sqrt(2 * margin), 1.5 * margin)
    R = np.array([[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]])
    out = R.T @ np.array(place) / distance
    for wish in ((0.8, 0.3, 0.5), (-0.5, 0.4, -0.9), (0.1, -0.4, 0.0)):
        velocity, pose = np.array(wish), np.array([*place, yaw])
        excess = float(velocity[:2] @ out) - most
        bent = bent_inside(velocity, pose, limits)
        slow = slowed_inside(velocity, pose, limits)
        if most > 1.0 or excess <= 0.0:
            assert bent is velocity
            assert slow is velocity
            continue
        assert bent[:2] == pytest.approx(velocity[:2] - excess * out)
        assert slow[:2] == pytest.approx(velocity[:2] * most / (most + excess))
        assert bent[2] == slow[2] == wish[2]
