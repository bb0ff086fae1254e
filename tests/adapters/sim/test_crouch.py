"""Settling: down under control, and up again."""

from __future__ import annotations

import numpy as np
import pytest

from bidden.adapters.sim.body.crouch import Crouch
from bidden.adapters.sim.g1 import SimRobot
from bidden.adapters.sim.scene import SceneConfig, ThingConfig
from bidden.adapters.sim.world import World
from bidden.core.messages import Mode
from bidden.robot.g1 import DEFAULT_Q
from bidden.safety import Shield
from bidden.system.executor import Executor
from bidden.system.loop import ControlLoop

TICK_S = 0.02
HIPS, KNEES, ANKLES = [0, 6], [3, 9], [4, 10]


def bend(
    crouch: Crouch,
    settle: float,
    *,
    speed: float = 0.0,
    lean: float = 0.0,
    bears: float = 280.0,
) -> tuple[np.ndarray, np.ndarray]:
    torque = np.zeros(29)
    torque[KNEES] = -bears / 2 * 0.3 * np.sin(DEFAULT_Q[HIPS] + DEFAULT_Q[KNEES])
    torque[HIPS] = torque[KNEES] + bears / 2 * 0.3 * np.sin(-DEFAULT_Q[HIPS])
    return crouch.bend(
        settle,
        speed,
        gravity=np.array([0.0, lean, -1.0]),
        gyro=np.zeros(3),
        q=DEFAULT_Q,
        torque=torque,
        tick_s=TICK_S,
    )


def test_standing_is_left_to_the_gait() -> None:
    for part in bend(Crouch(), 0.0, lean=0.1):
        assert not part.any()


def test_it_goes_down_and_up_in_two_seconds_each_at_least() -> None:
    crouch = Crouch()
    depth = []
    for _ in range(100):
        bend(crouch, 1.0)
        depth.append(crouch.depth)
    for _ in range(100):
        bend(crouch, 0.0)
        depth.append(crouch.depth)
    assert max(depth) == pytest.approx(1.0)
    assert depth[-1] == pytest.approx(0.0)
    assert np.abs(np.diff(depth)).max() <= TICK_S / 2.0 + 1e-9


def test_it_never_goes_deeper_than_asked() -> None:
    crouch = Crouch()
    for _ in range(300):
        bend(crouch, 0.3)
    assert crouch.depth == pytest.approx(0.3)


def test_it_waits_for_the_base_to_stop_but_not_for_ever() -> None:
    crouch = Crouch()
    for _ in range(49):
        bend(crouch, 1.0, speed=0.5)
    assert crouch.depth == 0.0
    for _ in range(3):
        bend(crouch, 1.0, speed=0.5)
    assert crouch.depth > 0.0


def test_it_stops_where_the_legs_bear_too_little() -> None:
    crouch = Crouch()
    for _ in range(40):
        bend(crouch, 1.0)
    for _ in range(100):
        bend(crouch, 1.0, bears=160.0)
    assert 0.3 < crouch.depth < 0.5


@pytest.mark.parametrize("settle", [0.4, 1.0])
def test_it_comes_up_where_something_else_bears_it(settle: float) -> None:
    crouch = Crouch()
    for _ in range(40):
        bend(crouch, settle)
    for _ in range(150):
        bend(crouch, settle, bears=50.0)
    assert crouch.depth == 0.0
    for _ in range(150):
        bend(crouch, settle)
    assert crouch.depth == pytest.approx(settle), "and goes down when they bear again"


def test_feet_stay_flat_and_the_body_upright() -> None:
    crouch = Crouch()
    for _ in range(120):
        felt, _ = bend(crouch, 1.0)
    assert felt[HIPS] + felt[KNEES] + felt[ANKLES] == pytest.approx(np.zeros(2))
    assert (felt[KNEES] > 0.5).all()
    assert not felt[12:].any(), "waist and arms are not its own"


@pytest.mark.parametrize("lean", [-0.1, 0.1])
def test_the_leg_on_the_low_side_is_made_longer(lean: float) -> None:
    crouch = Crouch()
    for _ in range(120):
        bend(crouch, 1.0)
    _, given = bend(crouch, 1.0, lean=lean)
    left, right = given[KNEES]
    assert (left < right) == (lean > 0), "gravity to the left: it leans left"


@pytest.mark.slow
def test_a_press_crouches_the_robot_and_arming_lets_it_rise(
    loop: ControlLoop, world: World
) -> None:
    def height() -> float:
        return float(world.data.qpos[world.base_q + 2])

    standing = height()
    loop.shield.press("test")
    loop.run(250)
    assert loop.falls == 0
    assert loop.shield.mode is Mode.STOPPED
    assert height() < standing - 0.12
    low = height()
    loop.run(100)
    assert abs(height() - low) < 0.03, "it stays there"
    assert loop.arm()[0] == "stopped: reset first"
    assert loop.reset() == ()
    loop.run(100)
    assert abs(height() - low) < 0.03, "a reset moves nothing"
    assert loop.arm() == ()
    loop.run(200)
    assert loop.falls == 0
    assert height() > standing - 0.03
    assert loop.shield.mode in (Mode.READY, Mode.ACTIVE)


@pytest.mark.slow
def test_a_trunk_that_comes_to_rest_leaves_the_feet_on_the_floor() -> None:
    """Bent further, the legs left the floor and thrashed until the robot fell."""
    beam = ThingConfig(  # between the legs
        name="beam", kind="table", shape="table", half_size=(0.3, 0.03, 0.285),
        position=(0.0, 0.0, 0.0),
    )  # fmt: skip
    world = World(SceneConfig(seed=27, things=(beam,)))
    robot = SimRobot(world)
    loop = ControlLoop(robot, robot.clock, executor=Executor(), shield=Shield())
    assert loop.arm() == ()
    loop.run(100)
    loop.shield.press("test")
    loop.run(100)
    assert any(touch.thing == "beam" for touch in world.touches())
    for _ in range(200):
        loop.run(1)
        on_floor = sum(t.force for t in world.touches() if t.thing == "floor")
        assert on_floor > 80.0, "a quarter of its weight"
    assert loop.falls == 0
