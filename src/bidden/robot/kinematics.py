"""Where every link, hand and camera is, from joint positions and gravity.

Frames: P pelvis, B base (floor under the pelvis, yaw-aligned), T torso, G grip point
(x along the fingers, y across the opening), C camera (x right, y down, z forward).
"""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

import numpy as np

from bidden.core.messages import Array

from . import g1, kernels
from .g1 import CameraMount
from .kernels import chain, contiguous
from .model import cross_matrix, load_model, rotation_from_quat

TORSO: Final = 15  # link index
WRISTS: Final = [29, 22]  # link index of the wrist_yaw links, by hand number
FEET: Final = [12, 6]  # link index of the ankle_roll links: right, left


class _Posed(NamedTuple):
    """The last single posture that was asked for."""

    key: bytes
    X_PL: Array


class _Grounded(NamedTuple):
    """The last pelvis that was put on the floor."""

    X_PL: Array
    key: bytes  # gravity
    X_BP: Array
    soles: Array


class Kinematics:
    """Forward kinematics of the whole body in one pass.

    All methods take joint positions in the order of `g1.JOINTS` and may be called from
    any thread. Leading dimensions of `q` are kept. It holds constants, and the answer
    about the last single posture, because a tick asks for it three times.
    """

    def __init__(self) -> None:
        links = load_model().links
        names = {link.name: i for i, link in enumerate(links)}
        self._parent = np.array([names[link.parent] for link in links[1:]])
        fixed = np.array([rotation_from_quat(link.quat_wxyz) for link in links[1:]])
        K = np.array([cross_matrix(np.array(link.axis)) for link in links[1:]])
        self._R, self._RK, self._RKK = fixed, fixed @ K, fixed @ K @ K
        self._p = np.array([link.position for link in links[1:]])
        self._sole_points, self._sole_radius = _soles()
        nothing = np.zeros(0)
        self._posed = _Posed(b"", nothing)
        self._grounded = _Grounded(nothing, b"", nothing, nothing)

    def link_poses(self, q: Array) -> Array:
        """Poses X_PL of all links (pelvis first, then joint order), (..., 30, 4, 4).

        The same single posture asked for again costs nothing; its array is read-only.
        """
        if q.ndim > 1:
            return self._chain(q)
        key, posed = q.tobytes(), self._posed
        if posed.key != key:
            posed = _Posed(key, self._chain(q))
            posed.X_PL.flags.writeable = False
            self._posed = posed
        return posed.X_PL

    def _chain(self, q: Array) -> Array:
        flat = contiguous(q).reshape(-1, q.shape[-1])
        X: Array = chain(flat, self._R, self._RK, self._RKK, self._p, self._parent)
        return X.reshape(*q.shape[:-1], *X.shape[1:])

    def pelvis_in_base(self, q: Array, gravity: Array) -> Array:
        """Pose X_BP: roll and pitch from gravity, the lowest sole on the floor."""
        return self.ground(self.link_poses(q), gravity)

    def base_link_poses(self, q: Array, gravity: Array) -> Array:
        """Poses X_BL of all links, (30, 4, 4)."""
        X_PL = self.link_poses(q)
        return self.ground(X_PL, gravity) @ X_PL

    def hand_poses(self, q: Array, gravity: Array) -> Array:
        """Grip-point poses X_BG of the right and the left hand, (2, 4, 4)."""
        X_PL = self.link_poses(q)
        X_BW = self.ground(X_PL, gravity) @ X_PL[WRISTS]
        return grip_poses(X_BW)

    def torso_pose(self, q: Array, gravity: Array) -> Array:
        """Pose X_BT of the torso, (4, 4)."""
        X_PL = self.link_poses(q)
        X_BT: Array = self.ground(X_PL, gravity) @ X_PL[TORSO]
        return X_BT

    def camera_pose(self, q: Array, gravity: Array, *, mount: CameraMount) -> Array:
        """Nominal pose X_BC of a camera, (4, 4)."""
        X_PL = self.link_poses(q)
        X_BC: Array = (
            self.ground(X_PL, gravity)
            @ X_PL[load_model().link_index(mount.link)]
            @ mount_pose(mount)
        )
        return X_BC

    def sole_points(self, X_PL: Array, X_BP: Array) -> Array:
        """Contact points under the soles in B: right, left, (2, N, 3)."""
        known = self._grounded
        if known.X_PL is X_PL and known.X_BP is X_BP:
            return known.soles
        right, left = FEET
        p: Array = kernels.soles(
            contiguous(X_BP),
            contiguous(X_PL[right]),
            contiguous(X_PL[left]),
            self._sole_points,
        )
        p[..., 2] -= self._sole_radius
        return p

    def ground(self, X_PL: Array, gravity: Array) -> Array:
        """Pose X_BP of the pelvis for links at `X_PL`, see `pelvis_in_base`.

        For what `link_poses` has just given it is worked out once, and read-only.
        """
        key, known = gravity.tobytes(), self._grounded
        if known.X_PL is X_PL and known.key == key:
            return known.X_BP
        right, left = FEET
        X_BP: Array
        X_BP, soles = kernels.grounded(
            contiguous(gravity),
            contiguous(X_PL[right]),
            contiguous(X_PL[left]),
            self._sole_points,
            self._sole_radius,
        )
        X_BP.flags.writeable = soles.flags.writeable = False
        if not X_PL.flags.writeable:
            self._grounded = _Grounded(X_PL, key, X_BP, soles)
        return X_BP


@cache
def shared_kinematics() -> Kinematics:
    """The one of this process: who asks for the same posture works it out once."""
    return Kinematics()


def level_rotation(gravity: Array) -> Array:
    """Yaw-free rotation R_BP that turns measured gravity straight down, (3, 3)."""
    gx, gy, gz = (float(v) for v in gravity)
    R_BP: Array = kernels.level(gx, gy, gz)
    return R_BP


def grip_poses(X_BW: Array) -> Array:
    """Poses of the grip points of wrist_yaw links at `X_BW`, (..., 4, 4)."""
    X_BG = X_BW.copy()
    X_BG[..., :3, 3] += g1.GRIP_POINT * X_BW[..., :3, 0]
    return X_BG


def mount_pose(mount: CameraMount) -> Array:
    """Pose X_LC of a camera in its link, (4, 4)."""
    s, c = np.sin(mount.pitch), np.cos(mount.pitch)
    X_LC = np.eye(4)
    X_LC[:3, 0] = (0, -1, 0)
    X_LC[:3, 1] = (-s, 0, -c)
    X_LC[:3, 2] = (c, 0, -s)
    X_LC[:3, 3] = mount.position
    return X_LC


def camera_matrix(mount: CameraMount) -> Array:
    """Intrinsics K with pixel centres at +0.5, (3, 3)."""
    f = mount.height_px / 2 / np.tan(mount.fov / 2)
    return np.array(
        [[f, 0, mount.width_px / 2], [0, f, mount.height_px / 2], [0, 0, 1.0]]
    )


def _soles() -> tuple[Array, float]:
    model = load_model()
    points = [
        [p for s in model.soles if s.link == model.links[foot].name for p in (s.a, s.b)]
        for foot in FEET
    ]
    return np.array(points), model.soles[0].radius
