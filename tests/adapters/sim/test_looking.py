"""The shield's scene from the simulated head camera, against the truth of the room."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bidden.adapters.sim.g1 import SimRobot, cameras
from bidden.adapters.sim.scene import (
    SceneConfig,
    ThingConfig,
    random_scene,
)
from bidden.adapters.sim.scene.catalog import HALF_SIZE
from bidden.adapters.sim.world import World
from bidden.brain.perception.boxes import Rectangle
from bidden.brain.perception.surroundings import Surroundings
from bidden.core.messages import ActionChunk, Grounding
from bidden.safety import Shield
from bidden.system.executor import Executor
from bidden.system.loop import ControlLoop

pytestmark = pytest.mark.slow
FIRST_SEED = 950_500


class Walk:
    """A robot that is told to walk straight on, whatever stands there."""

    def __init__(self, scene: SceneConfig) -> None:
        self.world = World(scene)
        self.robot = SimRobot(self.world)
        self.eye = cameras(self.robot)["head"]
        self.loop = ControlLoop(
            self.robot, self.robot.clock, executor=Executor(), shield=Shield()
        )
        self.touched: set[str] = set()
        self.loop.arm()
        self.loop.run(25)

    def go(self, seconds: float, *, looking: bool = True) -> None:
        surroundings = Surroundings()
        actions = np.zeros((8, 12))
        actions[:, 0] = 0.6
        for _ in range(int(5 * seconds)):
            if looking:
                self.loop.scene = surroundings.update(
                    self.eye.read(), self.robot.read(), person=self.person()
                )
            self.loop.executor.load(
                ActionChunk(
                    stamp_ns=self.robot.now_ns,
                    actions=actions,
                    spread=np.zeros_like(actions),
                )
            )
            for _ in range(10):
                self.loop.tick()
                self.note_contacts()

    def person(self) -> Grounding | None:
        truth = self.world.truth().get("person")
        if truth is None:
            return None
        p_B = self.world.to_base(truth.p_W)
        return Grounding(
            role="landmark", phrase="person", p_B=p_B, spread_m=0.05, confidence=0.9
        )

    def note_contacts(self) -> None:
        model = self.world.model
        for contact in self.world.data.contact:
            geoms = [int(g) for g in contact.geom]
            own = [
                model.body_rootid[model.geom_bodyid[g]] == self.world.pelvis
                for g in geoms
            ]
            names = [model.geom(g).name for g in geoms]
            if own[0] != own[1] and "floor" not in names:
                self.touched.add(names[own.index(False)])


def room_with(shape: str) -> SceneConfig:
    thing = ThingConfig(
        name=shape,
        kind="table" if shape == "table" else "landmark",
        shape=shape,
        position=(1.9, 0.0, 0.0),
        half_size=HALF_SIZE.get(shape, (0.27, 0.5, 0.39)),
    )
    return SceneConfig(seed=950_000, things=(thing,))


@pytest.mark.parametrize("shape", ["person", "table", "door", "plant"])
def test_walking_into_a_thing_stops_before_it(shape: str) -> None:
    walk = Walk(room_with(shape))
    walk.go(7.0)
    assert not walk.touched
    assert walk.loop.falls == 0
    assert walk.loop.reasons["scene_distance"] + walk.loop.reasons["person_distance"]
    gap = 1.9 - walk.world.scene.things[0].half_size[0] - walk.world.robot_pose()[0]
    assert (0.55 if shape == "person" else 0.08) < gap < 0.9
    walk.world.close()


def test_walking_into_a_wall_stops_before_it_and_only_when_looking() -> None:
    scene = SceneConfig(seed=950_000, robot_start=(1.6, 0.0, 0.0))
    walk = Walk(scene)
    walk.go(6.0)
    assert not walk.touched
    assert walk.world.robot_pose()[0] > 3.0
    walk.world.close()
    blind = Walk(scene)
    blind.go(6.0, looking=False)
    assert blind.touched
    blind.world.close()


def corners(one: Rectangle) -> np.ndarray:
    c, s = np.cos(one.yaw), np.sin(one.yaw)
    signs = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    return (signs * one.half) @ np.array([[c, s], [-s, c]]) + one.centre


def test_tables_lie_where_they_are_in_twenty_rooms() -> None:
    """Seen from four places in front of each, the robot standing, true odometry."""
    edges, tops = [], []
    for seed in range(FIRST_SEED, FIRST_SEED + 20):
        world = World(random_scene(seed))
        robot = SimRobot(world)
        eye = cameras(robot)["head"]
        for table in (t for t in world.scene.things if t.kind == "table"):
            ahead = np.array([np.cos(table.yaw), np.sin(table.yaw)])
            R = np.array([ahead, [-ahead[1], ahead[0]]])
            surroundings = Surroundings()
            for k, away in enumerate((1.0, 0.8, 0.6, 0.45)):
                x, y = table.position[:2] - (table.half_size[0] + away) * ahead
                turn = 0.1 * float(np.sin(seed + k))
                world.place_robot(float(x), float(y), table.yaw + turn)
                robot.reset()
                image = replace(eye.read(), stamp_ns=(k + 1) * 200_000_000)
                state = replace(robot.read(), base_pose=world.robot_pose())
                surroundings.update(image, state)
            found = surroundings._find_tables()
            middle = np.array(table.position[:2])
            away_m = [np.linalg.norm(one.centre - middle) for one, _ in found]
            one, top = found[int(np.argmin(away_m))]
            local = (corners(one) - middle) @ R.T
            half = np.array(table.half_size[:2])
            edges += [local.max(axis=0) - half, -half - local.min(axis=0)]
            tops.append(top - 2 * table.half_size[2])
        world.close()
    assert np.abs(edges).mean() < 0.015
    assert np.abs(edges).max() < 0.08
    assert np.abs(tops).max() < 0.012
