"""Fits what a grounding network says to what turns out to be true.

On development pictures: how much kind, colour and heat each tell about whether a
candidate is the named thing (a logistic regression), and how large errors really are.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bidden.training.nets.fusion import project

from .batches import BatchConfig, GroundingSet, Sampler
from .losses import Grounding
from .phrases import PhraseBank, half_size

_STEPS = 300


@torch.no_grad()
def calibrate(
    net: Grounding, data: GroundingSet, bank: PhraseBank, *, batches: int = 40
) -> dict[str, float]:
    """Set `belief` and `spread_scale` of the fusion network; returns what was found."""
    config = BatchConfig(extra=0, crops=1, depth_dropout=0.0, shift_px=0)
    sampler = Sampler(data, bank, config=config, seed=11)
    fits, truth, ratios = [], [], []
    for _ in range(batches):
        b = sampler.draw()
        features, tokens = net.vision(b.image)
        for i in range(len(b.image)):
            q = torch.nonzero(b.owner == i)[:, 0]
            one = slice(i, i + 1)
            frame = (
                features[one],
                tokens[one],
                b.native[one],
                b.camera[one],
                b.up[one],
            )
            seen = net.fusion.examine(*frame, b.phrases[q], b.mask[q])
            right = _is_right(seen.points, b.target[q], b.camera[one], seen.half)
            fits.append(seen.fits.flatten(0, 1))
            truth.append(right.flatten())
            point, spread = net.fusion(*frame, b.phrases[q], b.mask[q])[:2]
            ratios += _ratios(
                point, spread, b.answer[q], b.camera[one], b.asked_kind[q]
            )
    belief = _fit(torch.cat(fits), torch.cat(truth))
    net.fusion.belief.copy_(belief)
    # median to root mean square of the length of a normal vector in space
    scale = float(np.median(ratios)) * 1.126 if ratios else 1.0
    net.fusion.spread_scale.mul_(scale)
    names = ("kind", "colour", "heat", "bias")
    found = {n: float(v) for n, v in zip(names, belief, strict=True)}
    return found | {"spread_scale": float(net.fusion.spread_scale)}


def _is_right(points: Tensor, target: Tensor, camera: Tensor, half: Tensor) -> Tensor:
    """Which candidates (Q, K) lie on one of the cells that were asked for."""
    side = int(np.sqrt(target.shape[1] - 1))
    cell = 320 / side
    found = torch.zeros(points.shape[:2])
    for i in range(len(points)):
        cells = torch.nonzero(target[i, :-1] > 0)[:, 0]
        if len(cells):
            place = torch.stack([cells % side, cells // side], 1) * cell + cell / 2
            pixel = project(points[i], camera)
            reach = torch.clamp(
                0.35 * camera[0, 0] * half[i] / points[i, :, 2].clamp(min=0.1), min=6.0
            )
            away = (pixel[:, None] - place[None]).norm(dim=2).amin(1)
            found[i] = (away < reach).float()
    return found


def _ratios(
    point: Tensor, spread: Tensor, answer: Tensor, camera: Tensor, kind: Tensor
) -> list[float]:
    """Error over claimed spread of the answers that found the right thing."""
    z = answer[:, 2:]
    truth = torch.cat([(answer[:, :2] - camera[:, 2:]) / camera[:, :2] * z, z], 1)
    error = (point - truth).norm(dim=1)
    return [
        float(e / s)
        for e, s, depth, k in zip(error, spread, z[:, 0], kind, strict=True)
        if depth > 0 and float(e) < 0.5 * half_size(int(k))
    ]


@torch.enable_grad()
def _fit(fits: Tensor, truth: Tensor) -> Tensor:
    """Weights (3) and bias of a logistic regression."""
    w = torch.tensor([1.0, 1.0, 0.5, 1.0], requires_grad=True)
    optimiser = torch.optim.Adam([w], lr=0.03)
    for _ in range(_STEPS):
        loss = functional.binary_cross_entropy_with_logits(
            (fits * w[:3]).sum(1) + w[3], truth
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return w.detach()
