"""Depth images in, boxes and people out; drawn by arithmetic, without a simulator."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from bidden.brain.perception.surroundings import Surroundings, SurroundingsConfig
from bidden.core.messages import Array, Grounding, Image, RobotState
from bidden.robot import g1
from bidden.safety import Scene
from bidden.safety.scene import BOXES_MAX, is_sound

HEIGHT_M, PITCH = 1.2, np.deg2rad(40)
K = np.array([[208.5, 0.0, 160.0], [0.0, 208.5, 160.0], [0.0, 0.0, 1.0]])
Block = tuple[tuple[float, float, float], tuple[float, float, float]]  # low, high in O
TABLE: Block = ((0.7, -0.5, 0.72), (1.2, 0.5, 0.75))
CUBE: Block = ((0.78, -0.02, 0.75), (0.82, 0.02, 0.79))
WALL: Block = ((1.5, -3.0, 0.0), (1.6, 3.0, 2.5))
BIN: Block = ((0.8, 0.6, 0.0), (1.1, 0.9, 0.45))


def camera_pose() -> Array:
    s, c = np.sin(PITCH), np.cos(PITCH)
    X = np.eye(4)
    X[:3, 0], X[:3, 1], X[:3, 2] = (0, -1, 0), (-s, 0, -c), (c, 0, -s)
    X[:3, 3] = (0.07, 0.0, HEIGHT_M)
    return X


def draw(*blocks: Block, pose: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Array:
    """Depth of a floor and blocks of O, seen from a base at `pose` (320, 320)."""
    v, u = np.indices((320, 320)) + 0.5
    X = camera_pose()
    rays = np.stack([(u - 160) / 208.5, (v - 160) / 208.5, np.ones_like(u)], -1)
    rays = rays @ X[:3, :3].T
    start = X[:3, 3].copy()
    c, s = np.cos(pose[2]), np.sin(pose[2])
    R = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    rays, start = rays @ R.T, R @ start + (pose[0], pose[1], 0.0)
    with np.errstate(divide="ignore"):
        depth = np.where(rays[..., 2] < 0, -start[2] / rays[..., 2], np.inf)
        for low, high in blocks:
            t = np.sort(
                np.stack([(np.array(b) - start) / rays for b in (low, high)]), axis=0
            )
            enter, leave = t[0].max(-1), t[1].min(-1)
            hit = (enter <= leave) & (enter > 0)
            depth = np.where(hit, np.minimum(depth, enter), depth)
    return np.where(depth < 8.0, depth, 0.0).astype(np.float32)


def noisy(depth: Array, rng: np.random.Generator) -> Array:
    """As a stereo camera: noise that grows with the distance, holes."""
    noise = rng.standard_normal(depth.shape) * (0.001 + 0.003 * depth * depth)
    holes = rng.random(depth.shape) < 0.02
    return np.where(holes | (depth == 0), 0.0, depth + noise).astype(np.float32)


def image_of(depth: Array | None, stamp_ns: int = 200_000_000) -> Image:
    return Image(
        stamp_ns=stamp_ns,
        camera="head",
        rgb=np.zeros((320, 320, 3), np.uint8),
        depth=depth,
        K=K,
        X_BC=camera_pose(),
    )


def state_at(*pose: float) -> RobotState:
    q = g1.DEFAULT_Q.copy()
    q[g1.ARMS] = g1.READY_ARMS
    return RobotState(
        stamp_ns=0,
        q=q,
        dq=np.zeros(29),
        torque=np.zeros(29),
        gyro=np.zeros(3),
        gravity=np.array([0.0, 0.0, -1.0]),
        base_pose=np.array(pose or (0.0, 0.0, 0.0)),
        base_velocity=np.zeros(3),
        grip_width=np.full(2, 0.09),
        grip_force=np.zeros(2),
    )


def look(
    s: Surroundings,
    *blocks: Block,
    pose: tuple[float, float, float] = (0.0, 0.0, 0.0),
    stamp_ns: int = 200_000_000,
    person: Grounding | None = None,
) -> Scene:
    image = image_of(draw(*blocks, pose=pose), stamp_ns)
    return s.update(image, state_at(*pose), person=person)


def person_at(x: float, y: float, confidence: float = 0.9) -> Grounding:
    return Grounding(
        role="landmark",
        phrase="person",
        p_B=np.array([x, y, 0.7]),
        spread_m=0.05,
        confidence=confidence,
    )


def inside(scene: Scene, p: tuple[float, float, float]) -> bool:
    """Whether a point of B is in one of the boxes."""
    d = np.array(p) - scene.box_centre
    c, s = np.cos(scene.box_yaw), np.sin(scene.box_yaw)
    local = np.stack(
        [c * d[:, 0] + s * d[:, 1], c * d[:, 1] - s * d[:, 0], d[:, 2]], axis=1
    )
    return bool((np.abs(local) <= scene.box_half).all(axis=1).any())


def test_an_empty_floor_gives_an_empty_scene_with_its_stamp() -> None:
    scene = look(Surroundings(), stamp_ns=77)
    assert scene.is_empty
    assert scene.stamp_ns == 77


def test_the_first_image_counts_also_at_the_very_start_of_time() -> None:
    assert not look(Surroundings(), WALL, stamp_ns=0).is_empty


def test_a_table_is_a_thin_box_under_its_top_and_inside_its_edges() -> None:
    config = SurroundingsConfig()
    scene = look(Surroundings(), TABLE)
    assert len(scene.box_yaw) == 1
    top = scene.box_centre[0, 2] + scene.box_half[0, 2]
    assert top == pytest.approx(0.75 - config.table_drop_m, abs=0.004)
    assert 2 * scene.box_half[0, 2] == pytest.approx(config.table_thick_m)
    edge = 0.7 + config.table_inset_m
    assert inside(scene, (edge + 0.03, 0.0, top - 0.01))
    assert not inside(scene, (edge - 0.03, 0.0, top - 0.01))
    assert inside(scene, (0.9, 0.5 - config.table_inset_m - 0.03, top - 0.01))


def test_what_lies_on_a_table_may_be_touched() -> None:
    tray: Block = ((0.75, 0.1, 0.75), (0.95, 0.4, 0.78))
    alone = look(Surroundings(), TABLE)
    laid = look(Surroundings(), TABLE, CUBE, tray)
    assert len(laid.box_yaw) == len(alone.box_yaw)
    assert not inside(laid, (0.80, 0.0, 0.77))
    assert not inside(laid, (0.85, 0.2, 0.77))


def test_a_wall_behind_a_table_stands() -> None:
    scene = look(Surroundings(), TABLE, WALL)
    assert inside(scene, (1.5, 0.0, 1.0))
    assert not inside(scene, (0.9, 0.0, 0.9))


def test_a_wall_is_one_box_with_room_for_the_hands_before_it() -> None:
    pad = SurroundingsConfig().tall_pad_m
    scene = look(Surroundings(), WALL)
    assert 1 <= len(scene.box_yaw) <= 3
    assert inside(scene, (1.5 - pad + 0.02, 0.0, 0.5))
    assert not inside(scene, (1.5 - pad - 0.03, 0.0, 0.5))


def test_a_hand_may_be_over_a_bin_that_stands_at_a_wall() -> None:
    wall: Block = ((1.1, -3.0, 0.0), (1.2, 3.0, 2.5))
    bin_: Block = ((0.8, -0.15, 0.0), (1.1, 0.15, 0.45))
    scene = look(Surroundings(), bin_, wall)
    assert inside(scene, (0.85, 0.0, 0.4))
    assert not inside(scene, (0.85, 0.0, 0.6))
    assert inside(scene, (1.1, 0.0, 1.0))


def test_what_leaves_the_view_is_remembered_for_ten_seconds() -> None:
    s = Surroundings()
    look(s, BIN)
    away = (0.0, 0.0, np.pi)
    later = look(s, BIN, pose=away, stamp_ns=9_000_000_000)
    assert inside(later, (-0.85, -0.75, 0.3))
    assert look(s, BIN, pose=away, stamp_ns=11_000_000_000).is_empty


def test_what_is_gone_is_forgotten_as_soon_as_it_is_seen_through() -> None:
    s = Surroundings()
    box: Block = ((1.0, -0.2, 0.0), (1.3, 0.2, 0.9))
    for k in range(3):
        assert not look(s, box, stamp_ns=(k + 1) * 200_000_000).is_empty
    for k in range(3, 7):
        scene = look(s, stamp_ns=(k + 1) * 200_000_000)
    assert scene.is_empty


def test_boxes_stay_where_they_are_when_the_robot_walks_and_turns() -> None:
    s = Surroundings()
    look(s, TABLE)
    pose = (0.3, 0.2, 0.4)
    scene = look(s, TABLE, pose=pose, stamp_ns=400_000_000)
    c, sn = np.cos(pose[2]), np.sin(pose[2])
    x, y = 0.95 - pose[0], 0.0 - pose[1]
    assert inside(scene, (c * x + sn * y, c * y - sn * x, 0.72))
    assert np.allclose(scene.base_pose, pose)


def test_a_person_becomes_a_capsule_and_not_a_box() -> None:
    body: Block = ((1.1, -0.15, 0.0), (1.35, 0.15, 1.7))
    boxed = look(Surroundings(), body)
    assert inside(boxed, (1.1, 0.0, 1.0))
    assert len(boxed.person_radius) == 0
    scene = look(Surroundings(), body, person=person_at(1.22, 0.0))
    assert scene.person_ends[0, :2].mean(axis=1) == pytest.approx([1.22, 0.0])
    assert scene.person_radius.shape == (1,)
    assert not inside(scene, (1.22, 0.0, 1.0))


@pytest.mark.parametrize(
    "person",
    [
        person_at(1.2, 0.0, confidence=0.59),
        person_at(1.2, 0.0, confidence=float("nan")),
        person_at(float("nan"), 0.0),
        replace(person_at(1.2, 0.0), phrase="red cube"),
        replace(person_at(1.2, 0.0), p_B=np.zeros(2)),
    ],
)
def test_a_doubtful_person_is_not_taken_over(person: Grounding) -> None:
    assert len(look(Surroundings(), person=person).person_radius) == 0


def test_a_person_is_remembered_out_of_view_and_forgotten_when_seen_through() -> None:
    s, body = Surroundings(), ((1.1, -0.15, 0.0), (1.35, 0.15, 1.7))
    look(s, body, person=person_at(1.22, 0.0))
    behind = look(s, pose=(0.0, 0.0, np.pi), stamp_ns=3_000_000_000)
    assert behind.person_ends[0, 0] == pytest.approx([-1.22, -1.22])
    assert len(look(s, stamp_ns=3_200_000_000).person_radius) == 0
    look(s, body, person=person_at(1.22, 0.0), stamp_ns=4_000_000_000)
    away = look(s, pose=(0.0, 0.0, np.pi), stamp_ns=15_000_000_000)
    assert len(away.person_radius) == 0


def test_the_robot_does_not_see_itself() -> None:
    s, state = Surroundings(), state_at()
    depth = draw()
    X = camera_pose()
    grips = s._reader._kinematics.hand_poses(state.q, state.gravity)[:, :3, 3]
    for p in (grips - X[:3, 3]) @ X[:3, :3]:
        u, v = (K[:2, :2] @ p[:2] / p[2] + K[:2, 2]).astype(int)
        if 0 <= u < 320 and 0 <= v < 320:
            depth[max(v - 15, 0) : v + 15, max(u - 15, 0) : u + 15] = p[2]
    assert not np.array_equal(depth, draw())
    assert s.update(image_of(depth), state).is_empty


@pytest.mark.parametrize(
    "depth",
    [
        None,
        np.full((320, 320), np.nan, np.float32),
        np.zeros((320, 320), np.float32),
        np.full((320, 320), np.inf, np.float32),
        np.full((320, 320), -1.0, np.float32),
        np.zeros((3, 3), np.float32),
        np.zeros((0, 0), np.float32),
        np.zeros((4, 320, 320), np.float32),
    ],
)
def test_depth_that_cannot_be_used_teaches_nothing(depth: Array | None) -> None:
    s = Surroundings()
    first = s.update(image_of(depth, 5), state_at())
    assert first.is_empty
    assert first.stamp_ns == 5
    known = look(s, TABLE)
    again = s.update(image_of(depth, 900_000_000), state_at())
    assert again is known  # with its older stamp: the shield judges its age


@pytest.mark.parametrize("what", ["K", "X_BC", "q", "gravity", "base_pose"])
def test_numbers_that_are_not_finite_teach_nothing(what: str) -> None:
    image, state = image_of(draw(TABLE)), state_at()
    holder = image if what in ("K", "X_BC") else state
    bad = getattr(holder, what).copy()
    bad.flat[0] = np.nan
    if holder is image:
        image = replace(image, **{what: bad})
    else:
        state = replace(state, **{what: bad})
    assert Surroundings().update(image, state).is_empty


def test_holes_and_noise_leave_the_table_where_it_is() -> None:
    s, rng = Surroundings(), np.random.default_rng(950_000)
    clean = look(Surroundings(), TABLE)
    for k in range(5):
        depth = noisy(draw(TABLE, CUBE), rng)
        depth[rng.random(depth.shape) < 0.1] = np.nan
        scene = s.update(image_of(depth, (k + 1) * 200_000_000), state_at())
    assert len(scene.box_yaw) == 1
    assert np.allclose(scene.box_centre, clean.box_centre, atol=0.03)
    assert np.allclose(np.sort(scene.box_half), np.sort(clean.box_half), atol=0.03)


def test_any_depth_gives_a_sound_scene_of_few_boxes() -> None:
    s, rng = Surroundings(), np.random.default_rng(950_001)
    for k in range(20):
        coarse = rng.uniform(0.2, 2.5, (20, 20)).astype(np.float32)
        depth = np.kron(coarse, np.ones((16, 16), np.float32))
        pose = tuple(rng.uniform(-1, 1, 3))
        image = image_of(depth, (k + 1) * 200_000_000)
        scene = s.update(image, state_at(*pose))
        assert is_sound(scene)
        assert len(scene.box_yaw) <= BOXES_MAX


def test_an_image_is_taken_in_fast_enough_for_five_a_second() -> None:
    s, took = Surroundings(), []
    depth = noisy(draw(TABLE, CUBE, WALL, BIN), np.random.default_rng(0))
    for k in range(20):
        began = time.perf_counter()
        s.update(image_of(depth, (k + 1) * 200_000_000), state_at())
        took.append(time.perf_counter() - began)
    assert min(took) < 0.02  # a budget for a busy machine; 4 ms on an idle core


def test_a_reach_that_the_memory_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="reach_m must fit"):
        SurroundingsConfig(reach_m=4.0)
