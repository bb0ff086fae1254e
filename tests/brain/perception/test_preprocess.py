from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bidden.brain.perception.preprocess import (
    CHANNELS,
    HEIGHT_MEAN,
    HEIGHT_SCALE,
    SIZE_PX,
    find_fault,
    lift,
    prepare,
    prepare_batch,
)
from bidden.core.errors import ShapeError
from bidden.core.messages import Image

from .conftest import LOOKING_DOWN, K, floor_depth


def test_a_plane_has_one_height_everywhere(image: Image) -> None:
    frame = prepare(replace(image, depth=floor_depth(0.75)))
    height = frame.image[0, 4] * HEIGHT_SCALE + HEIGHT_MEAN
    measured = frame.image[0, 3] > 0
    assert measured.mean() > 0.8
    # the mean depth of four pixels is not the depth of their middle: 1 mm far away
    assert np.abs(height[measured] - 0.75).max() < 0.02
    assert np.median(np.abs(height[measured] - 0.75)) < 0.001


def test_holes_are_zero_in_every_depth_channel(image: Image) -> None:
    depth = np.zeros((320, 320), np.float32)
    frame = prepare(replace(image, depth=depth))
    assert not frame.image[0, 3:].any()
    assert not frame.native[0, 3].any()


def test_no_depth_is_all_holes(image: Image) -> None:
    frame = prepare(replace(image, depth=None))
    assert not frame.image[0, 3:].any()
    assert np.isfinite(frame.image).all()


def test_one_measured_pixel_of_four_is_enough(image: Image) -> None:
    depth = np.zeros((320, 320), np.float32)
    depth[100, 100] = 1.2
    frame = prepare(replace(image, depth=depth))
    assert frame.image[0, 3, 50, 50] == pytest.approx(0.6 / 1.2)
    assert np.count_nonzero(frame.image[0, 3]) == 1


def test_blocks_are_averaged(image: Image) -> None:
    rgb = np.zeros((320, 320, 3), np.uint8)
    rgb[0, 0] = 200
    frame = prepare(replace(image, rgb=rgb))
    corner = frame.image[0, :3, 0, 0] * 0.25 + 0.45
    assert corner == pytest.approx(50 / 255, abs=1e-5)


def test_a_batch_is_its_images_one_by_one(image: Image) -> None:
    other = np.random.default_rng(0).integers(0, 255, (320, 320, 3), dtype=np.uint8)
    assert image.depth is not None
    batch = prepare_batch(
        np.stack([image.rgb, other]),
        np.stack([image.depth, image.depth]),
        K=np.stack([K, K]),
        X_BC=np.stack([LOOKING_DOWN, LOOKING_DOWN]),
    )
    alone = prepare(replace(image, rgb=other))
    assert batch.image.shape == (2, CHANNELS, SIZE_PX, SIZE_PX)
    assert np.array_equal(batch.image[1:], alone.image)
    assert np.array_equal(batch.native[1:], alone.native)


def test_lift_undoes_projection() -> None:
    p = np.array([0.1, -0.2, 0.8])
    u, v, _ = K @ (p / p[2])
    assert np.allclose(lift(np.array([u, v]), 0.8, K), p)


def test_faults_are_named(image: Image) -> None:
    nan = np.full((320, 320), np.nan, np.float32)
    assert "not finite" in find_fault(replace(image, depth=nan))
    assert "not finite" in find_fault(replace(image, X_BC=np.full((4, 4), np.nan)))
    assert "expected (320, 320, 3)" in find_fault(
        replace(image, rgb=np.zeros((64, 64, 3), np.uint8))
    )
    assert "black" in find_fault(replace(image, rgb=np.zeros((320, 320, 3), np.uint8)))
    assert find_fault(image) == ""


def test_prepare_refuses_what_has_a_fault(image: Image) -> None:
    with pytest.raises(ShapeError, match="not finite"):
        prepare(replace(image, depth=np.full((320, 320), np.inf, np.float32)))
