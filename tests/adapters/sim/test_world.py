"""The compiled room: it holds what the scene says, and the cameras measure it."""

from __future__ import annotations

from collections.abc import Iterator

import mujoco
import numpy as np
import pytest

from bidden.adapters.sim import render
from bidden.adapters.sim.g1 import SimCamera, SimRobot, add_depth_noise, cameras
from bidden.adapters.sim.scene import SceneConfig, ThingConfig, random_scene
from bidden.adapters.sim.scene.catalog import LANDMARK_POINT_Z
from bidden.adapters.sim.world import World
from bidden.core.messages import Array
from bidden.robot.g1 import CAMERAS, GRIP_TRAVEL, SIDES
from bidden.robot.kinematics import Kinematics, camera_matrix

HEAD = CAMERAS[0]
TABLE = ThingConfig(
    name="table 1", kind="table", shape="table",
    position=(0.75, 0.0, 0.0), half_size=(0.3, 0.5, 0.39),
)  # fmt: skip
CUBE = ThingConfig(
    name="red cube", kind="object", shape="cube", colour="red",
    position=(0.62, 0.1, 0.78), half_size=(0.0225, 0.0225, 0.0225),
    rgb=(0.82, 0.10, 0.08),
)  # fmt: skip


@pytest.fixture(scope="module")
def plain() -> Iterator[World]:
    """A table and a cube right in front of the robot; a camera without error."""
    world = World(SceneConfig(things=(TABLE, CUBE)))
    yield world
    world.close()


def picture(world: World) -> tuple[Array, Array]:
    """Noiseless depth of the head camera, and its nominal pose in B."""
    robot = SimRobot(world)
    state = robot.read()
    camera = SimCamera(robot, HEAD)
    _, depth = world.draw(
        camera._camera, width_px=HEAD.width_px, height_px=HEAD.height_px, depth=True
    )
    assert depth is not None
    X_BC = Kinematics().camera_pose(state.q, state.gravity, mount=HEAD)
    return depth, X_BC


def in_frame(depth: Array, X_FC: Array) -> Array:
    """Every pixel as a point of the frame F [m], (H, W, 3)."""
    K = camera_matrix(HEAD)
    v, u = np.mgrid[: HEAD.height_px, : HEAD.width_px] + 0.5
    p_C = np.stack([(u - K[0, 2]) / K[0, 0], (v - K[1, 2]) / K[1, 1], np.ones_like(u)])
    points: Array = np.einsum("ij,jhw->hwi", X_FC[:3, :3], p_C * depth) + X_FC[:3, 3]
    return points


# -- what is built ------------------------------------------------------------------
@pytest.mark.parametrize("seed", [0, 11, 900_002])
def test_every_scene_compiles_and_comes_to_rest(seed: int) -> None:
    world = World(random_scene(seed, pairs="all"))
    robot = SimRobot(world)
    before = world.truth()
    robot.clock.sleep_until(600_000_000)
    for name, thing in world.truth().items():
        moved = float(np.linalg.norm(thing.p_W - before[name].p_W))
        # a ball may roll a little until it lies
        assert moved < (0.02 if thing.shape == "ball" else 0.004), name
    assert not world.fallen()
    assert np.isfinite(world.data.qpos).all()


def test_the_truth_is_where_the_scene_puts_it(world: World) -> None:
    truth = world.truth()
    for t in world.scene.things:
        known = truth[t.name]
        assert np.allclose(known.p_W[:2], t.position[:2], atol=1e-6)
        height = {
            "object": t.position[2] + t.half_size[2],
            "receptacle": t.position[2] + 2 * t.half_size[2],
            "table": 2 * t.half_size[2],
            "landmark": LANDMARK_POINT_Z.get(t.shape, 0.0),
        }[t.kind]
        assert known.p_W[2] == pytest.approx(height, abs=1e-6)
        turn = (known.yaw - t.yaw + np.pi) % (2 * np.pi) - np.pi
        assert abs(turn) < 1e-6
        assert known.colour == t.colour


def test_points_go_to_the_base_frame_and_back(world: World) -> None:
    world.place_robot(0.3, -0.2, 2.0)
    assert np.allclose(world.robot_pose(), [0.3, -0.2, 2.0])
    ahead = np.array([0.3 + np.cos(2.0), -0.2 + np.sin(2.0), 0.7])
    assert np.allclose(world.to_base(ahead), [1.0, 0.0, 0.7])


