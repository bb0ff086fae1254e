"""One compiled room for all tests; every test gets it back as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from bidden.adapters.sim.g1 import SimRobot
from bidden.adapters.sim.scene import random_scene
from bidden.adapters.sim.world import World
from bidden.core.messages import Array, Command
from bidden.core.vetted import VettedCommand
from bidden.robot.g1 import READY_ARMS
from bidden.safety import Shield
from bidden.system.executor import Executor
from bidden.system.loop import ControlLoop


@pytest.fixture(scope="session")
def compiled() -> Iterator[World]:
    world = World(random_scene(7))
    yield world
    world.close()


@pytest.fixture
def world(compiled: World) -> World:
    compiled.reset()
    compiled.rng = np.random.default_rng(7)
    return compiled


@pytest.fixture
def robot(world: World) -> SimRobot:
    return SimRobot(world)


@pytest.fixture
def loop(robot: SimRobot) -> ControlLoop:
    """Armed, and settled into balance."""
    loop = ControlLoop(robot, robot.clock, executor=Executor(), shield=Shield())
    loop.arm()
    loop.run(25)
    return loop


Drive = Callable[..., VettedCommand]


@pytest.fixture
def drive(robot: SimRobot) -> Drive:
    """One vetted command for this moment, past the shield's ramps."""
    shield = Shield()
    shield.judge(None, robot.read(), now_ns=robot.now_ns)
    assert shield.arm() == ()

    def make(*velocity: float, arm_q: Array | None = None) -> VettedCommand:
        command = Command(
            stamp_ns=robot.now_ns,
            source_ns=robot.now_ns,
            base_velocity=np.array(velocity or (0.0, 0.0, 0.0)),
            arm_q=READY_ARMS.copy() if arm_q is None else arm_q,
            grip=np.zeros(2),
        )
        return shield.judge(command, robot.read(), now_ns=robot.now_ns)[0]

    return make
