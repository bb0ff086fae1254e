"""The one preprocessing of head images: used by the run time and by training.

A colour-and-depth image becomes two arrays. `native` keeps every pixel and is what
close looks are cut from. `image` is block-averaged to 160 pixels and holds colour,
inverse depth and height over the floor: gravity is known, so a table top is flat.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bidden.core.errors import ShapeError
from bidden.core.messages import Array, Image

F32 = NDArray[np.float32]
NATIVE_PX = 320  # side of the head camera's image
SIZE_PX = 160  # side of the image that the vision network sees
STRIDE = 4  # pixels of that image per cell of a heat map
CHANNELS = 5  # red, green, blue, inverse depth, height
RGB_MEAN, RGB_SCALE = 0.45, 0.25
DEPTH_UNIT = 0.6  # [m] whose inverse depth is 1
MAX_DEPTH = 6.0  # [m] beyond, the depth camera is not to be believed
HEIGHT_MEAN, HEIGHT_SCALE = 0.6, 0.4  # [m]
MIN_DEPTH = 0.05  # [m] below, a hole


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """B images ready for the networks, with the geometry to read their answers."""

    image: F32  # normalised, (B, 5, 160, 160)
    native: F32  # normalised colour and depth [m], 0 a hole, (B, 4, 320, 320)
    camera: F32  # fx, fy, cx, cy of the native image [px], (B, 4)
    up: F32  # direction against gravity in the camera frame, (B, 3)


def find_fault(image: Image) -> str:
    """Why this image cannot be used, in words; empty if it can."""
    rgb = image.rgb
    if rgb.shape != (NATIVE_PX, NATIVE_PX, 3) or rgb.dtype != np.uint8:
        return (
            f"image of {image.camera}: expected ({NATIVE_PX}, {NATIVE_PX}, 3) uint8,"
            f" got {rgb.shape} {rgb.dtype}"
        )
    if image.depth is not None:
        if image.depth.shape != rgb.shape[:2]:
            return (
                f"depth of {image.camera}: expected {rgb.shape[:2]},"
                f" got {image.depth.shape}"
            )
        if not np.isfinite(image.depth).all():
            return f"depth of {image.camera} has values that are not finite"
    if not (np.isfinite(image.K).all() and np.isfinite(image.X_BC).all()):
        return f"pose or intrinsics of {image.camera} are not finite"
    if not image.rgb.any():
        return f"image of {image.camera} is black"
    return ""


def prepare(image: Image) -> Frame:
    """One camera image as a `Frame` of one.

    Raises:
        ShapeError: the image is not usable; `find_fault` says why without raising.
    """
    fault = find_fault(image)
    if fault:
        raise ShapeError(fault)
    depth = image.depth
    if depth is None:
        depth = np.zeros(image.rgb.shape[:2], np.float32)
    return prepare_batch(
        image.rgb[None],
        depth[None].astype(np.float32, copy=False),
        K=image.K[None],
        X_BC=image.X_BC[None],
    )


def prepare_batch(
    rgb: NDArray[np.uint8], depth: F32, *, K: Array, X_BC: Array
) -> Frame:
    """B images: rgb (B, H, W, 3), depth [m] (B, H, W), K (B, 3, 3), X_BC (B, 4, 4)."""
    b = len(rgb)
    native = np.empty((b, 4, NATIVE_PX, NATIVE_PX), np.float32)
    scale = np.float32(1 / (255 * RGB_SCALE))
    shift = np.float32(RGB_MEAN / RGB_SCALE)
    np.multiply(rgb.transpose(0, 3, 1, 2), scale, out=native[:, :3])
    native[:, :3] -= shift
    usable = (depth > MIN_DEPTH) & (depth < MAX_DEPTH)
    np.multiply(depth, usable, out=native[:, 3])
    image = np.empty((b, CHANNELS, SIZE_PX, SIZE_PX), np.float32)
    image[:, :3] = _quarters(native[:, :3]) * np.float32(0.25)
    n = _quarters(usable.view(np.uint8))
    z = _quarters(native[:, 3]) / np.maximum(n, 1).astype(np.float32)
    image[:, 3] = np.divide(DEPTH_UNIT, z, out=np.zeros_like(z), where=n > 0)
    up = X_BC[:, 2, :3].astype(np.float32)
    camera = np.stack([K[:, 0, 0], K[:, 1, 1], K[:, 0, 2], K[:, 1, 2]], 1)
    height = z * _climb(camera, up) + X_BC[:, 2, 3, None, None].astype(np.float32)
    height -= np.float32(HEIGHT_MEAN)
    height *= np.float32(1 / HEIGHT_SCALE)
    image[:, 4] = np.clip(height, -3, 3, out=height) * (n > 0)
    return Frame(
        image=image,
        native=native,
        camera=camera.astype(np.float32),
        up=up,
    )


def _quarters(x: F32 | NDArray[np.uint8]) -> F32:
    """Sum over 2x2 blocks of the last two axes."""
    rows = x[..., 0::2, :] + x[..., 1::2, :]
    total: F32 = rows[..., 0::2] + rows[..., 1::2]
    return total


def _climb(camera: Array, up: F32) -> F32:
    """Rise per metre of depth at each pixel of the small image, (B, 160, 160)."""
    centres = (np.arange(SIZE_PX, dtype=np.float32) + 0.5) * (NATIVE_PX / SIZE_PX)
    x = (centres[None] - camera[:, 2:3]) / camera[:, 0:1]
    y = (centres[None] - camera[:, 3:4]) / camera[:, 1:2]
    climb: F32 = (
        (x * up[:, :1])[:, None, :]
        + (y * up[:, 1:2])[:, :, None]
        + up[:, 2, None, None]
    ).astype(np.float32)
    return climb


def lift(pixel: Array, depth: float, K: Array) -> Array:
    """Point in the camera frame [m] of a pixel (2,) at a depth [m]."""
    u, v = float(pixel[0]), float(pixel[1])
    return np.array(
        [(u - K[0, 2]) / K[0, 0] * depth, (v - K[1, 2]) / K[1, 1] * depth, depth]
    )
