"""How high the surface is on which a thing stands, from one depth image."""

from __future__ import annotations

from typing import Final

import numpy as np

from bidden.core.messages import Array, Image

RING: Final = (0.035, 0.11)  # [m] around the thing, where its surface shows
UNDER: Final = (0.004, 0.12)  # [m] below its point: no surface is nearer or farther
CELL: Final = 0.004  # [m] of height
LEAST: Final = 40  # points that must agree
STRIDE: Final = 2  # pixels


def support_height(image: Image, p_B: Array) -> float | None:
    """Height in B of the surface around and under a point of a thing [m].

    Args:
        image: of the head camera, with depth.
        p_B: a point in the middle of the thing [m], (3,).

    Returns:
        None where the image shows too little of a level surface there.
    """
    if image.depth is None or not np.isfinite(p_B).all():
        return None
    z = image.depth[::STRIDE, ::STRIDE]
    v, u = np.nonzero(z > 0.1)
    depth = z[v, u].astype(float)
    x = (u * STRIDE + 0.5 - image.K[0, 2]) / image.K[0, 0] * depth
    y = (v * STRIDE + 0.5 - image.K[1, 2]) / image.K[1, 1] * depth
    p = np.stack([x, y, depth], axis=1) @ image.X_BC[:3, :3].T + image.X_BC[:3, 3]
    away = np.hypot(p[:, 0] - p_B[0], p[:, 1] - p_B[1])
    under = p_B[2] - p[:, 2]
    ring = (away > RING[0]) & (away < RING[1])
    under = under[ring & (under > UNDER[0]) & (under < UNDER[1])]
    if not len(under) >= LEAST:
        return None
    count = np.bincount((under / CELL).astype(np.intp), minlength=4)
    near = np.convolve(count, (1, 1, 1), "same")
    peak = int(np.argmax(near))
    if not near[peak] >= LEAST:
        return None
    same = np.abs(under / CELL - peak - 0.5) < 1.5
    return float(p_B[2] - np.median(under[same]))