def test_a_lying_robot_has_fallen(world: World) -> None:
    assert not world.fallen()
    world.data.qpos[world.base_q + 2] = 0.2
    assert world.fallen()
    world.reset()
    world.data.qpos[world.base_q + 2] = np.nan
    assert world.fallen()
    world.reset()
    assert not world.fallen()


@pytest.mark.parametrize("hand", [0, 1])
def test_held_is_what_both_pads_touch(plain: World, hand: int) -> None:
    plain.reset()
    assert plain.held(hand) is None
    site, joint = plain.site[hand], plain.model.joint("red cube")
    adr = joint.qposadr[0]
    mujoco.mj_forward(plain.model, plain.data)
    up_W = plain.data.site_xmat[site].reshape(3, 3)[:, 2]
    middle = plain.data.site_xpos[site].copy()
    plain.data.qpos[adr : adr + 3] = middle - up_W * CUBE.half_size[2]
    quat = np.zeros(4)
    mujoco.mju_mat2Quat(quat, plain.data.site_xmat[site])
    plain.data.qpos[adr + 3 : adr + 7] = quat
    mujoco.mj_forward(plain.model, plain.data)
    assert plain.held(hand) is None  # between the fingers, but they are open
    shut = GRIP_TRAVEL - CUBE.half_size[1] + 0.001
    for finger in "ab":
        q = plain.model.joint(f"{SIDES[hand]}_finger_{finger}").qposadr[0]
        plain.data.qpos[q] = shut
    mujoco.mj_forward(plain.model, plain.data)
    assert plain.held(hand) == "red cube"
    assert plain.held(1 - hand) is None


# -- what the cameras measure ---------------------------------------------------------
def test_depth_of_floor_and_table_is_true_to_2_mm(plain: World) -> None:
    plain.reset()
    depth, _ = picture(plain)
    camera = plain.model.camera("head").id
    X_WC = np.eye(4)  # the truth; the robot stands at the origin of W
    X_WC[:3, 3] = plain.data.cam_xpos[camera]
    R_WC = plain.data.cam_xmat[camera].reshape(3, 3)
    X_WC[:3, :3] = R_WC @ np.diag([1.0, -1.0, -1.0])  # MuJoCo's looks along -z
    points = in_frame(depth, X_WC)
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    inner = (np.abs(x - 0.75) < 0.25) & (np.abs(y) < 0.45) & (np.abs(y - 0.1) > 0.05)
    top = inner & (np.abs(z - 0.78) < 0.05) & (depth < 1.2)
    free = (np.abs(y) > 0.7) & (x > 0.5) & (x < 2.5) & (z < 0.3) & (z > -0.2)
    assert top.sum() > 2_000
    assert free.sum() > 1_000
    assert np.abs(z[top] - 0.78).max() < 0.002
    assert np.abs(z[free]).max() < 0.002


def test_things_are_in_the_picture_where_they_are_in_the_world(plain: World) -> None:
    plain.reset()
    robot = SimRobot(plain)
    image = cameras(robot)["head"].read()
    p_B = plain.to_base(plain.truth()["red cube"].p_W)
    p_C = image.X_BC[:3, :3].T @ (p_B - image.X_BC[:3, 3])
    u, v, _ = image.K @ (p_C / p_C[2])
    red = (image.rgb[..., 0] > 1.6 * image.rgb[..., 1]) & (image.rgb[..., 0] > 60)
    vs, us = np.nonzero(red)
    assert len(us) > 40
    assert np.hypot(us.mean() + 0.5 - u, vs.mean() + 0.5 - v) < 3.0
    assert image.depth is not None
    assert 0 < image.depth[int(v), int(u)] < p_C[2] + 0.02


