from __future__ import annotations

import time

import numpy as np
import pytest

from bidden.core.messages import LEFT, RIGHT
from bidden.robot import g1
from bidden.robot.ik import ArmIK, rotation_error
from bidden.robot.ik_kernels import box_step
from bidden.robot.kinematics import TORSO, WRISTS, Kinematics, grip_poses


@pytest.fixture(params=[RIGHT, LEFT])
def arm(request: pytest.FixtureRequest) -> tuple[int, ArmIK]:
    return request.param, ArmIK(request.param)


def near_ready(ik: ArmIK, rng: np.random.Generator, spread: float) -> np.ndarray:
    return np.clip(ik.ready + spread * rng.normal(size=7), ik.lower, ik.upper)


def test_pose_is_that_of_the_whole_body(arm: tuple[int, ArmIK]) -> None:
    hand, ik = arm
    q = g1.DEFAULT_Q + 0.2 * np.random.default_rng(0).normal(size=29)
    X_PL = Kinematics().link_poses(q)
    X_TG = np.linalg.inv(X_PL[TORSO]) @ grip_poses(X_PL[WRISTS[hand]])
    assert ik.pose(q[g1.ARM[hand]]) == pytest.approx(X_TG, abs=1e-9)


def test_jacobian_agrees_with_finite_differences(arm: tuple[int, ArmIK]) -> None:
    _, ik = arm
    rng = np.random.default_rng(1)
    for _ in range(20):
        q = near_ready(ik, rng, 0.6)
        J = ik.jacobian(q)
        for j in range(7):
            step = np.zeros(7)
            step[j] = 1e-6
            up, down = ik.pose(q + step), ik.pose(q - step)
            assert (up - down)[:3, 3] / 2e-6 == pytest.approx(J[:3, j], abs=1e-6)
            turn = rotation_error(up[:3, :3], down[:3, :3]) / 2e-6
            assert turn == pytest.approx(J[3:, j], abs=1e-6)


def test_reachable_targets_are_reached_in_a_second(arm: tuple[int, ArmIK]) -> None:
    _, ik = arm
    rng = np.random.default_rng(2)
    for _ in range(40):
        # The elbow folded to its stop leaves no self-motion: stay off it.
        goal = near_ready(ik, rng, 0.35).clip(ik.lower + 0.1, ik.upper - 0.1)
        X_TG = ik.pose(goal)
        q = ik.ready.copy()
        for _ in range(50):
            q = ik.solve(X_TG, q)
        assert np.linalg.norm(ik.pose(q)[:3, 3] - X_TG[:3, 3]) < 1e-3


def test_steps_and_ranges_hold_even_when_the_target_is_out_of_reach(
    arm: tuple[int, ArmIK],
) -> None:
    _, ik = arm
    rng = np.random.default_rng(3)
    q = ik.ready.copy()
    for _ in range(300):
        X_TG = np.eye(4)
        X_TG[:3, 3] = rng.normal(size=3) * 2
        before = q
        q = ik.solve(X_TG, q)
        assert np.all(np.abs(q - before) <= ik.max_step + 1e-12)
        assert np.all((q >= ik.lower) & (q <= ik.upper))


def test_a_start_outside_the_range_comes_back_inside(arm: tuple[int, ArmIK]) -> None:
    _, ik = arm
    q = ik.solve(ik.pose(ik.ready), ik.upper + 0.5)
    assert np.all(q <= ik.upper)


def test_rotation_error_up_to_half_a_turn() -> None:
    assert rotation_error(np.eye(3), np.eye(3)) == pytest.approx(np.zeros(3))
    for axis in range(3):
        R = -np.eye(3)
        R[axis, axis] = 1
        v = rotation_error(R, np.eye(3))
        assert np.abs(v)[axis] == pytest.approx(np.pi)


def test_box_step_matches_brute_force_corners() -> None:
    H, g = np.diag([1.0, 2.0]), np.array([10.0, 10.0])
    x = box_step(H, g, np.array([-1.0, -1.0]), np.array([1.0, 1.0]))
    assert x == pytest.approx([1, 1])


def test_solve_is_cheap() -> None:
    ik = ArmIK(RIGHT)
    X_TG = ik.pose(ik.ready + 0.3)

    def timed() -> float:
        start = time.perf_counter()
        ik.solve(X_TG, ik.ready)
        return time.perf_counter() - start

    assert min(timed() for _ in range(100)) < 300e-6


def test_what_is_not_a_number_is_not_hidden_by_a_limit() -> None:
    ik = ArmIK((RIGHT, LEFT))
    goals = ik.pose(ik.ready)
    for place in ((0, 0, 3), (0, 1, 1)):
        broken = goals.copy()
        broken[place] = np.nan
        right, left = ik.solve(broken, ik.ready)
        assert np.isnan(right).all()
        assert np.isfinite(left).all()
