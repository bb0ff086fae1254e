"""The surface under a thing, from depth alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bidden.brain.perception.support import support_height
from bidden.core.messages import Array, Image

from .conftest import LOOKING_DOWN, K, floor_depth


def table_with_box(image: Image, *, top: float, p_B: Array, half: float) -> Image:
    """A table without an end, and on it an upright box around a point."""
    depth = floor_depth(top)
    centre = np.arange(320) + 0.5
    rays = np.stack(np.meshgrid(centre, centre, indexing="xy"), axis=-1)
    d_C = np.concatenate([(rays - K[:2, 2]) / K[0, 0], np.ones((320, 320, 1))], axis=-1)
    d, eye = d_C @ LOOKING_DOWN[:3, :3].T, LOOKING_DOWN[:3, 3]
    low = np.array([p_B[0] - 0.022, p_B[1] - 0.022, top])
    high = np.array([p_B[0] + 0.022, p_B[1] + 0.022, top + 2 * half])
    with np.errstate(divide="ignore", invalid="ignore"):
        sides = np.sort(np.stack([(low - eye) / d, (high - eye) / d]), axis=0)
    near, far = sides[0].max(axis=-1), sides[1].min(axis=-1)
    hit = (near < far) & (near > 0)
    return replace(image, depth=np.where(hit, near, depth).astype(np.float32))


@pytest.mark.parametrize("top", [0.72, 0.78, 0.84])
@pytest.mark.parametrize("half", [0.02, 0.04, 0.07])
def test_the_table_under_a_thing(image: Image, top: float, half: float) -> None:
    p = np.array([0.45, -0.1, top + half])
    seen = table_with_box(image, top=top, p_B=p, half=half)
    noise = np.random.default_rng(1).normal(0, 0.002, (320, 320)).astype(np.float32)
    for depth in (seen.depth, seen.depth + noise):
        found = support_height(replace(seen, depth=depth), p)
        assert found == pytest.approx(top, abs=0.004)


def test_an_edge_beside_it_does_not_count(image: Image) -> None:
    p = np.array([0.42, 0.0, 0.80])
    on_table, floor = floor_depth(0.76), floor_depth(0.0)
    rows = np.arange(320)[:, None] > 190  # the table ends close behind the thing
    edge = np.where(rows, on_table, floor)
    found = support_height(replace(image, depth=edge), p)
    assert found is None or found == pytest.approx(0.76, abs=0.004)


@pytest.mark.parametrize(
    "point", [[0.45, -0.1, 1.1], [3.0, 0.0, 0.8], [np.nan, 0.0, 0.8]]
)
def test_nothing_is_made_up(image: Image, point: list[float]) -> None:
    seen = replace(image, depth=floor_depth(0.76))
    assert support_height(seen, np.array(point)) is None


def test_without_depth_nothing_is_known(image: Image) -> None:
    p = np.array([0.45, 0.0, 0.8])
    assert support_height(replace(image, depth=None), p) is None
    holes = np.zeros((320, 320), np.float32)
    assert support_height(replace(image, depth=holes), p) is None