def test_images_are_what_the_port_promises(robot: SimRobot) -> None:
    eyes = cameras(robot)
    assert set(eyes) == {m.name for m in CAMERAS}
    for mount in CAMERAS:
        image = eyes[mount.name].read()
        assert image.camera == eyes[mount.name].name == mount.name
        assert image.rgb.shape == (mount.height_px, mount.width_px, 3)
        assert image.rgb.dtype == np.uint8
        assert image.rgb.flags.c_contiguous
        assert image.rgb.std() > 2
        assert (image.depth is not None) == mount.has_depth
        assert image.stamp_ns == robot.now_ns
        R = image.X_BC[:3, :3]
        assert np.allclose(R @ R.T, np.eye(3), atol=1e-9)
    assert np.isfinite(eyes["head"].read().depth).all()  # type: ignore[arg-type]


def test_the_untold_error_of_the_camera_is_in_the_picture(plain: World) -> None:
    plain.reset()
    told = picture(plain)
    scene = SceneConfig(
        things=(TABLE, CUBE), camera_error=(0.0, 0.0, 0.0, 0.0, 0.02, 0.0)
    )
    world = World(scene)
    found = picture(world)
    world.close()
    assert np.allclose(told[1], found[1])  # the robot does not know
    assert np.abs(told[0] - found[0]).max() > 0.01


def test_pictures_do_not_change_by_what_is_left_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    robot = SimRobot(world)

    def draw() -> list[tuple[Array, Array | None]]:
        return [
            world.draw(
                SimCamera(robot, m)._camera, width_px=m.width_px,
                height_px=m.height_px, depth=m.has_depth,
            )
            for m in CAMERAS
        ]  # fmt: skip

    before = world.model.geom_group.copy()
    few = draw()
    assert np.array_equal(world.model.geom_group, before)
    left_out = render.out_of_view(
        world.model, world.data, world.model.camera("head").id, aspect=1.0
    )
    assert 20 < left_out.sum() < len(left_out) - 5
    monkeypatch.setattr(
        render, "out_of_view", lambda model, *_, **__: np.zeros(model.ngeom, bool)
    )
    for (rgb, depth), (all_rgb, all_depth) in zip(few, draw(), strict=True):
        assert np.array_equal(rgb, all_rgb)
        assert (depth is None) == (all_depth is None)
        if depth is not None:
            assert np.array_equal(depth, all_depth)


def test_a_spectator_sees_the_robot(world: World) -> None:
    frame = world.render_third()
    assert frame.shape == (480, 640, 3)
    assert frame.std() > 10


# -- noise of depth -------------------------------------------------------------------
def noisy(depth: Array, *, frames: int = 40) -> Array:
    rng = np.random.default_rng(3)
    return np.stack([add_depth_noise(depth, rng) for _ in range(frames)])


@pytest.mark.parametrize("far", [0.5, 1.5, 3.0])
def test_depth_noise_has_the_spread_it_names(far: float) -> None:
    z = noisy(np.full((320, 320), far, np.float32))
    seen = np.where(z > 0, z, np.nan)
    within = np.nanstd(seen, axis=(1, 2))
    assert within.mean() == pytest.approx(0.001 + 0.003 * far**2, rel=0.05)
    between = np.nanmean(seen, axis=(1, 2)) / far - 1
    assert between.std() == pytest.approx(0.005, rel=0.4)
    assert abs(between.mean()) < 0.003
    assert (z == 0).mean() == pytest.approx(0.002, rel=0.2)


def test_depth_noise_is_new_in_every_picture() -> None:
    z = noisy(np.full((320, 320), 1.0, np.float32), frames=12)
    flat = (z - np.median(z, axis=(1, 2), keepdims=True)).reshape(12, -1)
    flat[np.abs(flat) > 0.1] = 0  # holes
    correlation = np.corrcoef(flat) - np.eye(12)
    assert np.abs(correlation).max() < 0.05


def test_holes_are_at_edges_and_far_away() -> None:
    depth = np.full((320, 320), 1.0, np.float32)
    depth[:, 160:] = 1.5
    depth[:40] = 9.0
    z = noisy(depth)
    assert (z[:, :40] == 0).all()
    assert (z[:, 60:, 160] == 0).mean() == pytest.approx(0.6, abs=0.05)
    assert (z[:, 60:, 150] == 0).mean() < 0.02
    assert z.dtype == np.float32
    assert np.isfinite(z).all()


def test_noise_is_of_the_seed() -> None:
    depth = np.full((320, 320), 1.0, np.float32)
    a, b = (add_depth_noise(depth, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(a, b)
    assert depth.max() == 1.0  # what was measured is left as it is
