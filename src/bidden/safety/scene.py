"""What the shield knows about its surroundings: boxes and people, in the base frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np

from bidden.core.messages import Array
from bidden.robot.kernels import contiguous

from . import kernels

BOXES_MAX: Final = 32
PERSON_MAX: Final = 16
_HERE: Final[Array] = np.eye(4)


def _empty(*shape: int) -> Array:
    return np.zeros(shape)


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
    def boxes_beside(self) -> Array:
        """Way to the nearest point of each box from above, and its length, (M, 3).

        [m] from the body's upright axis; inside, the way to the centre, and 0.
        """
        found: Array = kernels.beside(
            contiguous(self.box_centre),
            contiguous(self.box_half),
            contiguous(self.box_yaw),
        )
        return found

    @cached_property
    def people_beside(self) -> Array:
        """The same to the axis of each of the people's capsules, (N, 3)."""
        found: Array = kernels.axes_beside(contiguous(self.person_ends))
        return found


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
    for a, shape in shapes:
        if not (
            isinstance(a, np.ndarray) and a.shape == shape and a.dtype.kind in "fiu"
        ):
            return False
    return bool(kernels.is_room(*(contiguous(a) for a, _ in shapes)))


def carried_along(scene: Scene, base_pose: Array) -> Scene:
    """The same scene in the base frame that the odometry has now; a new one."""
    centre, yaw, ends = kernels.carried(
        contiguous(scene.box_centre),
        contiguous(scene.box_yaw),
        contiguous(scene.person_ends),
        contiguous(scene.base_pose),
        contiguous(base_pose),
    )
    return Scene(
        stamp_ns=scene.stamp_ns,
        base_pose=base_pose,
        box_centre=centre,
        box_half=contiguous(scene.box_half),
        box_yaw=yaw,
        person_ends=ends,
        person_radius=contiguous(scene.person_radius),
    )


def box_poses(centre: Array, yaw: Array, X: Array = _HERE) -> Array:
    """Poses of `X`, by default of the base, in the frames of boxes, (M, 4, 4)."""
    poses: Array = kernels.box_poses(contiguous(centre), contiguous(yaw), contiguous(X))
    return poses
