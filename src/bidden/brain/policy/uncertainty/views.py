"""What one camera image looks like, in so few numbers that it costs nothing.

A glimpse is coarse on purpose: it must not know which room this is, only whether this
is the kind of picture that the policy succeeded with.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bidden.core.messages import Array, Image

GRID: Final = 20  # cells along each side of a glimpse
NEAR_UNIT: Final = 0.3  # [m] whose inverse depth is 255; what is nearer counts as that
DARK, BRIGHT = 5, 250  # grey levels at which a pixel says nothing any more
BYTE = NDArray[np.uint8]
# A picture beyond these shows nothing, whatever a policy was calibrated on. Usual in
# simulation: up to 0.001 dark, 0.28 bright, 3.9 of grain, down to 0.37 of edges.
MOST_DARK, MOST_BRIGHT = 0.98, 0.98  # share of pixels
MOST_GRAIN = 25.0  # grey levels; uniform noise has 120, and a deviation of 16 has 25
LEAST_EDGES = 0.05  # grey levels
# A sensor has noise, so that no two pictures are equal; this many repeats mean that
# the picture stands still: 0.4 s at 5 Hz.
REPEATS = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Glimpse:
    """A summary of one image."""

    rgb: BYTE  # mean colour of each cell, (20, 20, 3)
    near: BYTE  # NEAR_UNIT over mean depth of each cell, 0..255; 0 no depth, (20, 20)
    dark: float  # share of pixels without any light
    bright: float  # share of pixels without anything but light
    edges: float  # mean step to the next pixel of a row, grey levels
    grain: float  # mean of mixed second differences: large for noise, grey levels
    holes: float  # share of pixels without depth; 1 without a depth image
    digest: int  # of every byte, to know a picture again


def glimpse(image: Image) -> Glimpse | None:
    """The summary of an image; None when its arrays are no image."""
    rgb, depth = image.rgb, image.depth
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        return None
    if min(rgb.shape[:2]) < GRID or (
        depth is not None and depth.shape != rgb.shape[:2]
    ):
        return None
    green = rgb[:, :, 1].astype(np.int16)
    step = green[:, 1:] - green[:, :-1]
    mixed = step[1:] - step[:-1]
    digest = zlib.crc32(np.ascontiguousarray(rgb).data)
    near, holes = np.zeros((GRID, GRID), np.uint8), 1.0
    if depth is not None:
        near, holes = _near(depth)
        digest = zlib.crc32(np.ascontiguousarray(depth).data, digest)
    return Glimpse(
        rgb=np.rint(_cells(rgb)).astype(np.uint8),
        near=near,
        dark=float(np.mean(green <= DARK)),
        bright=float(np.mean(green >= BRIGHT)),
        edges=float(np.mean(np.abs(step))),
        grain=float(np.mean(np.abs(mixed))),
        holes=holes,
        digest=digest,
    )


def _near(depth: Array) -> tuple[BYTE, float]:
    """Inverse depth of each cell, and the share of pixels without depth."""
    usable = np.isfinite(depth) & (depth > 0)
    z = _cells(np.where(usable, depth, 0))
    n = _cells(usable)
    mean = np.divide(z, n, out=np.full_like(z, np.inf), where=n > 0)
    near = np.minimum(NEAR_UNIT / np.maximum(mean, NEAR_UNIT), 1.0)
    return np.rint(255 * near).astype(np.uint8), float(1 - np.mean(usable))


def _cells(x: NDArray[np.generic]) -> Array:
    """Mean over each of 20 x 20 cells of every second pixel."""
    height, width = x.shape[0] // GRID, x.shape[1] // GRID
    whole = x[: height * GRID, : width * GRID]
    cells = whole.reshape(GRID, height, GRID, width, *x.shape[2:])
    mean: Array = cells[:, ::2, :, ::2].mean((1, 3), dtype=np.float32)
    return mean


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewFault:
    """Why a picture must not be acted on, with what was measured."""

    what: str
    score: float
    bound: float


@dataclass(slots=True)
class Views:
    """Takes every image of every camera, and knows the broken ones."""

    _last: dict[str, tuple[Glimpse | None, int]] = field(default_factory=dict)

    def take(self, image: Image) -> Glimpse | None:
        """Take the newest image of a camera; its glimpse, None when it is no image."""
        view = glimpse(image)
        before, repeats = self._last.get(image.camera, (None, 0))
        same = view is not None and before is not None and view.digest == before.digest
        self._last[image.camera] = (view, repeats + 1 if same else 0)
        return view

    def fault(self, camera: str) -> ViewFault | None:
        """What is wrong with the last image of a camera, if something is."""
        view, repeats = self._last.get(camera, (None, 0))
        if view is None:
            return ViewFault(what="no image", score=1.0, bound=0.0)
        for what, score, bound in (
            ("black", view.dark, MOST_DARK),
            ("flooded with light", view.bright, MOST_BRIGHT),
            ("full of noise", view.grain, MOST_GRAIN),
            ("frozen", float(repeats), REPEATS - 0.5),
            ("empty", -view.edges, -LEAST_EDGES),
        ):
            if not score <= bound:
                return ViewFault(what=what, score=score, bound=bound)
        return None
