"""A scene as the shield would know it if perception were perfect."""

from __future__ import annotations

import numpy as np

from bidden.brain.perception.surroundings import SurroundingsConfig
from bidden.core.frames import to_planar
from bidden.core.messages import Array
from bidden.safety import Scene

from .config import TABLE_THICKNESS, SceneConfig, ThingConfig

# Parts of the person in `room`, as numbers of geoms: which limit of ISO/TS 15066 holds
TORSO, HEAD = 0, 1
LEGS, ARMS, HANDS = (2, 5), (3, 6), (4, 7)


def known_scene(
    scene: SceneConfig, robot: Array, *, base_pose: Array, stamp_ns: int
) -> Scene:
    """Tables, furniture, walls and people, where they are.

    Tall things are padded for the hands ahead of the body, as perception pads them.

    Args:
        scene: the scene.
        robot: x, y [m], yaw [rad] of the robot in W, (3,).
        base_pose: the same in odometry, (3,).
        stamp_ns: of both.
    """
    boxes = [_box(t) for t in scene.things if t.kind in ("table", "landmark")]
    solid = [one for one in boxes if one is not None]
    h = scene.room_half
    for x, y in ((h, 0), (-h, 0), (0, h), (0, -h)):
        half = (0.03 if x else h, 0.03 if y else h, 1.4)
        solid.append(((x, y, 1.4), half, 0.0))
    people = [p for t in scene.things if t.shape == "person" for p in _capsules(t)]
    ends = np.array([ends for ends, _ in people]).reshape(-1, 3, 2)
    centre = np.array([c for c, _, _ in solid])
    return Scene(
        stamp_ns=stamp_ns,
        base_pose=base_pose.copy(),
        box_centre=to_planar(centre.T, robot).T,
        box_half=np.array([half for _, half, _ in solid]),
        box_yaw=np.array([yaw - robot[2] for _, _, yaw in solid]),
        person_ends=to_planar(ends.transpose(1, 0, 2), robot).transpose(1, 0, 2),
        person_radius=np.array([radius for _, radius in people]),
    )


_Box = tuple[tuple[float, float, float], tuple[float, float, float], float]


def _box(t: ThingConfig) -> _Box | None:
    """The bounding box of one thing; a table's is its top. None for a person."""
    if t.shape == "person":
        return None
    x, y, z = t.position
    half_x, half_y, half_z = t.half_size
    if t.kind == "table":
        top = z + 2 * half_z
        k = TABLE_THICKNESS / 2
        return (x, y, top - k), (half_x, half_y, k), t.yaw
    pad = SurroundingsConfig().tall_pad_m
    wide = half_y + pad + (0.1 if t.shape == "door" else 0.0)  # its frame
    return (x, y, z + half_z), (half_x + pad, wide, half_z + 0.03), t.yaw


def _capsules(t: ThingConfig) -> list[tuple[Array, float]]:
    """Capsules around the parts of a person: ends in W (3, 2), radius."""
    _, y, z = t.half_size
    tall = 2 * z
    wide = 0.7 * y  # the torso is an ellipsoid; its widest half axis
    parts = [((0.0, 0.64 * tall, 0.19 * tall - wide), wide)]
    parts.append(((0.0, 0.92 * tall, 0.0), 0.105))
    for s in (1, -1):
        parts.append(((s * 0.42 * y, 0.24 * tall, 0.2 * tall), 0.07))
        parts.append(((s * 0.88 * y, 0.62 * tall, 0.15 * tall), 0.045))
        parts.append(((s * 0.88 * y, 0.44 * tall, 0.0), 0.045))
    c, s = np.cos(t.yaw), np.sin(t.yaw)
    found = []
    for (side, middle, half), radius in parts:
        px, py = t.position[0] - s * side, t.position[1] + c * side
        low, high = t.position[2] + middle - half, t.position[2] + middle + half
        found.append((np.array([[px, px], [py, py], [low, high]]), radius))
    return found
