from __future__ import annotations

import mujoco
import numpy as np
import pytest

from bidden.robot import g1
from bidden.robot.balance import (
    GRAVITY,
    Balance,
    capture_point,
    polygon_margin,
    standing_points,
)
from bidden.robot.kinematics import Kinematics, level_rotation

UPRIGHT = np.array([0.0, 0.0, -1.0])


def test_mass_and_centre_agree_with_mujoco(oracle: mujoco.MjModel) -> None:
    rng = np.random.default_rng(0)
    balance, kinematics, data = Balance(), Kinematics(), mujoco.MjData(oracle)
    assert balance.mass == pytest.approx(mujoco.mj_getTotalmass(oracle), abs=1e-6)
    pelvis = oracle.body("pelvis").id
    for _ in range(30):
        data.qpos[7:] = rng.uniform(oracle.jnt_range[1:, 0], oracle.jnt_range[1:, 1])
        mujoco.mj_forward(oracle, data)
        truth = data.subtree_com[pelvis] - data.xpos[pelvis]
        own = balance.com(kinematics.link_poses(data.qpos[7:]))
        assert own == pytest.approx(truth, abs=1e-6)


def test_velocity_of_the_centre_agrees_with_mujoco(oracle: mujoco.MjModel) -> None:
    rng = np.random.default_rng(1)
    balance, kinematics, data = Balance(), Kinematics(), mujoco.MjData(oracle)
    pelvis = oracle.body("pelvis").id
    for _ in range(30):
        data.qpos[7:] = rng.uniform(oracle.jnt_range[1:, 0], oracle.jnt_range[1:, 1])
        data.qpos[3:7] = 1, *rng.normal(size=3) * 0.1
        mujoco.mj_normalizeQuat(oracle, data.qpos)
        data.qvel[:] = rng.normal(size=oracle.nv)
        mujoco.mj_forward(oracle, data)
        mujoco.mj_subtreeVel(oracle, data)
        R_WP = data.xmat[pelvis].reshape(3, 3)
        R_BP = level_rotation(-R_WP[2])
        R_BW = R_BP @ R_WP.T
        q, dq = data.qpos[7:], data.qvel[6:]
        X = kinematics.link_poses(q)
        com, own = balance.com_motion(
            X, dq, R_BP=R_BP, gyro=data.qvel[3:6], base=R_BW @ data.qvel[:3]
        )
        assert com == pytest.approx(balance.com(X))
        truth = R_BW @ data.subtree_linvel[pelvis]
        assert own[:2] == pytest.approx(truth[:2], abs=1e-6)


def test_capture_point_of_a_pendulum() -> None:
    com, v = np.array([0.1, 0.0, 0.9]), np.array([0.3, 0.0, 0.0])
    assert capture_point(com, v) == pytest.approx(
        (0.1 + 0.3 * (0.9 / GRAVITY) ** 0.5, 0)
    )


def test_standing_still_is_balanced_and_a_lifted_foot_carries_nothing() -> None:
    kinematics, balance = Kinematics(), Balance()
    X = kinematics.base_link_poses(g1.DEFAULT_Q, UPRIGHT)
    points = standing_points(kinematics.sole_points(X, np.eye(4)))
    assert len(points) == 12
    assert polygon_margin(points, balance.com(X)[:2]) > 0.05
    q = g1.DEFAULT_Q.copy()
    q[0] -= 0.4
    X = kinematics.base_link_poses(q, UPRIGHT)
    points = standing_points(kinematics.sole_points(X, np.eye(4)))
    assert len(points) == 6
    assert points[:, 1].max() < 0


def hull_margin(points: np.ndarray, x: np.ndarray) -> float:
    """Slow and independent: the least over many directions, then over corners."""
    angle = np.linspace(0, 2 * np.pi, 200_001)
    u = np.stack([np.cos(angle), np.sin(angle)])
    return float(((points @ u).max(axis=0) - x @ u).min())


def test_margin_is_the_distance_to_the_hull() -> None:
    rng = np.random.default_rng(2)
    for n in (1, 2, 3, 5, 12):
        points = rng.normal(size=(n, 2))
        for _ in range(10):
            x = rng.normal(size=2) * 2
            assert polygon_margin(points, x) == pytest.approx(
                hull_margin(points, x), abs=1e-4
            )
    assert polygon_margin(np.zeros((1, 2)), np.zeros(2)) == 0.0
    assert polygon_margin(np.zeros((0, 2)), np.zeros(2)) == 0.0
    in_line = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [2.0, 0.0]])
    assert polygon_margin(in_line, np.array([1.5, 0.5])) == pytest.approx(-0.5)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_margin_of_what_is_not_finite_is_not_a_number(bad: float) -> None:
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    inside = np.array([0.5, 0.5])
    for k in range(4):
        broken = corners.copy()
        broken[k, k % 2] = bad
        assert np.isnan(polygon_margin(broken, inside))
    assert np.isnan(polygon_margin(corners, np.array([bad, 0.5])))
