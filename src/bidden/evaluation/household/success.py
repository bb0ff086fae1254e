"""Whether a task was done, by the simulator's truth; never by the policy's opinion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bidden.core.messages import Array, Goal, Skill

from .tasks import Task
from .watch import GoalTrace, Snapshot, Thing

NEAR_M = 0.9  # walk_to: distance to the footprint
CARRIED_M = 1.0  # bring: distance to the footprint
FACING = np.deg2rad(30)  # walk_to [rad]
AIMED = np.deg2rad(12)  # face [rad]
FACE_DRIFT_M = 0.5  # face: turning on the spot may drift so far
MOVE_M, MOVE_SHARE = 0.15, 0.10  # move_by: the larger of the two
MOVE_TURN = np.deg2rad(10)  # move_by [rad]
LIFT_M = 0.05  # pick: bottom above where it stood
DROP_M = 0.10  # an object that ends so much lower was thrown down
RIM_M = 0.03  # put: bottom at most so far above the rim
RAISED_M, WAVED_M, WAVE_DRIFT_M = 1.05, 0.25, 0.3  # wave: height, travel, base
STILL_M = 0.10  # stop


def is_done(task: Task, start: Snapshot, trace: Sequence[Snapshot]) -> bool:
    """Whether a task that began at `start` is done at the end of its trace."""
    end = trace[-1]
    if end.fallen:
        return False
    match task.skill:
        case "walk_to":
            return near(end, end.things[task.roles["landmark"]], NEAR_M, FACING)
        case "face":
            return faced(start, end, task.roles["landmark"])
        case "move_by":
            return task.amount is not None and moved(start, end, task.amount)
        case "pick":
            return picked(start, end, task.roles["object"])
        case "put" | "pick_then_put":
            return rests_in(start, end, task.roles["object"], task.roles["receptacle"])
        case "bring":
            place = end.things[task.roles["landmark"]]
            named = task.roles["object"]
            return end.holds(named) and near(end, place, CARRIED_M, np.pi)
        case "wave":
            return waved(start, trace)
        case "stop":
            return drift(start, end) <= STILL_M
        case _:
            raise ValueError(f"no success is defined for '{task.skill}'")


def is_goal_done(goal: GoalTrace, named: dict[str, str]) -> bool:
    """Whether one goal of a task was done.

    Args:
        goal: what the robot understood, with the truth around it.
        named: the things that the task names; a goal on other things is not done.
    """
    asked = _as_task(goal.goal)
    wrong = [
        role for role, name in asked.roles.items() if name not in named.values()
    ] or any(name not in goal.start.things for name in asked.roles.values())
    if wrong:
        return False
    if asked.skill == "put" and "object" not in asked.roles:
        asked.roles["object"] = named.get("object", "")
    return is_done(asked, goal.start, goal.trace)


def _as_task(goal: Goal) -> Task:
    roles = {role: phrase for role, phrase in goal.phrases.items() if phrase}
    if goal.skill in (Skill.WALK_TO, Skill.FACE):
        roles = {"landmark": next(iter(roles.values()), "")}
    return Task(
        skill=str(goal.skill),
        sayings=(goal.instruction,),
        roles=roles,
        relation=goal.relation,
        amount=goal.amount,
    )


def acted_on(start: Snapshot, trace: Sequence[Snapshot]) -> frozenset[str]:
    """Objects that were taken in a hand; when none was, those pushed about."""
    held = {name for snapshot in trace for name in snapshot.held if name}
    if held:
        return frozenset(held)
    return frozenset(
        name
        for name, thing in start.things.items()
        if thing.kind == "object"
        and np.linalg.norm(trace[-1].things[name].p_W - thing.p_W) > 0.03
    )


def footprint_distance(p: Array, thing: Thing) -> float:
    """Distance of a point of the floor to a thing's footprint [m]; 0 inside."""
    dx, dy = float(p[0] - thing.p_W[0]), float(p[1] - thing.p_W[1])
    c, s = np.cos(thing.yaw), np.sin(thing.yaw)
    x, y = c * dx + s * dy, -s * dx + c * dy
    return float(
        np.hypot(
            max(abs(x) - thing.half_size[0], 0), max(abs(y) - thing.half_size[1], 0)
        )
    )


