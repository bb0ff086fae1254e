from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch
from torch import Tensor

from bidden.training.grounding.batches import BatchConfig, GroundingSet, Sampler
from bidden.training.grounding.losses import Grounding, losses, random_tint
from bidden.training.grounding.phrases import PhraseBank
from bidden.training.grounding.train import TrainConfig, load_averaged, new_run, train
from bidden.training.nets import sample_crops
from bidden.training.nets.crops import CROP_PX, MIN_HALF_PX, centre_depth
from bidden.training.nets.fusion import find_peaks, match, project

CAMERA = torch.tensor([[208.5, 208.5, 160.0, 160.0]])
UP = torch.tensor([[0.0, -0.766, -0.643]])
CENTRE = torch.tensor([[[160.0, 160.0]]])


def cut(rgb: Tensor, measured: Tensor, *, half: float = 0.09, centre: Tensor = CENTRE):  # type: ignore[no-untyped-def]
    return sample_crops(
        rgb, measured, centre=centre, half=torch.full(centre.shape[:2], half),
        fallback=torch.full(centre.shape[:2], 0.7), camera=CAMERA, up=UP,
    )  # fmt: skip


def test_depth_of_a_centre_is_the_median_of_what_is_measured() -> None:
    depth = torch.full((1, 1, 320, 320), 0.8)
    depth[..., 158:160, :] = 0.0
    found = centre_depth(depth, CENTRE, torch.tensor([[0.5]]))
    assert found.item() == pytest.approx(0.8)


def test_depth_over_a_hole_is_the_fallback() -> None:
    found = centre_depth(torch.zeros(1, 1, 320, 320), CENTRE, torch.tensor([[0.5]]))
    assert found.item() == pytest.approx(0.5)


@pytest.mark.parametrize("z", [0.4, 0.8, 2.0])
def test_a_crop_covers_one_metric_size(z: float) -> None:
    crops = cut(torch.zeros(1, 3, 320, 320), torch.full((1, 1, 320, 320), z))
    width = crops.points[0, 0].amax() - crops.points[0, 0].amin()
    assert crops.half.item() == pytest.approx(0.09, rel=1e-4)
    assert width.item() == pytest.approx(0.18 * 15 / 16, rel=1e-3)


def test_a_crop_never_gets_smaller_than_its_minimum() -> None:
    crops = cut(torch.zeros(1, 3, 320, 320), torch.full((1, 1, 320, 320), 5.0))
    assert crops.half.item() == pytest.approx(MIN_HALF_PX * 5.0 / 208.5)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_shape_does_not_know_which_colour_is_which(order: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    rgb, depth = torch.randn(1, 3, 320, 320), torch.rand(1, 1, 320, 320) * 0.1 + 0.7
    a, b = cut(rgb, depth), cut(rgb[:, list(order)], depth)
    assert torch.allclose(a.shape, b.shape, atol=1e-4)


def test_colour_does_not_know_where_pixels_are() -> None:
    torch.manual_seed(0)
    net = Grounding().eval().fusion.crops
    crops = cut(torch.zeros(1, 3, 320, 320), torch.full((1, 1, 320, 320), 0.7))
    crops.rgb = torch.randn(1, 3, CROP_PX, CROP_PX)
    torch.nn.init.zeros_(net.belongs.weight)  # every pixel counts the same
    wanted = torch.zeros(1, 14)
    colour = net(crops, wanted)[1]
    crops.rgb = crops.rgb.flip(2).flip(3)
    assert torch.allclose(net(crops, wanted)[1], colour, atol=1e-5)


def test_random_tint_keeps_brightness_an_average() -> None:
    tint = random_tint(3, 5)
    assert tint.shape == (3, 5, 2, 3)
    assert torch.allclose(tint[:, :, 0].sum(2), torch.ones(3, 5))


def test_peaks_come_with_their_offset_and_depth() -> None:
    maps = torch.full((1, 4, 40, 40), 0.0)
    maps[0, 0, 10, 20], maps[0, 0, 30, 5] = 9.0, 8.0
    maps[0, 0, 10, 21] = 8.9  # a slope, not a peak
    maps[0, 1, 10, 20], maps[0, 3, 10, 20] = 0.25, 0.0
    centre, log_p, depth = find_peaks(maps, torch.tensor([0.0]), 2)
    assert torch.allclose(centre[0], torch.tensor([[166.0, 84.0], [44.0, 244.0]]))
    assert bool(log_p[0, 0] > log_p[0, 1])
    assert depth[0, 0].item() == pytest.approx(1.0)


def test_any_is_satisfied_by_every_known_kind() -> None:
    seen = torch.log(torch.tensor([[[0.5, 0.4, 0.1]]]))
    assert match(seen, torch.tensor([[0.0, 0.0, 1.0]])).exp().item() == pytest.approx(
        0.9
    )
    assert match(seen, torch.tensor([[1.0, 0.0, 0.0]])).exp().item() == pytest.approx(
        0.5
    )
    free = match(seen, torch.tensor([[0.0, 0.0, 1.0]]), free=True)
    assert free.exp().item() == pytest.approx(1.0)


def test_projection_is_the_pinhole() -> None:
    pixel = project(torch.tensor([[0.1, -0.2, 0.5]]), CAMERA)
    assert torch.allclose(pixel, torch.tensor([[201.7, 76.6]]))


def test_answers_have_the_promised_shapes() -> None:
    torch.manual_seed(0)
    net = Grounding().eval()
    with torch.no_grad():
        features, tokens = net.vision(torch.randn(1, 5, 160, 160))
        native = torch.rand(1, 4, 320, 320)
        found = net.fusion(
            features,
            tokens,
            native,
            CAMERA,
            UP,
            torch.randn(3, 16, 384),
            torch.ones(3, 16),
        )
    shapes = [tuple(x.shape) for x in found]
    assert shapes == [(3, 3), (3,), (3,), (3, 2), (3, 4, 3), (3, 4), (3, 64)]
    assert all(bool(torch.isfinite(x).all()) for x in found)


def test_training_goes_on_where_it_was_killed(folder: Path, bank: PhraseBank) -> None:
    torch.set_num_threads(1)
    small = BatchConfig(images=1, extra=1, crops=4)
    sampler = Sampler(GroundingSet(folder), bank, config=small, seed=0)
    config = TrainConfig(steps=3)
    whole = new_run(config)
    list(train(whole, sampler, config=config, out=folder / "whole"))
    first = new_run(config)
    part = train(first, sampler, config=config, out=folder / "run", save_every_s=0)
    next(part)  # killed after its first save
    again = new_run(config)
    again.load(folder / "run" / "grounding.pt")
    assert again.step == 1
    sampler.draw()
    list(train(again, sampler, config=config, out=folder / "run"))
    for name, value in whole.net.state_dict().items():
        assert torch.equal(value, again.net.state_dict()[name]), name
    parts = losses(again.net, sampler.draw())
    assert all(bool(torch.isfinite(p)) for p in parts.values())
    assert isinstance(load_averaged(folder / "run" / "grounding.pt"), Grounding)
