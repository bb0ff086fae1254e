"""What grounding is trained to do, as one sum of losses over a batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from bidden.brain.perception.preprocess import NATIVE_PX, SIZE_PX, STRIDE
from bidden.training.nets import Fusion, FusionConfig, Vision, sample_crops

from .batches import Batch
from .phrases import ANY_KIND

CELL_PX = STRIDE * NATIVE_PX // SIZE_PX  # native pixels per heat-map cell


class Grounding(nn.Module):
    """Both networks of grounding, as training holds them."""

    def __init__(self, config: FusionConfig | None = None) -> None:
        super().__init__()
        self.vision = Vision()
        self.fusion = Fusion(config)


def losses(net: Grounding, batch: Batch) -> dict[str, Tensor]:
    """Every weighted part of the loss, by name."""
    found = _heat_losses(net, batch)
    found |= _phrase_losses(net.fusion, batch)
    found |= _crop_losses(net.fusion, batch)
    return found


def _heat_losses(net: Grounding, b: Batch) -> dict[str, Tensor]:
    features, tokens = net.vision(b.image)
    words, meaning, _, _, _ = net.fusion.phrase(b.phrases, b.mask)
    maps, absent = net.fusion.look(features, tokens, words, meaning, b.mask, b.owner)
    logits = torch.cat([maps[:, 0].flatten(1), absent[:, None]], 1)
    entropy = -(b.target * torch.log(b.target.clamp(min=1e-9))).sum(1).mean()
    heat = -(b.target * logits.log_softmax(1)).sum(1).mean() - entropy
    there = b.answer[:, 2] > 0
    cell = (b.answer[:, :2] / CELL_PX).floor()
    index = (cell[:, 1] * maps.shape[3] + cell[:, 0]).long()
    at = maps[:, 1:].flatten(2)[torch.arange(len(index)), :, index]
    shift = at[:, :2] - (b.answer[:, :2] / CELL_PX - cell - 0.5)
    depth = at[:, 2] - torch.log(b.answer[:, 2].clamp(min=0.1))
    return {
        "heat": heat,
        "shift": 0.7 * shift[there].abs().mean(),
        "depth": 0.4 * depth[there].abs().mean(),
    }


def _phrase_losses(fusion: Fusion, b: Batch) -> dict[str, Tensor]:
    """What words mean is learnt from words: also of pairs that no picture shows."""
    _, _, kind, colour, size = fusion.phrase(b.said, b.said_mask)
    return {
        "says_kind": 0.3 * functional.cross_entropy(kind, b.said_kind),
        "says_colour": 0.3 * functional.cross_entropy(colour, b.said_colour),
        "says_size": 0.3 * (size - torch.log(b.said_half)).abs().mean(),
    }


def random_tint(n: int, m: int) -> Tensor:
    """How colours turn into brightness and contrast, so that shape learns from neither.

    Without it the network learns that what is bright in a picture of many yellows is
    no cylinder, because no yellow cylinder is ever seen.
    """
    share = -torch.log(torch.rand(n, m, 1, 3).clamp(min=1e-4))  # flat Dirichlet
    gain = torch.rand(n, m, 1, 3) * 1.2 + 0.4
    return torch.cat([share / share.sum(3, keepdim=True), gain], 2)


def _crop_losses(fusion: Fusion, b: Batch) -> dict[str, Tensor]:
    crops = sample_crops(
        b.native[:, :3], b.native[:, 3:], centre=b.crop_centre, half=b.crop_half,
        fallback=b.crop_depth, camera=b.camera, up=b.up,
        tint=random_tint(*b.crop_half.shape),
    )  # fmt: skip
    kind, colour, point, log_spread, _ = fusion.crops(crops, b.crop_wanted)
    known = ~torch.isnan(b.crop_point[:, 0])
    error = (point[known] - b.crop_point[known]).norm(dim=1)
    relative = error / crops.half[known]
    b_known = log_spread[known].clamp(-7.0, 1.0)
    spread = error.detach() * torch.exp(-b_known) + b_known + 4.0
    coloured = (b.crop_kind >= 0) & (b.crop_kind < ANY_KIND)
    return {
        "kind": functional.nll_loss(kind, b.crop_kind, ignore_index=-100),
        "colour": 0.5 * functional.nll_loss(colour[coloured], b.crop_colour[coloured]),
        "point": 4.0
        * functional.smooth_l1_loss(relative, torch.zeros_like(relative), beta=0.03),
        "spread": 0.05 * spread.mean(),
    }


@torch.no_grad()
def figures(net: Grounding, batch: Batch) -> dict[str, float]:
    """A few readable numbers of one batch, for the log."""
    crops = sample_crops(
        batch.native[:, :3], batch.native[:, 3:], centre=batch.crop_centre,
        half=batch.crop_half, fallback=batch.crop_depth, camera=batch.camera,
        up=batch.up,
    )  # fmt: skip
    kind, colour, point, _, _ = net.fusion.crops(crops, batch.crop_wanted)
    sure = batch.crop_kind >= 0
    is_object = (batch.crop_kind >= 0) & (batch.crop_kind < 4)
    error = (point - batch.crop_point).norm(dim=1) * 1e3
    error = error[is_object & ~torch.isnan(error)]
    right = kind.argmax(1) == batch.crop_kind
    tint = colour.argmax(1) == batch.crop_colour
    return {
        "kind_right": float(right[sure].float().mean()),
        "shape_right": float(right[is_object].float().mean()),
        "colour_right": float(tint[is_object].float().mean()),
        "object_mm": float(error.median()) if len(error) else float("nan"),
    }
