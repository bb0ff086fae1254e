"""The G1's links, capsules and soles as numbers, read from `g1_model.json`.

Written by `tools/extract_g1.py`. Link 0 is the pelvis; link i + 1 is moved by joint i
of `robot.g1.JOINTS`.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import msgspec
import numpy as np

from bidden.core.messages import Array

Vector = tuple[float, float, float]


class Link(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rigid body and the hinge that carries it."""

    name: str
    mass: float  # [kg]
    com: Vector  # [m] in the link frame
    inertia: tuple[
        float, float, float, float, float, float
    ]  # xx yy zz xy xz yz about com
    parent: str = ""
    position: Vector = (0.0, 0.0, 0.0)  # [m] in the parent frame at joint zero
    quat_wxyz: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)
    joint: str = ""
    axis: Vector = (0.0, 0.0, 0.0)  # unit, link frame
    lower: float = 0.0  # [rad]
    upper: float = 0.0  # [rad]
    effort: float = 0.0  # [N m]
    speed: float = 0.0  # no-load [rad/s]


class Capsule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A segment with a radius, fixed to a link; a sphere has a == b."""

    name: str
    link: str
    a: Vector  # [m] link frame
    b: Vector  # [m] link frame
    radius: float  # [m]


class BodyModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of one body."""

    schema: int
    source: str
    source_sha256: str
    links: tuple[Link, ...]
    capsules: tuple[Capsule, ...]
    soles: tuple[Capsule, ...]

    def link_index(self, name: str) -> int:
        """Position of a link in `links`.

        Raises:
            KeyError: no such link.
        """
        for index, link in enumerate(self.links):
            if link.name == name:
                return index
        raise KeyError(f"link '{name}' is not part of the G1")


@cache
def load_model() -> BodyModel:
    """The G1, read once per process."""
    text = resources.files("bidden.robot").joinpath("g1_model.json").read_bytes()
    return msgspec.json.decode(text, type=BodyModel)


def rotation_from_quat(quat_wxyz: tuple[float, float, float, float]) -> Array:
    """Rotation matrix of a unit quaternion, (3, 3)."""
    w, x, y, z = np.asarray(quat_wxyz) / np.linalg.norm(quat_wxyz)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def cross_matrix(v: Array) -> Array:
    """The matrix K with K @ u = v x u, (3, 3)."""
    x, y, z = v
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
