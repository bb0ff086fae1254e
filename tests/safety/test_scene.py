from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from bidden.safety import EMPTY_SCENE, Scene
from bidden.safety.motion.gaps import surroundings_of
from bidden.safety.scene import box_poses, carried_along, is_sound

Make = Callable[..., Scene]


@pytest.fixture
def full(table_of: Make) -> Scene:
    return replace(
        table_of(),
        box_yaw=np.array([0.3]),
        base_pose=np.array([0.2, -0.1, 0.5]),
        person_ends=np.array([[[1.0, 1.1], [0.5, 0.6], [0.1, 1.6]]]),
        person_radius=np.array([0.2]),
    )


def test_nothing_is_a_sound_scene(full: Scene) -> None:
    assert EMPTY_SCENE.is_empty
    assert is_sound(EMPTY_SCENE)
    assert is_sound(full)
    assert not full.is_empty


@pytest.mark.parametrize(
    "field",
    ["base_pose", "box_centre", "box_half", "box_yaw", "person_ends", "person_radius"],
)
def test_wrong_shapes_and_numbers_are_unsound(full: Scene, field: str) -> None:
    good = getattr(full, field)
    for bad in (good * np.nan, good[..., None], good[:0] if field == "base_pose" else
                np.concatenate([good, good]), good + np.inf):  # fmt: skip
        assert not is_sound(replace(full, **{field: bad}))


def test_negative_sizes_and_crowds_are_unsound(full: Scene) -> None:
    assert not is_sound(replace(full, box_half=-full.box_half))
    assert not is_sound(replace(full, person_radius=-full.person_radius))
    assert not is_sound(replace(full, box_yaw=np.zeros(33)))
    assert not is_sound(replace(full, person_radius=np.zeros(17)))


def test_a_full_scene_is_sound() -> None:
    scene = Scene(
        stamp_ns=1,
        box_centre=np.zeros((32, 3)),
        box_half=np.zeros((32, 3)),  # flat ones too
        box_yaw=np.zeros(32),
        person_ends=np.zeros((16, 3, 2)),
        person_radius=np.zeros(16),
    )
    assert is_sound(scene)


def pose(x: float, y: float, yaw: float) -> np.ndarray:
    c, s = np.cos(yaw), np.sin(yaw)
    X = np.eye(4)
    X[:2, :2], X[:2, 3] = [[c, -s], [s, c]], (x, y)
    return X


def test_a_scene_stays_where_it_was_while_the_robot_moves(full: Scene) -> None:
    now = np.array([0.7, 0.4, -0.9])
    moved = carried_along(full, now)
    X = np.linalg.inv(pose(*now)) @ pose(*full.base_pose)
    assert moved.box_centre == pytest.approx(
        (X[:3, :3] @ full.box_centre.T).T + X[:3, 3]
    )
    for k in range(2):
        p = X @ np.append(full.person_ends[0, :, k], 1)
        assert moved.person_ends[0, :, k] == pytest.approx(p[:3])
    assert moved.box_yaw == pytest.approx(full.box_yaw + 0.5 + 0.9)
    still = carried_along(full, full.base_pose)
    assert still.box_centre == pytest.approx(full.box_centre)
    assert still.person_ends == pytest.approx(full.person_ends)


def test_box_poses_bring_the_centre_to_the_origin(full: Scene) -> None:
    X_OB = box_poses(full.box_centre, full.box_yaw)[0]
    assert X_OB @ np.append(full.box_centre[0], 1) == pytest.approx((0, 0, 0, 1))
    corner = full.box_centre[0] + pose(0, 0, 0.3)[:3, :3] @ full.box_half[0]
    assert X_OB @ np.append(corner, 1) == pytest.approx([*full.box_half[0], 1])


def test_far_boxes_are_left_out(table_of: Make) -> None:
    near, far = table_of(0.5), table_of(2.0)
    assert len(surroundings_of(near, np.eye(4)).half) == 1
    assert len(surroundings_of(far, np.eye(4)).half) == 0
    both = replace(
        near,
        box_centre=np.concatenate([near.box_centre, far.box_centre]),
        box_half=np.concatenate([near.box_half, far.box_half]),
        box_yaw=np.zeros(2),
    )
    (X_OP,) = surroundings_of(both, np.eye(4)).X_OP
    assert X_OP[:3, 3] == pytest.approx(-near.box_centre[0])


def test_a_body_on_the_side_of_a_box_has_a_way_out(table_of: Make) -> None:
    for gap in (0.0, 1e-12, 1e-6):
        ((x, y, away),) = table_of(gap).boxes_beside
        assert away == pytest.approx(gap, abs=1e-9)
        assert x / np.hypot(x, y) == pytest.approx(1.0)
        assert np.hypot(x, y) > 1e-9  # long enough to be a direction
