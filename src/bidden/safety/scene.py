"""What the shield knows about its surroundings: boxes and people, in the base frame."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from bidden.core.messages import Array
from bidden.robot import kernels
from bidden.robot.kernels import beside, contiguous

BOXES_MAX: Final = 32
PERSON_MAX: Final = 16
_HERE: Final[Array] = np.eye(4)


def _empty(*shape: int) -> Array:
    return np.zeros(shape)


class Beside(NamedTuple):
    """One thing seen from above: nearest point, and how far it is from the axis."""

    x: float  # [m] B
    y: float
    away: float  # [m] from the body's upright axis; 0 inside


@dataclass(frozen=True, kw_only=True, eq=False)
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

    @cached_property
    def boxes_beside(self) -> tuple[Beside, ...]:
        """Where each box is nearest; its centre, if the axis is inside."""
        rows = beside(
            contiguous(self.box_centre),
            contiguous(self.box_half),
            contiguous(self.box_yaw),
        )
        return tuple(Beside(*row) for row in rows.tolist())

    @cached_property
    def people_beside(self) -> tuple[Beside, ...]:
        """Where the axis of each of the people's capsules is nearest.

        In plain floats: faster than arrays for so few.
        """
        found = []
        for (ax, bx), (ay, by), _ in self.person_ends.tolist():
            dx, dy = bx - ax, by - ay
            u = -(ax * dx + ay * dy) / max(dx * dx + dy * dy, 1e-12)
            u = min(max(u, 0.0), 1.0)
            x, y = ax + u * dx, ay + u * dy
            found.append(Beside(x, y, math.hypot(x, y)))
        return tuple(found)


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
    """The same scene in the base frame that the odometry has now; a new one."""
    x, y, turn = (base_pose - scene.base_pose).tolist()
    before = float(scene.base_pose[2])
    c, s = math.cos(before), math.sin(before)
    shift = np.array([c * x + s * y, c * y - s * x, 0.0])  # in the old base frame
    c, s = math.cos(turn), math.sin(turn)
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


def boxes_near(scene: Scene, reach: float) -> list[int]:
    """The boxes whose outline is within reach of the body's axis."""
    return [k for k, one in enumerate(scene.boxes_beside) if not (one.away > reach)]


def people_near(scene: Scene, reach: float) -> tuple[Array, Array]:
    """Axes and radii of the people's capsules within reach, (N, 3, 2) and (N,)."""
    rows = zip(scene.people_beside, scene.person_radius.tolist(), strict=True)
    near = [k for k, (one, r) in enumerate(rows) if not (one.away - r > reach)]
    if len(near) == len(scene.person_radius):
        return scene.person_ends, scene.person_radius
    return scene.person_ends[near], scene.person_radius[near]


def box_poses(centre: Array, yaw: Array, X: Array = _HERE) -> Array:
    """Poses of `X`, by default of the base, in the frames of boxes, (M, 4, 4)."""
    poses: Array = kernels.box_poses(contiguous(centre), contiguous(yaw), contiguous(X))
    return poses
