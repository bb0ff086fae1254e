from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bidden.brain.models import Contract, FakeNetwork, TensorSpec
from bidden.brain.models.contract import SCHEMA
from bidden.brain.perception import VisionPipeline
from bidden.core.messages import Array, Image


def encode(phrase: str) -> tuple[Array, Array]:
    return np.zeros((16, 384), np.float32), np.ones(16, np.float32)


def spec(name: str, *shape: int | str) -> TensorSpec:
    return TensorSpec(name=name, shape=shape, dtype="float32", meaning="")


def contract(
    name: str, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]
) -> Contract:
    return Contract(
        schema=SCHEMA, name=name, version="0", sha256="", inputs=inputs, outputs=outputs
    )


@pytest.fixture
def fakes() -> tuple[FakeNetwork, FakeNetwork]:
    seen = (spec("features", 1, 64, 40, 40), spec("tokens", 1, 100, 128))
    vision = contract("vision", (spec("image", 1, 5, 160, 160),), seen)
    asked = (
        *seen, spec("native", 1, 4, 320, 320), spec("camera", 1, 4), spec("up", 1, 3),
        spec("phrases", "Q", 16, 384), spec("mask", "Q", 16), spec("belief", 1, 10),
    )  # fmt: skip
    answers = (
        spec("point", "Q", 3), spec("spread", "Q"), spec("confidence", "Q"),
        spec("pixel", "Q", 2), spec("candidates", "Q", 4, 3), spec("scores", "Q", 4),
        spec("local", "Q", 64), spec("actions", 1, 8, 12),
        spec("action_spread", 1, 8, 12),
    )  # fmt: skip
    fusion = contract("fusion", asked, answers)
    return FakeNetwork(vision, value=0.5), FakeNetwork(fusion, value=0.5)


def test_sightings_come_in_the_order_asked(
    image: Image, fakes: tuple[FakeNetwork, FakeNetwork]
) -> None:
    pipeline = VisionPipeline(*fakes, encode)
    look = pipeline.look(image, {"object": "red cube", "receptacle": "bowl"})
    assert [g.role for g in look.groundings] == ["object", "receptacle"]
    assert [g.phrase for g in look.groundings] == ["red cube", "bowl"]
    assert look.stamp_ns == image.stamp_ns
    assert look.reason == ""


def test_points_are_in_the_base_frame(
    image: Image, fakes: tuple[FakeNetwork, FakeNetwork]
) -> None:
    look = VisionPipeline(*fakes, encode).look(image, {"object": "red cube"})
    expected = image.X_BC[:3, :3] @ np.full(3, 0.5) + image.X_BC[:3, 3]
    assert np.allclose(look.groundings[0].p_B, expected)


def test_nothing_asked_is_nothing_found(
    image: Image, fakes: tuple[FakeNetwork, FakeNetwork]
) -> None:
    look = VisionPipeline(*fakes, encode).look(image, {})
    assert look.sightings == ()


def test_missing_camera_is_a_reason_not_an_exception(
    fakes: tuple[FakeNetwork, FakeNetwork],
) -> None:
    look = VisionPipeline(*fakes, encode).look(None, {"object": "red cube"})
    assert look.sightings == ()
    assert "no image" in look.reason


def test_nan_image_is_a_reason_not_an_exception(
    image: Image, fakes: tuple[FakeNetwork, FakeNetwork]
) -> None:
    broken = replace(image, depth=np.full((320, 320), np.nan, np.float32))
    look = VisionPipeline(*fakes, encode).look(broken, {"object": "red cube"})
    assert look.sightings == ()
    assert "not finite" in look.reason
    assert not fakes[0].calls
