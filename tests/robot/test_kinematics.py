from __future__ import annotations

import time

import mujoco
import numpy as np
import pytest

from bidden.robot import g1
from bidden.robot.kinematics import (
    WRISTS,
    Kinematics,
    camera_matrix,
    level_rotation,
    mount_pose,
)
from bidden.robot.model import load_model

UPRIGHT = np.array([0.0, 0.0, -1.0])


@pytest.fixture(scope="module")
def kinematics() -> Kinematics:
    return Kinematics()


def random_pose(oracle: mujoco.MjModel, rng: np.random.Generator) -> mujoco.MjData:
    data = mujoco.MjData(oracle)
    data.qpos[7:] = rng.uniform(oracle.jnt_range[1:, 0], oracle.jnt_range[1:, 1])
    data.qpos[3:7] = rng.normal(size=4)
    mujoco.mj_normalizeQuat(oracle, data.qpos)
    mujoco.mj_kinematics(oracle, data)
    return data


def yaw_matrix(R: np.ndarray) -> np.ndarray:
    c, s = R[0, 0], R[1, 0]
    n = np.hypot(c, s)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, n]]) / n


def test_joint_names_and_ranges_are_those_of_the_xml(oracle: mujoco.MjModel) -> None:
    links = load_model().links
    assert tuple(link.joint for link in links[1:]) == g1.JOINTS
    for link in links[1:]:
        assert oracle.joint(link.joint).range == pytest.approx((link.lower, link.upper))


def test_links_lie_where_mujoco_puts_them(
    oracle: mujoco.MjModel, kinematics: Kinematics
) -> None:
    rng = np.random.default_rng(1)
    ids = [oracle.body(link.name).id for link in load_model().links]
    for _ in range(100):
        data = random_pose(oracle, rng)
        R = data.xmat[ids[0]].reshape(3, 3)
        X_PL = kinematics.link_poses(data.qpos[7:])
        p = (data.xpos[ids] - data.xpos[ids[0]]) @ R
        assert np.abs(X_PL[:, :3, 3] - p).max() < 1e-6
        assert (
            np.abs(X_PL[:, :3, :3] - R.T @ data.xmat[ids].reshape(-1, 3, 3)).max()
            < 1e-6
        )


def test_base_frame_has_yaw_removed_and_the_sole_on_the_floor(
    oracle: mujoco.MjModel, kinematics: Kinematics
) -> None:
    rng = np.random.default_rng(2)
    pelvis = oracle.body("pelvis").id
    feet = [
        g
        for g in range(oracle.ngeom)
        if oracle.geom(g).name[-11:-10] in ("1", "4", "7")
    ]
    for _ in range(50):
        data = random_pose(oracle, rng)
        R = data.xmat[pelvis].reshape(3, 3)
        X_BP = kinematics.pelvis_in_base(data.qpos[7:], -R[2])
        assert np.abs(yaw_matrix(R) @ X_BP[:3, :3] - R).max() < 1e-6
        lowest = min(
            data.geom_xpos[g][2]
            - abs(data.geom_xmat[g][8]) * oracle.geom_size[g][1]
            - oracle.geom_size[g][0]
            for g in feet
        )
        assert X_BP[2, 3] == pytest.approx(data.xpos[pelvis][2] - lowest, abs=1e-6)
        assert np.all(X_BP[:2, 3] == 0)


def test_hands_mirror_each_other_in_the_ready_posture(kinematics: Kinematics) -> None:
    q = g1.DEFAULT_Q.copy()
    q[g1.ARMS] = g1.READY_ARMS
    right, left = kinematics.hand_poses(q, UPRIGHT)
    assert right[:3, 3] == pytest.approx(left[:3, 3] * (1, -1, 1), abs=1e-4)
    X_BL = kinematics.base_link_poses(q, UPRIGHT)
    for hand, pose in enumerate((right, left)):
        wrist = X_BL[WRISTS[hand]]
        assert pose[:3, 3] == pytest.approx((wrist @ [g1.GRIP_POINT, 0, 0, 1])[:3])
        assert pose[:3, :3] == pytest.approx(wrist[:3, :3])
    soles = kinematics.sole_points(X_BL, np.eye(4))
    assert soles[..., 2].min() == pytest.approx(0, abs=1e-12)


def test_a_batch_of_postures_gives_the_same_as_one_by_one(
    kinematics: Kinematics,
) -> None:
    q = np.random.default_rng(3).normal(size=(4, 29)) * 0.3
    batch = kinematics.link_poses(q)
    for row, X in zip(q, batch, strict=True):
        assert kinematics.link_poses(row) == pytest.approx(X)


def test_camera_axes_and_intrinsics(
    oracle: mujoco.MjModel, kinematics: Kinematics
) -> None:
    spec_pose = mount_pose(g1.CAMERAS[0])
    assert np.linalg.det(spec_pose[:3, :3]) == pytest.approx(1)
    assert spec_pose[:3, 2] == pytest.approx(
        (np.cos(np.deg2rad(40)), 0, -np.sin(np.deg2rad(40)))
    )
    assert spec_pose[:3, 0] == pytest.approx((0, -1, 0))
    K = camera_matrix(g1.CAMERAS[0])
    assert np.arctan2(160, K[1, 1]) * 2 == pytest.approx(g1.CAMERAS[0].fov)
    X_BT = kinematics.torso_pose(g1.DEFAULT_Q, UPRIGHT)
    X_BC = kinematics.camera_pose(g1.DEFAULT_Q, UPRIGHT, mount=g1.CAMERAS[0])
    assert np.allclose(X_BC, X_BT @ spec_pose)


@pytest.mark.parametrize(
    "gravity", [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 0)]
)
def test_any_gravity_gives_a_rotation(gravity: tuple[float, ...]) -> None:
    R = level_rotation(np.array(gravity, float))
    assert pytest.approx(np.eye(3), abs=1e-9) == R @ R.T
    if any(gravity):
        assert R @ gravity == pytest.approx((0, 0, -1), abs=1e-9)


def test_one_pass_is_cheap(kinematics: Kinematics) -> None:
    best = min(_timed(kinematics) for _ in range(200))
    assert best < 150e-6


def _timed(kinematics: Kinematics) -> float:
    start = time.perf_counter()
    kinematics.link_poses(g1.DEFAULT_Q)
    return time.perf_counter() - start
