"""What the shield knows about its surroundings: boxes and people, in the base frame."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from bidden.core.messages import Array

BOXES_MAX: Final = 32
PERSON_MAX: Final = 16


def _empty(*shape: int) -> Array:
    return np.zeros(shape)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """Solid boxes and people's capsules, as seen at `stamp_ns` from `base_pose`.

    The shield moves them along with the odometry, so that an older scene stays where
    it was. `EMPTY_SCENE` says that nothing is known.
    """

    stamp_ns: int = 0  # stamp of the images; 0 only when empty
    base_pose: Array = field(default_factory=lambda: _empty(3))  # odometry then, (3,)
    box_centre: Array = field(default_factory=lambda: _empty(0, 3))  # [m] B, (M, 3)
    box_half: Array = field(default_factory=lambda: _empty(0, 3))  # [m], (M, 3)
    box_yaw: Array = field(default_factory=lambda: _empty(0))  # [rad], (M,)
    person_ends: Array = field(  # axes of a person's capsules [m] B, (N, 3, 2)
        default_factory=lambda: _empty(0, 3, 2)
    )
    person_radius: Array = field(default_factory=lambda: _empty(0))  # [m], (N,)

    @property
    def is_empty(self) -> bool:
        """Nothing is known to be there."""
        return len(self.box_yaw) == 0 and len(self.person_radius) == 0


EMPTY_SCENE: Final = Scene()


def is_sound(scene: Scene) -> bool:
    """Shapes agree, numbers are finite, sizes are not negative, not too many."""
    boxes, people = np.size(scene.box_yaw), np.size(scene.person_radius)
    if not (boxes <= BOXES_MAX and people <= PERSON_MAX):
        return False
    shapes = (
        (scene.base_pose, (3,)),
        (scene.box_centre, (boxes, 3)),
        (scene.box_half, (boxes, 3)),
        (scene.box_yaw, (boxes,)),
        (scene.person_ends, (people, 3, 2)),
        (scene.person_radius, (people,)),
    )
    if not all(np.shape(a) == shape for a, shape in shapes):
        return False
    numbers = np.concatenate([np.ravel(a) for a, _ in shapes])
    sizes = np.concatenate([np.ravel(scene.box_half), scene.person_radius])
    return bool(np.isfinite(numbers).all() and (sizes >= 0).all())


def carried_along(scene: Scene, base_pose: Array) -> Scene:
    """The same scene in the base frame that the odometry has now."""
    x, y, turn = base_pose - scene.base_pose
    before = scene.base_pose[2]
    if not (abs(x) + abs(y) + abs(turn) > 1e-9):
        return scene
    c, s = np.cos(before), np.sin(before)
    shift = np.array([c * x + s * y, c * y - s * x, 0.0])  # in the old base frame
    c, s = np.cos(turn), np.sin(turn)
    R = np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])  # new from old
    return Scene(
        stamp_ns=scene.stamp_ns,
        base_pose=base_pose,
        box_centre=(scene.box_centre - shift) @ R.T,
        box_half=scene.box_half,
        box_yaw=scene.box_yaw - turn,
        person_ends=R @ (scene.person_ends - shift[:, None]),
        person_radius=scene.person_radius,
    )


def boxes_near(scene: Scene, reach: float) -> Scene:
    """The same scene without the boxes whose outline is out of reach of the body.

    In plain floats: faster than arrays for so few.
    """
    near = []
    rows = zip(
        scene.box_centre.tolist(),
        scene.box_half.tolist(),
        scene.box_yaw.tolist(),
        strict=True,
    )
    for (x, y, _), (half_x, half_y, _), yaw in rows:
        c, s = math.cos(yaw), math.sin(yaw)
        beyond_x = max(abs(c * x + s * y) - half_x, 0.0)
        beyond_y = max(abs(c * y - s * x) - half_y, 0.0)
        near.append(not (beyond_x * beyond_x + beyond_y * beyond_y > reach * reach))
    if all(near):
        return scene
    return replace(
        scene,
        box_centre=scene.box_centre[near],
        box_half=scene.box_half[near],
        box_yaw=scene.box_yaw[near],
    )


def axis_gaps(scene: Scene) -> list[tuple[float, float, float]]:
    """Nearest point x, y to the body's upright axis, and how far, for each capsule.

    In plain floats and in the plane: faster than arrays for so few.
    """
    gaps = []
    for (ax, bx), (ay, by), _ in scene.person_ends.tolist():
        dx, dy = bx - ax, by - ay
        u = -(ax * dx + ay * dy) / max(dx * dx + dy * dy, 1e-12)
        u = min(max(u, 0.0), 1.0)
        x, y = ax + u * dx, ay + u * dy
        gaps.append((x, y, math.hypot(x, y)))
    return gaps


def people_near(scene: Scene, reach: float) -> Scene:
    """The same scene without the people's capsules that are out of reach."""
    rows = zip(axis_gaps(scene), scene.person_radius.tolist(), strict=True)
    near = [not (gap - radius > reach) for (_, _, gap), radius in rows]
    if all(near):
        return scene
    return replace(
        scene,
        person_ends=scene.person_ends[near],
        person_radius=scene.person_radius[near],
    )


def box_poses(scene: Scene) -> Array:
    """Poses X_OB of the base in each box's own frame, (M, 4, 4)."""
    c, s = np.cos(scene.box_yaw), np.sin(scene.box_yaw)
    X = np.zeros((len(c), 4, 4))
    X[:, 0, 0], X[:, 0, 1], X[:, 1, 0], X[:, 1, 1] = c, s, -s, c
    X[:, 2, 2] = X[:, 3, 3] = 1.0
    X[:, :3, 3] = -(X[:, :3, :3] @ scene.box_centre[:, :, None])[:, :, 0]
    return X
