"""A circle around the odometry's origin that the base does not leave."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from bidden.core.messages import Array
from bidden.safety.limits import Limits

BEYOND: Final = 1.0  # [m/s] more than the base ever does: the fence is far


def bent_inside(velocity: Array, base_pose: Array, limits: Limits) -> Array:
    """The base velocity without what leads out of the fence too fast, (3,).

    Outwards it is at most what stops inside: margin >= v^2 / 2a, and in proportion to
    the margin near the fence. At the fence and outside only inward motion is left.

    Args:
        velocity: vx, vy [m/s], wz [rad/s] in B.
        base_pose: x, y [m], yaw [rad] in odometry.
        limits: the limits.
    """
    out_x, out_y, most = _way_out(base_pose, limits)
    vx, vy, wz = velocity.tolist()
    excess = vx * out_x + vy * out_y - most
    if excess <= 0.0:
        return velocity
    return np.array([vx - excess * out_x, vy - excess * out_y, wz])


def slowed_inside(velocity: Array, base_pose: Array, limits: Limits) -> Array:
    """The same by slowing all of it, so that it nears nothing else faster, (3,)."""
    out_x, out_y, most = _way_out(base_pose, limits)
    speed = float(velocity[0]) * out_x + float(velocity[1]) * out_y
    if speed <= most:
        return velocity
    slowed: Array = velocity * (most / speed, most / speed, 1.0)
    return slowed


def _way_out(base_pose: Array, limits: Limits) -> tuple[float, float, float]:
    """Unit direction to the fence in B, and the speed that is allowed towards it."""
    x, y, yaw = base_pose.tolist()
    distance = math.hypot(x, y)
    margin = max(limits.fence_radius - limits.fence_clearance - distance, 0.0)
    most = min(
        math.sqrt(2.0 * limits.fence_deceleration * margin), limits.fence_gain * margin
    )
    if most > BEYOND:
        most = math.inf
    c, s = math.cos(yaw), math.sin(yaw)
    norm = max(distance, 1e-9)
    return (c * x + s * y) / norm, (c * y - s * x) / norm, most
