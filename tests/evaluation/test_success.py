"""Success is what the truth says, at both sides of every limit."""

from typing import Any

import numpy as np
import pytest

from bidden.core.messages import Goal, Skill
from bidden.evaluation.household.success import (
    acted_on,
    footprint_distance,
    is_done,
    is_goal_done,
)
from bidden.evaluation.household.tasks import Task
from bidden.evaluation.household.watch import GoalTrace

World = Any  # the fixture's PointWorld


def task(skill: str, *amount: float, **roles: str) -> Task:
    return Task(
        skill=skill,
        sayings=("",),
        roles=roles,
        amount=np.array(amount) if amount else None,
    )


def done(what: Task, world: World, **changes: object) -> bool:
    start = world.snapshot()
    for name, value in changes.items():
        setattr(world, name, value)
    return is_done(what, start, [start, world.snapshot()])


FACE_DOOR = np.pi / 2


@pytest.mark.parametrize(
    ("pose", "success"),
    [
        ((0, 1.10, FACE_DOOR), True),  # 0.86 m from the front
        ((0, 1.04, FACE_DOOR), False),  # 0.92 m
        ((0, 1.10, FACE_DOOR + np.deg2rad(29)), True),
        ((0, 1.10, FACE_DOOR - np.deg2rad(31)), False),
        ((0, 1.10, float("nan")), False),
    ],
)
def test_walk_to_stands_near_and_looks(
    world: World, pose: tuple[float, ...], *, success: bool
) -> None:
    assert done(task("walk_to", landmark="door"), world, pose=np.array(pose)) is success


def test_a_robot_on_the_floor_has_done_nothing(world: World) -> None:
    pose = np.array([0, 1.1, FACE_DOOR])
    assert not done(task("walk_to", landmark="door"), world, pose=pose, lies=True)


@pytest.mark.parametrize(
    ("off_deg", "walked_m", "success"),
    [(11, 0, True), (-13, 0, False), (0, 0.45, True), (0, 0.55, False)],
)
def test_face_turns_on_the_spot(
    world: World, off_deg: float, walked_m: float, *, success: bool
) -> None:
    pose = np.array([0, -walked_m, FACE_DOOR + np.deg2rad(off_deg)])
    assert done(task("face", landmark="door"), world, pose=pose) is success


@pytest.mark.parametrize(
    ("amount", "pose", "success"),
    [
        ((1, 0, 0), (0.86, 0, 0), True),
        ((1, 0, 0), (0.84, 0, 0), False),
        ((2, 0, 0), (1.81, 0, 0), True),
        ((0, 0, np.pi), (0, 0, -np.pi + 0.1), True),
        ((0, 0, np.pi / 2), (0, 0, np.pi / 2 - 0.2), False),
        ((0, 0.3, 0), (0, -0.3, 0), False),
    ],
)
def test_move_by_ends_at_the_amount(
    world: World,
    amount: tuple[float, ...],
    pose: tuple[float, ...],
    *,
    success: bool,
) -> None:
    assert done(task("move_by", *amount), world, pose=np.array(pose)) is success


def test_move_by_is_measured_in_the_frame_of_the_start(world: World) -> None:
    world.pose = np.array([0.2, 0.1, np.pi / 2])
    assert done(task("move_by", 1, 0, 0), world, pose=np.array([0.2, 1.1, np.pi / 2]))


PICK = task("pick", object="red cube")


@pytest.mark.parametrize(("z", "success"), [(0.851, True), (0.849, False)])
def test_pick_lifts_and_holds(world: World, z: float, *, success: bool) -> None:
    start = world.snapshot()
    world.move("red cube", 1.2, 0, z)
    world.grasp("red cube", 1)
    assert is_done(PICK, start, [world.snapshot()]) is success


def test_pick_fails_when_thrown_up_and_not_held(world: World) -> None:
    start = world.snapshot()
    world.move("red cube", 1.2, 0, 1.0)
    assert not is_done(PICK, start, [world.snapshot()])


def test_pick_fails_with_the_wrong_object_in_the_hand(world: World) -> None:
    start = world.snapshot()
    world.move("blue ball", 1.2, 0, 1.0)
    world.grasp("blue ball")
    assert not is_done(PICK, start, [world.snapshot()])


def test_pick_fails_when_another_object_fell(world: World) -> None:
    start = world.snapshot()
    world.move("red cube", 1.2, 0, 1.0)
    world.grasp("red cube")
    world.move("blue ball", 1.0, 0.3, 0.03)
    assert not is_done(PICK, start, [world.snapshot()])


