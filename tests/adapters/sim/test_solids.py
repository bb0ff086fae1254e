"""What the shield may be told exactly, against MuJoCo's own geometry."""

from __future__ import annotations

from collections.abc import Iterator

import mujoco
import numpy as np
import pytest

from bidden.adapters.sim.g1 import SimRobot
from bidden.adapters.sim.scene import SceneConfig, ThingConfig, known_scene
from bidden.adapters.sim.world import World
from bidden.core.frames import from_planar
from bidden.safety.scene import is_sound

PERSON = ThingConfig(
    name="person", kind="landmark", shape="person", position=(1.0, 0.4, 0.0),
    yaw=0.7, half_size=(0.16, 0.24, 0.85),
)  # fmt: skip
TABLE = ThingConfig(
    name="table 1", kind="table", shape="table", position=(-1.0, 0.2, 0.0),
    yaw=0.4, half_size=(0.3, 0.5, 0.39),
)  # fmt: skip


@pytest.fixture(scope="module")
def room() -> Iterator[World]:
    world = World(SceneConfig(things=(PERSON, TABLE), robot_start=(0.2, 0.1, 0.5)))
    yield world
    world.close()


def surface(world: World, geom: int) -> np.ndarray:
    """Points on one geom in W, (N, 3)."""
    r = np.random.default_rng(0)
    d = r.normal(size=(400, 3))
    d /= np.linalg.norm(d, axis=1)[:, None]
    size, kind = world.model.geom_size[geom], world.model.geom_type[geom]
    if kind == mujoco.mjtGeom.mjGEOM_ELLIPSOID:
        p = d * size
    elif kind == mujoco.mjtGeom.mjGEOM_SPHERE:
        p = d * size[0]
    elif kind == mujoco.mjtGeom.mjGEOM_CAPSULE:
        p = d * size[0] + np.sign(d[:, 2:]) * [0, 0, size[1]]
    else:
        p = np.sign(d) * size
    R = world.data.geom_xmat[geom].reshape(3, 3)
    return np.asarray(world.data.geom_xpos[geom] + p @ R.T)


def geoms(world: World, name: str) -> list[int]:
    every = range(world.model.ngeom)
    return [k for k in every if world.model.geom(k).name.partition("/")[0] == name]


def test_every_part_of_a_person_is_in_its_capsule(room: World) -> None:
    pose = room.robot_pose()
    odometry = np.array([3.0, -2.0, 1.0])
    scene = known_scene(room.scene, pose, base_pose=odometry, stamp_ns=5)
    assert is_sound(scene)
    assert scene.stamp_ns == 5
    parts = geoms(room, "person")
    assert len(parts) == len(scene.person_radius)
    for k, geom in enumerate(parts):
        a, b = (from_planar(scene.person_ends[k][:, e], pose) for e in (0, 1))
        p = surface(room, geom)
        along = np.clip((p - a) @ (b - a) / max((b - a) @ (b - a), 1e-9), 0, 1)
        away = np.linalg.norm(p - (a + along[:, None] * (b - a)), axis=1)
        assert away.max() <= scene.person_radius[k] + 1e-6, k
        assert away.max() >= 0.6 * scene.person_radius[k], k  # and not much larger


def test_a_table_is_its_top(room: World) -> None:
    pose = room.robot_pose()
    scene = known_scene(room.scene, pose, base_pose=np.zeros(3), stamp_ns=0)
    corners = surface(room, geoms(room, "table 1")[0])
    centre = from_planar(scene.box_centre[0], pose)
    yaw = scene.box_yaw[0] + pose[2]
    c, s = np.cos(yaw), np.sin(yaw)
    local = (corners - centre) @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    assert np.allclose(np.abs(local).max(axis=0), scene.box_half[0], atol=1e-6)
    assert len(scene.box_yaw) == 1 + 4  # and the walls


def test_touches_name_the_part_and_the_force(room: World) -> None:
    robot = SimRobot(room)
    room.reset()
    robot.clock.sleep_until(400_000_000)
    feet = [touch for touch in room.touches() if touch.thing == "floor"]
    weight = 9.81 * float(room.model.body_subtreemass[room.pelvis])
    assert sum(touch.force for touch in feet) == pytest.approx(weight, rel=0.35)
    assert {touch.thing for touch in room.touches()} == {"floor"}


def test_a_push_changes_the_speed_at_once(room: World) -> None:
    robot = SimRobot(room)
    room.reset()
    room.push(np.array([0.3, 0.0, 0.0]))
    assert np.hypot(*robot.read().base_velocity[:2]) == pytest.approx(0.3)
