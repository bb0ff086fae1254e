"""Images and networks that need no weights."""

from __future__ import annotations

import numpy as np
import pytest

from bidden.core.messages import Array, Image

LOOKING_DOWN = np.array(  # X_BC of a level robot: 1.2 m up, pitched 40 degrees down
    [
        [0.0, -0.6428, 0.7660, 0.07],
        [-1.0, 0.0, 0.0, 0.0],
        [0.0, -0.7660, -0.6428, 1.20],
        [0.0, 0.0, 0.0, 1.0],
    ]
)
K = np.array([[208.5, 0.0, 160.0], [0.0, 208.5, 160.0], [0.0, 0.0, 1.0]])


def floor_depth(height: float = 0.0) -> Array:
    """Depth of a plane at a height, seen by the camera above [m], (320, 320)."""
    centre = np.arange(320) + 0.5
    y = (centre - K[1, 2]) / K[1, 1]
    climb = LOOKING_DOWN[2, 1] * y + LOOKING_DOWN[2, 2]
    with np.errstate(divide="ignore"):
        z = np.where(climb < -0.05, (height - LOOKING_DOWN[2, 3]) / climb, 0.0)
    return np.repeat(z[:, None], 320, axis=1).astype(np.float32)


@pytest.fixture
def image() -> Image:
    """A grey image of an empty floor."""
    return Image(
        stamp_ns=7,
        camera="head",
        rgb=np.full((320, 320, 3), 115, np.uint8),
        depth=floor_depth(),
        K=K,
        X_BC=LOOKING_DOWN,
    )