PUT = task("put", object="red cube", receptacle="blue bowl")


@pytest.mark.parametrize(
    ("p", "success"),
    [
        ((1.5, -0.6, 0.81), True),
        ((1.5, -0.6, 0.88), True),  # leans on the rim
        ((1.5, -0.6, 0.90), False),  # in the air
        ((1.59, -0.6, 0.81), False),  # beside it
        ((1.5, -0.6, 0.02), False),  # under the table
        ((float("nan"), -0.6, 0.81), False),
    ],
)
def test_put_rests_inside(world: World, p: tuple[float, ...], *, success: bool) -> None:
    start = world.snapshot()
    world.move("red cube", *p)
    assert is_done(PUT, start, [world.snapshot()]) is success


def test_put_is_released(world: World) -> None:
    start = world.snapshot()
    world.move("red cube", 1.5, -0.6, 0.81)
    world.grasp("red cube")
    assert not is_done(PUT, start, [world.snapshot()])


def test_put_in_the_bin_may_fall_to_its_floor(world: World) -> None:
    start = world.snapshot()
    world.move("red cube", -1.45, 0.1, 0.05)
    into = task("put", object="red cube", receptacle="red bin")
    assert is_done(into, start, [world.snapshot()])


@pytest.mark.parametrize(("y", "held", "success"), [
    (1.0, "red cube", True), (0.9, "red cube", False), (1.0, None, False),
])  # fmt: skip
def test_bring_arrives_with_it(
    world: World, y: float, held: str | None, *, success: bool
) -> None:
    world.grasp(held)
    world.pose = np.array([0, y, 0])
    bring = task("bring", object="red cube", landmark="door")
    assert is_done(bring, world.snapshot(), [world.snapshot()]) is success


def wave(world: World, *, height: float, swing: float) -> bool:
    start = world.snapshot()
    trace = []
    for k in range(8):
        side = swing * (-1) ** k
        world.hands = np.array([[0.3, side, height], [0.3, 0.2, 0.9]])
        trace.append(world.snapshot())
    return is_done(task("wave"), start, trace)


def test_wave_is_a_raised_hand_that_moves(world: World) -> None:
    assert wave(world, height=1.2, swing=0.1)
    assert not wave(world, height=1.0, swing=0.1)
    assert not wave(world, height=1.2, swing=0.01)
    assert not wave(world, height=float("nan"), swing=0.1)


def test_stop_stays(world: World) -> None:
    assert done(task("stop"), world, pose=np.array([0.05, 0, 0]))
    assert not done(task("stop"), world, pose=np.array([0.25, 0, 0]))


def test_unknown_skill_is_our_own_mistake(world: World) -> None:
    with pytest.raises(ValueError, match="no success is defined for 'dance'"):
        done(task("dance"), world)


def test_footprint_turns_with_the_thing(world: World) -> None:
    door = world.things["door"]
    assert footprint_distance(np.array([0.0, 1.0]), door) == pytest.approx(0.96)
    turned = type(door)(
        name="door",
        kind="landmark",
        p_W=door.p_W,
        half_size=door.half_size,
        yaw=np.pi / 2,
    )
    assert footprint_distance(np.array([0.0, 1.0]), turned) == pytest.approx(0.6)


def test_acted_on_prefers_what_was_held(world: World) -> None:
    start = world.snapshot()
    assert acted_on(start, [start]) == frozenset()
    world.move("blue ball", 1.45, 0.3, 0.8)
    assert acted_on(start, [world.snapshot()]) == {"blue ball"}
    world.grasp("red cube", 1)
    assert acted_on(start, [world.snapshot()]) == {"red cube"}


def goal_trace(world: World, goal: Goal) -> GoalTrace:
    start = world.snapshot()
    world.move("red cube", 1.5, -0.6, 0.81)
    return GoalTrace(goal=goal, claimed="done", start=start, trace=(world.snapshot(),))


def test_goal_on_the_named_things_is_judged_by_the_truth(world: World) -> None:
    named = {"object": "red cube", "receptacle": "blue bowl"}
    put = Goal(skill=Skill.PUT, instruction="", phrases={"receptacle": "blue bowl"})
    assert is_goal_done(goal_trace(world, put), named)


@pytest.mark.parametrize("phrase", ["red bin", "no such bowl"])
def test_goal_on_other_things_is_not_done(world: World, phrase: str) -> None:
    named = {"object": "red cube", "receptacle": "blue bowl"}
    put = Goal(skill=Skill.PUT, instruction="", phrases={"receptacle": phrase})
    assert not is_goal_done(goal_trace(world, put), named)
