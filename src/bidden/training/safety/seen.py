"""What perception would tell the shield about a room, without drawing pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from bidden.adapters.sim.world import Thing, World
from bidden.brain.perception.surroundings import SurroundingsConfig
from bidden.core.messages import Array
from bidden.safety import EMPTY_SCENE, Scene

REACH: Final = 2.0  # [m]
NOISE: Final = 0.012  # [m] of a box's place; measured on table edges, 7 mm mean


@dataclass(slots=True)
class _Box:
    """One box in W."""

    p: tuple[float, float]
    yaw: float
    half: tuple[float, float]
    low: float
    high: float


def seen_scene(
    world: World, stamp_ns: int, base_pose: Array, rng: np.random.Generator
) -> Scene:
    """The scene that the head camera's depth makes of the room's truth, with noise.

    Half of the people are known as people, the others as tall boxes.
    """
    boxes: list[_Box] = _walls(world)
    people: list[Array] = []
    for thing in world.truth().values():
        if thing.shape == "person" and rng.random() < 0.5:
            people.append(world.to_base(thing.p_W))
        elif thing.kind != "object":
            boxes += _boxes_of(thing)
    rows = [_in_base(world, box, rng) for box in boxes]
    kept = [row for row in rows if row is not None]
    people = [p for p in people if float(np.hypot(p[0], p[1])) < REACH]
    if not kept and not people:
        return EMPTY_SCENE
    c = SurroundingsConfig()
    ends = [np.array([[p[0]] * 2, [p[1]] * 2, c.person_span_m]) for p in people]
    return Scene(
        stamp_ns=stamp_ns,
        base_pose=base_pose.copy(),
        box_centre=np.array([row[0] for row in kept]).reshape(-1, 3),
        box_half=np.array([row[1] for row in kept]).reshape(-1, 3),
        box_yaw=np.array([row[2] for row in kept]),
        person_ends=np.array(ends).reshape(-1, 3, 2),
        person_radius=np.full(len(ends), c.person_radius_m),
    )


def _walls(world: World) -> list[_Box]:
    c, h = SurroundingsConfig(), world.scene.room_half
    found = []
    for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        half = (0.03 if x else h, 0.03 if y else h)
        grown = (half[0] + c.tall_pad_m, half[1] + c.tall_pad_m)
        found.append(_Box((x * h, y * h), 0.0, grown, c.floor_m, c.head_m))
    return found


def _boxes_of(thing: Thing) -> list[_Box]:
    """A thing as `Surroundings` would give it."""
    c = SurroundingsConfig()
    x, y, z = thing.half_size
    p = (float(thing.p_W[0]), float(thing.p_W[1]))
    if thing.kind == "table":
        top = 2 * z - c.table_drop_m
        half = (x - c.table_inset_m, y - c.table_inset_m)
        return [_Box(p, thing.yaw, half, top - c.table_thick_m, top)]
    if thing.shape in ("bowl", "tray"):
        return []
    low = (x - c.low_inset_m, y - c.low_inset_m)
    tall = (x + c.tall_pad_m, y + c.tall_pad_m)
    if thing.shape == "chair":
        s, k = np.sin(thing.yaw), np.cos(thing.yaw)
        back = (p[0] + k * x, p[1] + s * x)
        thin = (0.02 + c.tall_pad_m, tall[1])
        seat = _Box(p, thing.yaw, low, c.floor_m, 1.05 * z)
        return [seat, _Box(back, thing.yaw, thin, c.floor_m, 2 * z)]
    if 2 * z < c.low_m:
        return [_Box(p, thing.yaw, low, c.floor_m, 2 * z)]
    return [_Box(p, thing.yaw, tall, c.floor_m, min(2 * z, c.head_m))]


def _in_base(
    world: World, box: _Box, rng: np.random.Generator
) -> tuple[Array, Array, float] | None:
    pose = world.robot_pose()
    middle = 0.5 * (box.low + box.high)
    centre = world.to_base(np.array([*box.p, middle]))
    yaw = box.yaw - float(pose[2])
    c, s = np.cos(yaw), np.sin(yaw)
    own = np.abs([c * centre[0] + s * centre[1], -s * centre[0] + c * centre[1]])
    beyond = np.maximum(own - np.array(box.half), 0.0)
    if not float(np.hypot(*beyond)) < REACH or min(box.half) <= 0.01:
        return None
    centre[:2] += rng.normal(0, NOISE, 2)
    half = np.array([*box.half, 0.5 * (box.high - box.low)])
    return centre, half, yaw
