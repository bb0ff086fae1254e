"""Looking closely: native-resolution crops of one metric size, and what is in them.

A crop covers a square of fixed metric size at the depth of its centre, so that a
thing looks alike near and far. What a thing *is* and where its centre lies are read
from brightness, depth, height and "how far is this pixel's colour from the colour in
the middle": none of these tells a red ball from a blue one, so a shape that was
learnt in five colours is known in the sixth. Colour has a branch of its own, which
sees single pixels only: no shape can tell it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from .blocks import ConvNorm

CROP_PX = 32  # side of a crop after resampling
VOTE_PX = 16  # side of the grid of votes
MIN_HALF_PX = 7.0  # smallest half side of a crop in the native image
MAX_HALF_PX = 200.0
DEPTH_CLIP = 2.0  # relative depth and height saturate at this many half sides


@dataclass(slots=True)
class Crops:
    """N crops: pictures, geometry and what is needed to undo the scaling."""

    rgb: Tensor  # normalised colour, (N, 3, P, P)
    shape: Tensor  # colour-free input: brightness, contrast, depth, height, valid
    points: Tensor  # observed point of each vote cell, camera frame [m], (N, 3, V, V)
    half: Tensor  # half side [m], (N,)
    depth: Tensor  # depth of the centre [m], (N,)


def centre_depth(depth: Tensor, centre: Tensor, fallback: Tensor) -> Tensor:
    """Median depth of the 3x3 samples around each centre; `fallback` over a hole.

    Args:
        depth: measured [m], 0 is a hole, (B, 1, H, W).
        centre: pixels, (B, M, 2).
        fallback: depth [m] where nothing was measured, (B, M).
    """
    step = torch.tensor([-1.5, 0.0, 1.5], device=depth.device)
    offset = torch.stack(torch.meshgrid(step, step, indexing="xy"), -1).view(1, 1, 9, 2)
    place = centre[:, :, None] + offset
    z = _sample(depth, place, "nearest")[:, 0]  # (B, M, 9)
    seen = (z > 0.05).to(z.dtype)
    ordered = torch.sort(z + (1.0 - seen) * 1e3, dim=2).values
    n = seen.sum(2)
    index = torch.clamp(torch.floor((n - 1.0) / 2.0), min=0.0).long()
    median = torch.gather(ordered, 2, index[..., None])[..., 0]
    return torch.where(n > 0, median, fallback)


def sample_crops(
    rgb: Tensor,
    measured: Tensor,
    *,
    centre: Tensor,
    half: Tensor,
    fallback: Tensor,
    camera: Tensor,
    up: Tensor,
    tint: Tensor | None = None,
) -> Crops:
    """Cut M crops out of each of B images.

    Args:
        rgb: normalised colour of the native image, (B, 3, H, W).
        measured: its depth [m], 0 is a hole, (B, 1, H, W).
        centre: pixels, (B, M, 2).
        half: half side [m], (B, M).
        fallback: depth [m] to assume where none is measured, (B, M).
        camera: fx, fy, cx, cy [px] of the native image, (B, 4).
        up: direction against gravity in the camera frame, (B, 3).
        tint: while training, how much each colour counts for brightness and for
            contrast, drawn at random for each crop, (B, M, 2, 3).
    """
    depth = centre_depth(measured, centre, fallback)
    half_px = torch.clamp(
        camera[:, None, 0] * half / torch.clamp(depth, min=0.1),
        MIN_HALF_PX,
        MAX_HALF_PX,
    )
    half = half_px * depth / camera[:, None, 0]  # what the clamp made of it
    unit = (torch.arange(CROP_PX, device=rgb.device) + 0.5) * (2.0 / CROP_PX) - 1.0
    grid = torch.stack(torch.meshgrid(unit, unit, indexing="xy"), -1)
    place = centre[:, :, None] + half_px[..., None, None] * grid.view(1, 1, -1, 2)
    picture = _sample(rgb, place, "bilinear")
    z = _sample(measured, place, "nearest")  # (B, 1, M, P * P)
    return _describe(picture, z, place, half, depth, camera, up, tint)


def _describe(
    rgb: Tensor, z: Tensor, place: Tensor, half: Tensor, depth: Tensor,
    camera: Tensor, up: Tensor, tint: Tensor | None,
) -> Crops:  # fmt: skip
    batch, m = half.shape
    far = DEPTH_CLIP * half[:, None, :, None]
    relative = z - depth[:, None, :, None]
    valid = ((z > 0.05) & (relative.abs() < far)).to(rgb.dtype)
    flat = depth[:, None, :, None]
    known = torch.where(valid > 0, z, flat)
    x = (place[..., 0] - camera[:, 2, None, None]) / camera[:, 0, None, None]
    y = (place[..., 1] - camera[:, 3, None, None]) / camera[:, 1, None, None]
    points = torch.cat([x[:, None] * known, y[:, None] * known, known], 1)
    middle = points.unflatten(3, (CROP_PX, CROP_PX))[
        ..., CROP_PX // 2 : CROP_PX // 2 + 1, CROP_PX // 2 : CROP_PX // 2 + 1
    ].flatten(3)
    rise = ((points - middle) * up[:, :, None, None]).sum(1, keepdim=True)
    size = half[:, None, :, None]
    limit = DEPTH_CLIP
    sunk = torch.where(
        z > 0.05, torch.clamp(relative / size, -limit, limit), torch.zeros_like(z)
    )
    brightness = rgb.mean(1, keepdim=True)
    chroma = rgb - brightness
    if tint is not None:
        share, gain = tint.permute(2, 0, 3, 1)[..., None]  # (B, 3, M, 1) each
        brightness = (rgb * share).sum(1, keepdim=True)
        chroma = rgb * gain - (rgb * gain).mean(1, keepdim=True)
    core = chroma.unflatten(3, (CROP_PX, CROP_PX))[..., 13:19, 13:19].flatten(3)
    contrast = torch.sqrt(
        ((chroma - core.mean(3, keepdim=True)) ** 2).sum(1, keepdim=True) + 1e-4
    )
    shape = torch.cat(
        [
            brightness - brightness.mean(3, keepdim=True),
            contrast,
            sunk,
            torch.clamp(rise / size, -limit, limit) * valid,
            valid,
        ],
        1,
    )
    n = batch * m
    return Crops(
        rgb=_picture(rgb, n),
        shape=_picture(shape, n),
        points=_picture(points, n)[..., 1::2, 1::2],
        half=half.reshape(n),
        depth=depth.reshape(n),
    )


def _picture(x: Tensor, n: int) -> Tensor:
    channels = x.shape[1]
    return x.transpose(1, 2).reshape(n, channels, CROP_PX, CROP_PX)


def _sample(image: Tensor, place: Tensor, mode: str) -> Tensor:
    """Values (B, C, M, P) of image (B, C, H, W) at pixels (B, M, P, 2)."""
    size = torch.tensor([image.shape[3], image.shape[2]], device=image.device)
    grid = place * (2.0 / size) - 1.0
    return functional.grid_sample(
        image, grid, mode=mode, padding_mode="zeros", align_corners=False
    )


class CropNet(nn.Module):
    """What is in a crop, where its centre is, and how sure that is."""

    def __init__(self, *, n_kinds: int, n_colours: int, local: int = 64) -> None:
        super().__init__()
        self.scale = nn.Linear(2, 32)
        self.stem = ConvNorm(5, 32, size=5, stride=2)
        self.fine = ConvNorm(32, 48)
        self.deep = nn.Sequential(ConvNorm(48, 80, stride=2), ConvNorm(80, 80))
        self.squeeze = nn.Conv2d(80, 16, 1)
        self.body = nn.Sequential(nn.Linear(16 * 64 + 80 + 2, 128), nn.ReLU())
        self.kind = nn.Linear(128, n_kinds + 1)  # the last one is "nothing known"
        self.local = nn.Linear(128, local)
        # colour is read from single pixels, so that no shape can tell it
        self.paint = nn.Sequential(
            nn.Conv2d(3, 32, 1), nn.ReLU(), nn.Conv2d(32, 32, 1), nn.ReLU()
        )
        self.belongs = nn.Conv2d(48, 1, 1)
        self.colour = nn.Sequential(
            nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, n_colours + 1)
        )
        self.film = nn.Linear(n_kinds + 1 + 2, 2 * 48)
        self.rise = nn.Conv2d(80, 48, 1)
        self.vote = nn.Sequential(nn.Conv2d(48, 48, 1), nn.ReLU(), nn.Conv2d(48, 4, 1))
        self.spread = nn.Sequential(
            nn.Linear(128 + n_kinds + 3, 32), nn.ReLU(), nn.Linear(32, 1)
        )

    def forward(
        self, crops: Crops, wanted: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Read N crops, looking for a kind of thing.

        Args:
            crops: the crops.
            wanted: probability of each kind asked for, the last "any", (N, K+1).

        Returns:
            log-probabilities of kind (N, K+1) and colour (N, C+1), centre in the
            camera frame [m] (N, 3), log spread [m] (N,), local features (N, F).
        """
        at = torch.stack([torch.log(crops.depth), torch.log(crops.half) + 1.5], 1)
        x = self.stem(crops.shape) + self.scale(at)[..., None, None]
        fine = self.fine(functional.relu(x))
        deep = self.deep(fine)
        body = self.body(
            torch.cat([self.squeeze(deep).flatten(1), deep.mean((2, 3)), at], 1)
        )
        gain, bias = self.film(torch.cat([wanted, at], 1)).chunk(2, 1)
        y = fine + functional.interpolate(
            self.rise(deep), scale_factor=2.0, mode="nearest"
        )
        belongs = self.belongs(functional.relu(y)).flatten(2).softmax(2)
        paint = self.paint(functional.avg_pool2d(crops.rgb, 2)).flatten(2)
        colour = self.colour((paint * belongs).sum(2))
        y = functional.relu(y * (1.0 + gain[..., None, None]) + bias[..., None, None])
        vote = self.vote(y).flatten(2)
        weight = vote[:, :1].softmax(2)
        each = crops.points.flatten(2) + vote[:, 1:] * crops.half[:, None, None]
        centre = (each * weight).sum(2)
        log_spread = self.spread(torch.cat([body, wanted, at], 1))[:, 0] - 4.0
        return (
            self.kind(body).log_softmax(1),
            colour.log_softmax(1),
            centre,
            log_spread + torch.log(crops.half) + 2.0,
            self.local(body),
        )