def bearing(robot: Array, thing: Thing) -> float:
    """Direction of a thing as the robot sees it [rad], left positive."""
    dx, dy = thing.p_W[0] - robot[0], thing.p_W[1] - robot[1]
    return wrap(float(np.arctan2(dy, dx) - robot[2]))


def wrap(angle: float) -> float:
    """An angle within -pi .. pi [rad]."""
    return float(np.arctan2(np.sin(angle), np.cos(angle)))


def near(end: Snapshot, thing: Thing, distance_m: float, facing: float) -> bool:
    """Whether the robot stands close to a thing and looks at it."""
    close = footprint_distance(end.robot[:2], thing) <= distance_m
    return bool(close and abs(bearing(end.robot, thing)) <= facing)


def faced(start: Snapshot, end: Snapshot, name: str) -> bool:
    """Whether the robot turned to a thing without walking off."""
    aimed = abs(bearing(end.robot, end.things[name])) <= AIMED
    return bool(aimed and drift(start, end) <= FACE_DRIFT_M)


def drift(start: Snapshot, end: Snapshot) -> float:
    """How far the base has moved [m]."""
    return float(np.hypot(*(end.robot[:2] - start.robot[:2])))


def moved(start: Snapshot, end: Snapshot, amount: Array) -> bool:
    """Whether the robot is where an amount should have brought it."""
    x, y, yaw = start.robot
    c, s = np.cos(yaw), np.sin(yaw)
    goal = np.array(
        [x + c * amount[0] - s * amount[1], y + s * amount[0] + c * amount[1]]
    )
    off_m = float(np.hypot(*(end.robot[:2] - goal)))
    allowed_m = max(MOVE_M, MOVE_SHARE * float(np.hypot(amount[0], amount[1])))
    off_turn = abs(wrap(float(end.robot[2] - yaw - amount[2])))
    return bool(off_m <= allowed_m and off_turn <= MOVE_TURN)


def picked(start: Snapshot, end: Snapshot, name: str) -> bool:
    """Whether an object is in a hand, above where it stood, and no other fell."""
    risen = float(end.things[name].p_W[2] - start.things[name].p_W[2])
    return end.holds(name) and risen >= LIFT_M and not thrown(start, end, besides=name)


def thrown(start: Snapshot, end: Snapshot, *, besides: str) -> list[str]:
    """Other objects that fell."""
    return [
        name
        for name, thing in start.things.items()
        if thing.kind == "object"
        and name != besides
        and not end.things[name].p_W[2] >= thing.p_W[2] - DROP_M
    ]


def rests_in(start: Snapshot, end: Snapshot, name: str, receptacle: str) -> bool:
    """Whether an object lies in or on a receptacle, released, and no other fell."""
    thing, place = end.things[name], end.things[receptacle]
    inside = footprint_distance(thing.p_W[:2], place) == 0
    bottom_m = float(thing.p_W[2]) - min(thing.half_size)
    rim_m = float(place.p_W[2])
    floor_m = rim_m - 2 * place.half_size[2]
    level = floor_m - 0.01 <= bottom_m <= rim_m + RIM_M
    released = not end.holds(name)
    return inside and level and released and not thrown(start, end, besides=name)


def waved(start: Snapshot, trace: Sequence[Snapshot]) -> bool:
    """Whether a raised hand moved to and fro while the body stayed."""
    if drift(start, trace[-1]) > WAVE_DRIFT_M:
        return False
    hands = np.array([snapshot.hands for snapshot in trace])  # (T, 2, 3)
    raised = hands[:, :, 2] >= RAISED_M  # (T, 2)
    both = raised[1:] & raised[:-1]
    travel = np.linalg.norm(np.diff(hands, axis=0), axis=2) * both
    return bool(travel.sum(axis=0).max(initial=0.0) >= WAVED_M)
