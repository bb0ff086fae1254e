"""Fusion: words and picture attend to each other; out comes where each phrase points.

Heat map per phrase -> peaks -> a close look at each peak -> the best match, measured
once more from its own centre. Everything is in the graph, so that one run of
`fusion.onnx` answers all phrases of a goal.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from bidden.brain.perception.preprocess import NATIVE_PX, SIZE_PX, STRIDE

from .blocks import Attention, grow, masked_mean
from .crops import CropNet, sample_crops

FLOOR = 1e-4  # smallest probability in a product of probabilities


@dataclass(frozen=True, slots=True, kw_only=True)
class FusionConfig:
    """Sizes, and the vocabulary of attributes that a close look tells apart."""

    words: int = 384  # width of a word token
    width: int = 128  # width of a vision token
    features: int = 64  # channels of the fine map
    n_kinds: int = 13
    n_colours: int = 6
    n_peaks: int = 4  # peaks of a heat map that get a close look
    local: int = 64  # local features handed to the action heads


class Phrase(nn.Module):
    """A noun phrase: its meaning as a vector, and the attributes that it names."""

    def __init__(self, config: FusionConfig) -> None:
        super().__init__()
        w = config.width
        self.words = nn.Sequential(nn.Linear(config.words, w), nn.LayerNorm(w))
        self.weigh = nn.Linear(w, 1)
        self.meaning = nn.Sequential(nn.Linear(w, w), nn.ReLU(), nn.Linear(w, w))
        self.kind = nn.Linear(w, config.n_kinds + 1)  # the last one is "any"
        self.colour = nn.Linear(w, config.n_colours + 1)
        self.size = nn.Linear(w, 1)

    def forward(
        self, phrases: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Phrases (Q, L, W), mask (Q, L) -> tokens, meaning, kind, colour, log half."""
        tokens = self.words(phrases)
        weight = (self.weigh(tokens)[..., 0] + (mask - 1.0) * 1e4).softmax(1)
        meaning = self.meaning((tokens * weight[..., None]).sum(1))
        y = functional.relu(meaning)
        size = self.size(y)[:, 0] - 1.7
        return tokens, meaning, self.kind(y), self.colour(y), size


@dataclass(slots=True)
class Examined:
    """What a close look at K peaks of each of Q heat maps found."""

    points: Tensor  # centre of what is there, camera frame [m], (Q, K, 3)
    fits: Tensor  # log probability by kind, by colour, by heat, (Q, K, 3)
    wanted: Tensor  # probability of each kind that is asked for, (Q, kinds + 1)
    half: Tensor  # half side of the close look [m], (Q,)


