"""Rotations and planar poses, as plain functions on arrays."""

from __future__ import annotations

import math

import numpy as np

from .messages import Array


def rotation_rpy(rpy: Array) -> Array:
    """R = Rz(yaw) Ry(pitch) Rx(roll) from roll, pitch, yaw [rad], (3, 3)."""
    r, p, y = rpy.tolist()  # in plain floats: faster for so few
    sr, sp, sy = math.sin(r), math.sin(p), math.sin(y)
    cr, cp, cy = math.cos(r), math.cos(p), math.cos(y)
    return np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
            [-sp, cp * sr, cp * cr],
        ]
    )


def rpy_of(R: Array) -> Array:
    """Roll, pitch, yaw [rad] of a rotation; inverse of `rotation_rpy`, (3,)."""
    return np.array(
        [
            np.arctan2(R[2, 1], R[2, 2]),
            np.arctan2(-R[2, 0], np.hypot(R[2, 1], R[2, 2])),
            np.arctan2(R[1, 0], R[0, 0]),
        ]
    )


def wrap(angle: float) -> float:
    """The same angle in [-pi, pi)."""
    return float((angle + np.pi) % (2 * np.pi) - np.pi)


def to_planar(p: Array, pose: Array) -> Array:
    """A point of the parent frame seen from planar `pose` x, y, yaw, (3,)."""
    c, s = np.cos(pose[2]), np.sin(pose[2])
    dx, dy = p[0] - pose[0], p[1] - pose[1]
    return np.array([c * dx + s * dy, -s * dx + c * dy, p[2]])


def from_planar(p: Array, pose: Array) -> Array:
    """A point seen from planar `pose` back in the parent frame, (3,)."""
    c, s = np.cos(pose[2]), np.sin(pose[2])
    return np.array(
        [pose[0] + c * p[0] - s * p[1], pose[1] + s * p[0] + c * p[1], p[2]]
    )
