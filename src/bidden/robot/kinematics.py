"""Where every link, hand and camera is, from joint positions and gravity.

Frames: P pelvis, B base (floor under the pelvis, yaw-aligned), T torso, G grip point
(x along the fingers, y across the opening), C camera (x right, y down, z forward).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from bidden.core.messages import Array

from . import g1
from .g1 import CameraMount
from .model import cross_matrix, load_model, rotation_from_quat

TORSO: Final = 15  # link index
WRISTS: Final = (29, 22)  # link index of the wrist_yaw links, by hand number
FEET: Final = (12, 6)  # link index of the ankle_roll links: right, left

Level = tuple[slice, slice | Array]  # rows in level order, their parents


class Kinematics:
    """Forward kinematics of the whole body in one pass; holds constants only.

    All methods take joint positions in the order of `g1.JOINTS`, may be called from
    any thread and give new arrays. Leading dimensions of `q` are kept.
    """

    def __init__(self) -> None:
        links = load_model().links
        names = {link.name: i for i, link in enumerate(links)}
        parent = [names.get(link.parent, -1) for link in links]
        depth = [0]
        for i in range(1, len(links)):
            depth.append(depth[parent[i]] + 1)
        order = sorted(range(len(links)), key=lambda i: depth[i])
        row = {link: r for r, link in enumerate(order)}  # link -> row in level order
        self._rows = np.array([row[i] for i in range(len(links))])
        self._joints = np.array([i - 1 for i in order[1:]])  # joint of each row but 0
        self._levels = _levels(
            [depth[i] for i in order], [row[parent[i]] if i else 0 for i in order]
        )
        fixed = np.array([rotation_from_quat(links[i].quat_wxyz) for i in order[1:]])
        K = np.array([cross_matrix(np.array(links[i].axis)) for i in order[1:]])
        self._R, self._RK, self._RKK = fixed, fixed @ K, fixed @ K @ K
        self._p = np.array([links[i].position for i in order[1:]])
        self._sole_points, self._sole_radius = _soles()

    def link_poses(self, q: Array) -> Array:
        """Poses X_PL of all links (pelvis first, then joint order), (..., 30, 4, 4)."""
        s, c = np.sin(q), np.cos(q)
        s = s[..., self._joints, None, None]
        c = 1.0 - c[..., self._joints, None, None]
        rows = len(self._joints) + 1
        X = np.zeros((*q.shape[:-1], rows, 4, 4))
        X[..., 3, 3] = 1.0
        X[..., 0, :3, :3] = np.eye(3)
        X[..., 1:, :3, :3] = self._R + s * self._RK + c * self._RKK
        X[..., 1:, :3, 3] = self._p
        for own, parents in self._levels:
            X[..., own, :, :] = X[..., parents, :, :] @ X[..., own, :, :]
        return X[..., self._rows, :, :]

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
        X_BW = self.ground(X_PL, gravity) @ X_PL[list(WRISTS)]
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
        feet = X_BP @ X_PL[list(FEET)]
        p: Array = self._sole_points @ feet[:, :3, :3].transpose(0, 2, 1)
        p += feet[:, None, :3, 3]
        p[..., 2] -= self._sole_radius
        return p

    def ground(self, X_PL: Array, gravity: Array) -> Array:
        """Pose X_BP of the pelvis for links at `X_PL`, see `pelvis_in_base`."""
        X_BP = np.eye(4)
        X_BP[:3, :3] = level_rotation(gravity)
        feet = X_BP[:3, :3] @ X_PL[list(FEET), :3, :]  # (2, 3, 4)
        z = self._sole_points @ feet[:, 2, :3, None] + feet[:, 2, 3, None, None]
        X_BP[2, 3] = self._sole_radius - z.min()
        return X_BP


def level_rotation(gravity: Array) -> Array:
    """Yaw-free rotation R_BP that turns measured gravity straight down, (3, 3)."""
    gx, gy, gz = (float(v) for v in gravity)
    n = float(np.sqrt(gx * gx + gy * gy + gz * gz))
    up = (-gx / n, -gy / n, -gz / n) if n > 1e-6 else (0.0, 0.0, 1.0)
    # Forward is the pelvis' x without its vertical part; lying face down has none.
    lead = (1.0, 0.0, 0.0) if abs(up[0]) < 0.999999 else (0.0, 0.0, -up[0])
    dot = lead[0] * up[0] + lead[2] * up[2]
    fx, fy, fz = (lead[k] - dot * up[k] for k in range(3))
    f = float(np.sqrt(fx * fx + fy * fy + fz * fz))
    fx, fy, fz = fx / f, fy / f, fz / f
    ux, uy, uz = up
    return np.array(
        [
            [fx, fy, fz],
            [uy * fz - uz * fy, uz * fx - ux * fz, ux * fy - uy * fx],
            [ux, uy, uz],
        ]
    )


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


def _levels(depths: list[int], parents: list[int]) -> list[Level]:
    levels: list[Level] = []
    for level in range(1, depths[-1] + 1):
        own = [r for r, d in enumerate(depths) if d == level]
        above = [parents[r] for r in own]
        run = above == list(range(above[0], above[0] + len(above)))
        levels.append(
            (
                slice(own[0], own[-1] + 1),
                slice(above[0], above[-1] + 1) if run else np.array(above),
            )
        )
    return levels


def _soles() -> tuple[Array, float]:
    model = load_model()
    points = [
        [p for s in model.soles if s.link == model.links[foot].name for p in (s.a, s.b)]
        for foot in FEET
    ]
    return np.array(points), model.soles[0].radius