class Fusion(nn.Module):
    """Where each phrase points, from `Vision` and the native image."""

    def __init__(self, config: FusionConfig | None = None) -> None:
        super().__init__()
        c = config or FusionConfig()
        self.config = c
        self.phrase = Phrase(c)
        self.to_words = Attention(c.width, heads=4)
        self.to_vision = Attention(c.width, heads=4)
        self.word_norm = nn.LayerNorm(c.width)
        self.vision_norm = nn.LayerNorm(c.width)
        self.film = nn.Linear(c.width, 2 * c.features)
        self.context = nn.Linear(c.width, c.features)
        self.heat = nn.Sequential(
            nn.Conv2d(c.features, 48, 1), nn.ReLU(), nn.Conv2d(48, 4, 1)
        )
        self.absent = nn.Sequential(nn.Linear(c.width, 64), nn.ReLU(), nn.Linear(64, 1))
        self.crops = CropNet(n_kinds=c.n_kinds, n_colours=c.n_colours, local=c.local)
        # weights of kind, colour and heat, bias; fitted after training
        self.register_buffer("belief", torch.tensor([1.0, 1.0, 0.5, 0.0]))
        self.register_buffer("spread_scale", torch.tensor(1.0))

    def look(
        self, features: Tensor, tokens: Tensor, words: Tensor, meaning: Tensor,
        mask: Tensor, owner: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """Heat maps of Q phrases, each over its own image, or all over the one image.

        Args:
            features: fine maps, (B, F, S, S).
            tokens: coarse grids, (B, N, D).
            words: tokens of the phrases, (Q, L, D).
            meaning: of the phrases, (Q, D).
            mask: 1 for words, (Q, L).
            owner: image of each phrase, (Q,); None if there is one image for all.

        Returns:
            maps (Q, 4, S, S): heat, offset x and y [cells], log depth; and
            the logit of "absent" (Q,).
        """
        seen = tokens if owner is None else tokens[owner]
        fine = features if owner is None else features[owner]
        read = words + self.to_vision(words, seen)
        asked = self.word_norm(meaning + masked_mean(read, mask))
        told = self.vision_norm(seen + self.to_words(seen, words, mask))
        side = SIZE_PX // 16
        context = self.context(told).transpose(1, 2).unflatten(2, (side, side))
        gain, bias = self.film(asked).chunk(2, 1)
        x = fine * (1.0 + gain[..., None, None]) + bias[..., None, None]
        x = functional.relu(x + grow(context, 4))
        return self.heat(x), self.absent(asked)[:, 0]

    def examine(
        self, features: Tensor, tokens: Tensor, native: Tensor, camera: Tensor,
        up: Tensor, phrases: Tensor, mask: Tensor,
    ) -> Examined:  # fmt: skip
        """Look closely at the peaks of Q phrases' heat maps in one image (B = 1)."""
        n, k = phrases.shape[0], self.config.n_peaks
        words, meaning, kind, colour, size = self.phrase(phrases, mask)
        maps, absent = self.look(features, tokens, words, meaning, mask)
        centre, heat, depth = find_peaks(maps, absent, k)
        wanted, tint, half = kind.softmax(1), colour.softmax(1), torch.exp(size)
        crops = sample_crops(
            native[:, :3], native[:, 3:], centre=centre.reshape(1, -1, 2),
            half=half[:, None].expand(-1, k).reshape(1, -1),
            fallback=depth.reshape(1, -1), camera=camera, up=up,
        )  # fmt: skip
        wanted_each = wanted[:, None].expand(-1, k, -1).flatten(0, 1)
        is_kind, is_colour, points, _, _ = self.crops(crops, wanted_each)
        fits = torch.stack(
            [
                match(is_kind.view(n, k, -1), wanted),
                match(is_colour.view(n, k, -1), tint, free=True),
                heat,
            ],
            2,
        )
        return Examined(
            points=points.view(n, k, 3), fits=fits, wanted=wanted, half=half
        )

    def forward(
        self, features: Tensor, tokens: Tensor, native: Tensor, camera: Tensor,
        up: Tensor, phrases: Tensor, mask: Tensor,
    ) -> tuple[Tensor, ...]:  # fmt: skip
        """Ground Q phrases in one image (B = 1).

        Returns:
            point (Q, 3) camera frame [m], spread (Q,) [m], confidence (Q,),
            pixel (Q, 2), candidates (Q, K, 3) [m], scores (Q, K) probability of a
            match, local (Q, F).
        """
        seen = self.examine(features, tokens, native, camera, up, phrases, mask)
        logit = (seen.fits * self.belief[:3]).sum(2) + self.belief[3]
        best = logit.argmax(1)
        pick = best[:, None, None].expand(-1, 1, 3)
        first = torch.gather(seen.points, 1, pick)[:, 0]
        again = sample_crops(
            native[:, :3], native[:, 3:], centre=project(first, camera)[None],
            half=seen.half[None],
            fallback=first[None, :, 2], camera=camera, up=up,
        )  # fmt: skip
        _, _, point, log_spread, local = self.crops(again, seen.wanted)
        spread = torch.exp(log_spread) * self.spread_scale
        scores = torch.sigmoid(logit)
        return (
            point, spread, scores.amax(1), project(point, camera),
            seen.points, scores, local,
        )  # fmt: skip


def find_peaks(maps: Tensor, absent: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor]:
    """The k highest local maxima of each heat map.

    Returns:
        centre (Q, k, 2) native pixels, log probability (Q, k), depth (Q, k) [m].
    """
    heat = maps[:, 0]
    q, side = heat.shape[0], heat.shape[2]
    total = torch.logsumexp(torch.cat([heat.flatten(1), absent[:, None]], 1), 1)
    top = functional.max_pool2d(heat[:, None], 3, 1, 1)[:, 0]
    peaks = torch.where(heat >= top, heat, torch.full_like(heat, -30.0)).flatten(1)
    value, index = peaks.topk(k, dim=1)
    pick = index[:, None].expand(-1, 3, -1)
    shift = torch.gather(maps[:, 1:].reshape(q, 3, -1), 2, pick)
    row = torch.div(index, side, rounding_mode="floor")
    cell = torch.stack([index - row * side, row], 2).to(maps.dtype) + 0.5
    scale = float(STRIDE * NATIVE_PX // SIZE_PX)
    centre = (cell + shift[:, :2].transpose(1, 2)) * scale
    log_p = torch.clamp(value - total[:, None], min=-12.0)
    return centre, log_p, torch.exp(torch.clamp(shift[:, 2], -2.0, 2.5))


def match(seen: Tensor, wanted: Tensor, *, free: bool = False) -> Tensor:
    """Log probability that what is seen (Q, K, N) is what is wanted (Q, N).

    The last entry of `seen` is "nothing known"; the last of `wanted` is "any", which a
    known kind satisfies, and any colour at all if `free`.
    """
    p = torch.exp(seen)
    named = (p[..., :-1] * wanted[:, None, :-1]).sum(2)
    rest = torch.ones_like(p[..., -1]) if free else 1.0 - p[..., -1]
    return torch.log(torch.clamp(named + wanted[:, None, -1] * rest, min=FLOOR))


def project(point: Tensor, camera: Tensor) -> Tensor:
    """Pixels (Q, 2) of points (Q, 3) in the camera frame; camera (1, 4)."""
    z = torch.clamp(point[:, 2:], min=0.05)
    return point[:, :2] / z * camera[:, :2] + camera[:, 2:]
