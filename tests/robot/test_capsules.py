from __future__ import annotations

import mujoco
import numpy as np
import pytest

from bidden.robot.capsules import (
    BodyCapsules,
    box_distances,
    pair_distances,
    segment_distances,
)
from bidden.robot.kinematics import Kinematics
from bidden.robot.model import load_model


def geom_of(capsule: str) -> str:
    return f"{capsule}_collision"


def test_pairs_are_as_far_apart_as_mujoco_says(oracle: mujoco.MjModel) -> None:
    rng = np.random.default_rng(0)
    body, kinematics, data = BodyCapsules(), Kinematics(), mujoco.MjData(oracle)
    known = [
        k
        for k, pair in enumerate(body.pairs)
        if not any("palm" in name or "finger" in name for name in pair)
    ]
    assert len(known) > 40
    for _ in range(20):
        data.qpos[7:] = rng.uniform(oracle.jnt_range[1:, 0], oracle.jnt_range[1:, 1])
        mujoco.mj_kinematics(oracle, data)
        segments = body.segments(kinematics.link_poses(data.qpos[7:]))
        gaps = body.self_distances(segments)
        for k in known:
            one, two = (oracle.geom(geom_of(name)).id for name in body.pairs[k])
            truth = mujoco.mj_geomDistance(oracle, data, one, two, 5.0, np.zeros(6))
            if truth > 0:
                assert gaps[k] == pytest.approx(truth, abs=1e-5), body.pairs[k]
            else:
                assert gaps[k] < 1e-6


def test_capsules_are_those_of_the_xml(oracle: mujoco.MjModel) -> None:
    for capsule in load_model().capsules:
        if "palm" in capsule.name or "finger" in capsule.name:
            continue
        geom = oracle.geom(geom_of(capsule.name))
        middle = (np.array(capsule.a) + np.array(capsule.b)) / 2
        assert geom.pos == pytest.approx(middle, abs=1e-8)
        assert geom.size[0] == pytest.approx(capsule.radius)


def test_segment_distance_against_dense_sampling() -> None:
    rng = np.random.default_rng(1)
    one, two = rng.normal(size=(2, 300, 3, 2)) * 0.2
    one[:50, :, 1] = one[:50, :, 0]  # spheres
    two[25:75, :, 1] = two[25:75, :, 0]
    two[75:100] = one[75:100] + 0.1  # parallel
    u = np.linspace(0, 1, 101)
    p = one[..., :1] + u * (one[..., 1:] - one[..., :1])
    q = two[..., :1] + u * (two[..., 1:] - two[..., :1])
    truth = np.linalg.norm(p[..., :, None] - q[..., None, :], axis=1).min(axis=(1, 2))
    own = segment_distances(one, two)
    assert np.all(own <= truth + 1e-9)
    assert np.all(own >= truth - 0.01)


def test_box_distance_against_dense_sampling() -> None:
    rng = np.random.default_rng(2)
    half = np.array([[0.2, 0.3, 0.1]])
    X_OB = np.eye(4)[None].copy()
    X_OB[0, :3, :3] = [[0.6, 0.8, 0], [-0.8, 0.6, 0], [0, 0, 1]]
    X_OB[0, :3, 3] = 0.1, -0.2, 0.05
    for _ in range(500):
        a = rng.uniform(-0.5, 0.5, 3)
        b = a + 0.2 * rng.normal(size=3) * rng.integers(0, 2, size=3)
        p = a + np.linspace(0, 1, 2001)[:, None] * (b - a)
        q = np.abs(p @ X_OB[0, :3, :3].T + X_OB[0, :3, 3]) - half
        signed = np.linalg.norm(np.maximum(q, 0), axis=1) + np.minimum(q.max(axis=1), 0)
        own = box_distances(np.stack([a, b], axis=-1)[None], X_OB, half)[0, 0]
        if signed.min() > 0:
            assert own == pytest.approx(signed.min(), abs=1e-6)
        else:
            assert signed.min() - 1e-9 <= own <= 1e-6


def test_leading_dimensions_are_kept() -> None:
    body, kinematics = BodyCapsules(), Kinematics()
    q = np.random.default_rng(3).normal(size=(2, 29)) * 0.2
    segments = body.segments(kinematics.link_poses(q))
    gaps = body.self_distances(segments)
    assert gaps.shape == (2, len(body.pairs))
    X, half = np.tile(np.eye(4), (3, 1, 1)), np.full((3, 3), 0.1)
    to_boxes = box_distances(segments, X, half)
    assert to_boxes.shape == (2, len(body.names), 3)
    one = body.segments(kinematics.link_poses(q[1]))
    assert gaps[1] == pytest.approx(body.self_distances(one))
    assert to_boxes[1] == pytest.approx(box_distances(one, X, half))


def test_what_is_not_a_number_has_no_distance() -> None:
    segments = np.zeros((1, 2, 3, 2))
    segments[0, 1, 0] = 1.0
    X_OB, half = np.eye(4)[None], np.full((1, 3), 0.1)
    for axis in range(3):
        for end in (0, 1):
            broken = segments.copy()
            broken[0, 1, axis, end] = np.nan
            pair = (np.array([0]), np.array([1]))
            assert np.isnan(pair_distances(broken, *pair)).all()
            near, far = box_distances(broken, X_OB, half)[0, :, 0]
            assert near < 0
            assert np.isnan(far)
