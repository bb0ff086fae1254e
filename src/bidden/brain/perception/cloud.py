"""A depth image as few points in the base frame, without the robot's own body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bidden.core.messages import Array, Image, RobotState
from bidden.robot.capsules import BodyCapsules, segment_distances
from bidden.robot.kinematics import WRISTS, Kinematics, grip_poses

F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]
STRIDE: Final = 4  # pixels of the camera per point
NEAREST, FARTHEST = 0.12, 8.0  # [m] depths that are believed
_SAME: Final = 0.03  # of the depth: pixels of a block that see one surface
_LEVEL: Final = 0.025  # [m] of rise between neighbours on a table top, noise included
_SLOPE: Final = 0.45  # and per metre of way
_SKIN: Final = 0.045  # [m] around the robot's capsules: calibration, fingers, cloth
_HELD: Final = 0.12  # [m] around a grip point: what is in the hand
_ARMS_REACH: Final = 0.95  # [m] from the base's axis; nothing of the robot is beyond


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cloud:
    """A decimated depth image of H rows and W columns."""

    p_B: F32  # [m], (H, W, 3)
    depth: F32  # [m], (H, W); 0 a hole
    solid: Mask  # seen, and not the robot itself, (H, W)
    level: Mask  # `solid`, and part of a horizontal surface, (H, W)


class DepthReader:
    """Makes clouds; keeps the rays of the camera it saw last. Not thread-safe."""

    def __init__(self) -> None:
        self._kinematics, self._body = Kinematics(), BodyCapsules()
        self._rays: F32 = np.zeros((0, 0, 3), np.float32)
        self._rays_of: tuple[bytes, tuple[int, ...]] = (b"", ())

    def read(self, image: Image, state: RobotState) -> Cloud | None:
        """The cloud of an image, or None if it has no depth that can be used."""
        depth = image.depth
        if not (
            depth is not None
            and depth.ndim == 2
            and min(depth.shape) >= 4 * STRIDE
            and np.shape(image.K) == (3, 3)
            and np.shape(image.X_BC) == (4, 4)
            and np.isfinite(image.K).all()
            and np.isfinite(image.X_BC).all()
            and min(image.K[0, 0], image.K[1, 1]) > 0
            and np.isfinite(state.q).all()
            and np.isfinite(state.gravity).all()
        ):
            return None
        z = _decimated(depth)
        seen = z > 0
        if not seen.any():
            return None
        X = image.X_BC.astype(np.float32)
        p_C = self._directions(image.K, z.shape) * z[..., None]
        p_B = (p_C @ X[:3, :3].T + X[:3, 3]).astype(np.float32, copy=False)
        solid = seen.copy()
        near = seen & (np.square(p_B[..., :2]).sum(axis=-1) < _ARMS_REACH**2)
        near &= p_B[..., 2] > 0.05
        solid[near] = ~self._is_own(p_B[near], state)
        return Cloud(p_B=p_B, depth=z, solid=solid, level=solid & _is_level(p_B, seen))

    def _directions(self, K: Array, shape: tuple[int, ...]) -> F32:
        """Rays of unit depth through the middle of each block."""
        key = (K.tobytes(), shape)
        if key != self._rays_of:
            v, u = (STRIDE * np.indices(shape) + STRIDE / 2).astype(np.float32)
            rays = ((u - K[0, 2]) / K[0, 0], (v - K[1, 2]) / K[1, 1], np.ones(shape))
            self._rays = np.stack(rays, axis=-1).astype(np.float32)
            self._rays_of = key
        return self._rays

    def _is_own(self, p_B: F32, state: RobotState) -> Mask:
        """Which of the points (N, 3) lie on the robot or on what it holds."""
        X_PL = self._kinematics.link_poses(state.q)
        X_BL = self._kinematics.ground(X_PL, state.gravity) @ X_PL
        grips = grip_poses(X_BL[WRISTS])[:, :3, 3].astype(np.float32)
        away = np.square(p_B[:, None] - grips).sum(axis=-1)
        own: Mask = (away < _HELD**2).any(axis=1)
        axes = self._body.segments(X_BL).astype(np.float32)
        reach = (self._body.radius + _SKIN).astype(np.float32)
        low, high = (
            axes.min(axis=-1) - reach[:, None],
            axes.max(axis=-1) + reach[:, None],
        )
        for k in range(len(reach)):
            inside = ((p_B >= low[k]) & (p_B <= high[k])).all(axis=1) & ~own
            rows = np.flatnonzero(inside)
            if len(rows):
                points = np.repeat(p_B[rows, :, None], 2, axis=2)
                own[rows] = segment_distances(points, axes[k]) < reach[k]
        return own


def _decimated(depth: Array) -> F32:
    """Depth of each block's middle: the mean of one surface, else the nearest [m]."""
    height, width = (STRIDE * (n // STRIDE) for n in depth.shape)
    middle = (STRIDE // 2 - 1, STRIDE // 2)
    z = np.stack(
        [depth[i:height:STRIDE, j:width:STRIDE] for i in middle for j in middle]
    ).astype(np.float32, copy=False)
    usable = (z > NEAREST) & (z < FARTHEST)  # false for NaN
    nearest = np.where(usable, z, np.float32(FARTHEST)).min(axis=0)
    z = np.where(usable, z, np.float32(0))
    count = usable.sum(axis=0)
    mean = z.sum(axis=0) / np.maximum(count, 1).astype(np.float32)
    is_one = z.max(axis=0) - nearest < _SAME * nearest
    out: F32 = np.where(is_one, mean, nearest) * (count > 0)
    return out


def _is_level(p: F32, seen: Mask) -> Mask:
    """Points that continue horizontally along a row and along a column."""
    level: list[Mask] = []
    for axis in (0, 1):
        q, ok = (p, seen) if axis else (p.swapaxes(0, 1), seen.T)
        step = q[:, 1:] - q[:, :-1]
        rise = np.abs(step[..., 2])
        way = np.abs(step[..., 0]) + np.abs(step[..., 1])
        flat = (rise < _LEVEL) & (rise < _SLOPE * way) & ok[:, 1:] & ok[:, :-1]
        either = np.zeros(ok.shape, bool)
        either[:, 1:] |= flat
        either[:, :-1] |= flat
        level.append(either if axis else either.T)
    return level[0] & level[1]
