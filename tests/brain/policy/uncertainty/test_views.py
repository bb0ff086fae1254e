"""Broken pictures are known without any calibration: rows 2 and 3 of the matrix."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bidden.brain.policy.uncertainty.views import GRID, REPEATS, Views, glimpse

RNG = np.random.default_rng(0)
BROKEN = {
    "black": np.zeros((320, 320, 3)),
    "flooded with light": np.full((320, 320, 3), 255),
    "full of noise": RNG.integers(0, 256, (320, 320, 3)),
    "empty": np.full((320, 320, 3), 128),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_picture_is_a_fault_at_once(what: str, image_of: Any) -> None:
    views = Views()
    views.take(image_of(BROKEN[what]))
    fault = views.fault("head")
    assert fault is not None
    assert fault.what == what
    assert fault.score > fault.bound


def test_faint_noise_is_no_fault(image_of: Any) -> None:
    image = image_of()
    noisy = image.rgb + RNG.normal(0, 6, image.rgb.shape)
    views = Views()
    views.take(image_of(np.clip(noisy, 0, 255)))
    assert views.fault("head") is None


def test_a_picture_that_stands_still_is_frozen(image_of: Any) -> None:
    views, image = Views(), image_of()
    for stamp_ns in range(REPEATS):
        views.take(replace(image, stamp_ns=stamp_ns))
        assert views.fault("head") is None
    views.take(replace(image, stamp_ns=99))
    fault = views.fault("head")
    assert fault is not None
    assert fault.what == "frozen"
    views.take(image_of(stamp_ns=5))  # the noise of its depth is another
    assert views.fault("head") is None


def test_the_depth_alone_can_show_that_time_goes_on(image_of: Any) -> None:
    views = Views()
    for stamp_ns in range(5):
        views.take(image_of(stamp_ns=stamp_ns))  # colour never changes
    assert views.fault("head") is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"rgb": np.zeros((320, 320), np.uint8)},
        {"rgb": np.zeros((320, 320, 3), np.float32)},
        {"rgb": np.zeros((4, 4, 3), np.uint8), "depth": None},
        {"depth": np.zeros((5, 5), np.float32)},
    ],
)
def test_what_is_no_picture_is_a_fault(wrong: dict[str, Any], image_of: Any) -> None:
    views = Views()
    image = replace(image_of(), **wrong)
    assert views.take(image) is None
    fault = views.fault("head")
    assert fault is not None
    assert fault.what == "no image"


def test_a_glimpse_means_what_it_says(image_of: Any) -> None:
    rgb = np.zeros((320, 320, 3))
    rgb[:, 160:] = (10, 200, 30)
    image = image_of(rgb)
    depth = np.full((320, 320), 0.6, np.float32)
    depth[:80] = 0
    view = glimpse(replace(image, depth=depth))
    assert view is not None
    assert view.rgb.shape == (GRID, GRID, 3)
    assert view.rgb[3, 0].tolist() == [0, 0, 0]
    assert view.rgb[3, -1].tolist() == [10, 200, 30]
    assert (view.dark, view.bright) == (0.5, 0)
    assert view.holes == pytest.approx(0.25)
    assert view.near[-1, 0] == 128  # 0.3 m / 0.6 m
    assert view.near[0, 0] == 0
    assert view.edges == pytest.approx(200 / 319)


def test_depth_that_is_not_finite_is_a_hole(image_of: Any) -> None:
    depth = np.full((320, 320), np.nan, np.float32)
    view = glimpse(replace(image_of(), depth=depth))
    assert view is not None
    assert view.holes == 1
    assert not view.near.any()


def test_without_depth_all_is_hole(image_of: Any) -> None:
    view = glimpse(replace(image_of(), depth=None))
    assert view is not None
    assert view.holes == 1
