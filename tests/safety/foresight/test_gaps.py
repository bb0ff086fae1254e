"""Foreseen distances, against the exact ones of the capsules."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bidden.robot import g1
from bidden.robot.capsules import BodyCapsules, box_distances, segment_distances
from bidden.robot.kinematics import Kinematics
from bidden.safety import EMPTY_SCENE, Scene
from bidden.safety.foresight.gaps import FAR, GROUPS, KINDS, ForeseenGaps
from bidden.safety.foresight.prediction import _points_on
from bidden.safety.scene import box_poses

BODY = BodyCapsules()
GAPS = ForeseenGaps(BODY)


def posture() -> tuple[np.ndarray, np.ndarray]:
    q = g1.DEFAULT_Q.copy()
    q[g1.ARMS] = g1.READY_ARMS
    X = Kinematics().base_link_poses(q, np.array([0.0, 0.0, -1.0]))
    segments = BODY.segments(X)[None]
    return segments, _points_on(segments)


def scene_of(centre: list[float], half: list[float], yaw: float = 0.0) -> Scene:
    return Scene(
        stamp_ns=1,
        box_centre=np.array([centre]),
        box_half=np.array([half]),
        box_yaw=np.array([yaw]),
    )


@pytest.mark.parametrize(
    ("centre", "half", "kind"),
    [
        ([0.6, 0.0, 0.72], [0.2, 0.4, 0.02], "slab"),
        ([0.6, 0.1, 0.25], [0.15, 0.15, 0.2], "low"),
        ([0.8, -0.2, 0.7], [0.3, 0.4, 0.6], "tall"),
        ([0.1, 0.0, 0.8], [0.3, 0.4, 0.6], "tall"),
    ],
)
@pytest.mark.parametrize("yaw", [0.0, 0.7])
def test_boxes_by_kind_and_group(
    centre: list[float], half: list[float], kind: str, yaw: float
) -> None:
    segments, points = posture()
    scene = scene_of(centre, half, yaw)
    gaps = GAPS.to_boxes(points, scene)[0]
    exact = box_distances(
        segments[0], box_poses(scene.box_centre, scene.box_yaw), scene.box_half
    )[:, 0]
    exact = exact - BODY.radius
    hands = np.isin(np.arange(len(BODY.names)), BODY.arms[:, 3:])
    arms = np.isin(np.arange(len(BODY.names)), BODY.arms[:, :3])
    for g, mine in enumerate((hands, arms, ~(hands | arms))):
        least = float(exact[mine].min())
        got = gaps[g, KINDS.index(kind)]
        if least > 0.0:
            assert least - 1e-9 <= got <= min(least, FAR) + 0.03, GROUPS[g]
        else:
            assert got < 0.01
    others = [k for k in range(len(KINDS)) if KINDS[k] != kind]
    assert np.all(gaps[:, others] == FAR)


def test_people_by_group(person_at: Callable[..., Scene]) -> None:
    segments, points = posture()
    scene = person_at(0.9, 0.1)
    gaps = GAPS.to_people(points, scene)[0]
    exact = segment_distances(segments[0], scene.person_ends) - BODY.radius - 0.2
    hands = np.isin(np.arange(len(BODY.names)), BODY.arms[:, 3:])
    assert gaps[0] == pytest.approx(exact[hands].min(), abs=0.02)
    assert gaps.min() == pytest.approx(exact.min(), abs=0.02)


def test_nothing_near_is_far() -> None:
    _, points = posture()
    assert np.all(GAPS.to_boxes(points, EMPTY_SCENE) == FAR)
    assert np.all(GAPS.to_people(points, EMPTY_SCENE) == FAR)
    away = scene_of([4.0, 0.0, 0.7], [0.2, 0.2, 0.6])
    assert np.all(GAPS.to_boxes(points, away) == FAR)


def test_people_in_any_posture() -> None:
    rng, (_, points) = np.random.default_rng(0), posture()
    flat = points[0].reshape(-1, 3)
    radius = np.repeat(BODY.radius, 3)
    for _ in range(30):
        ends = rng.uniform((-0.5, -0.5, 0.0), (0.8, 0.8, 1.5), (2, 3)).T
        scene = Scene(stamp_ns=1, person_ends=ends[None], person_radius=np.array([0.1]))
        along = ends[:, :1] + np.linspace(0, 1, 1001) * (ends[:, 1:] - ends[:, :1])
        away = np.linalg.norm(flat[:, :, None] - along, axis=1).min(axis=1)
        exact = float((away - radius).min()) - 0.1
        least = float(GAPS.to_people(points, scene).min())
        assert least == pytest.approx(min(exact, FAR), abs=1e-3)
