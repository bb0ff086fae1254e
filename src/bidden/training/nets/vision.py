"""Vision: one prepared image to a fine feature map and a coarse grid of tokens."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from bidden.brain.perception.preprocess import CHANNELS, SIZE_PX

from .blocks import ConvNorm, Residual, TokenBlock, grow


@dataclass(frozen=True, slots=True, kw_only=True)
class VisionConfig:
    """Widths of the compact backbone."""

    stem: int = 24  # channels at stride 2
    fine: int = 40  # channels at stride 4
    middle: int = 80  # channels at stride 8
    width: int = 128  # channels at stride 16 = width of a token
    features: int = 64  # channels of the fine map that fusion reads


class Vision(nn.Module):
    """A compact ReLU network without any language in it: every query shares it."""

    def __init__(self, config: VisionConfig | None = None) -> None:
        super().__init__()
        c = config or VisionConfig()
        self.config = c
        self.stem = ConvNorm(CHANNELS, c.stem, size=5, stride=2)
        self.fine = nn.Sequential(
            ConvNorm(c.stem, c.fine, stride=2), ConvNorm(c.fine, c.fine)
        )
        self.middle = nn.Sequential(
            ConvNorm(c.fine, c.middle, stride=2), Residual(c.middle)
        )
        self.coarse = nn.Sequential(
            ConvNorm(c.middle, c.width, stride=2), Residual(c.width)
        )
        self.position = nn.Parameter(
            torch.randn(1, (SIZE_PX // 16) ** 2, c.width) * 0.02
        )
        self.block = TokenBlock(c.width)
        join = 56
        self.from_coarse = nn.Conv2d(c.width, join, 1)
        self.from_middle = nn.Conv2d(c.middle, join, 1)
        self.from_fine = nn.Conv2d(c.fine, join, 1)
        self.join = ConvNorm(join, join)
        self.out = nn.Conv2d(join, c.features, 1)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Image (B, C, S, S) -> features (B, F, S/4, S/4), tokens (B, (S/16)^2, D)."""
        fine = self.fine(self.stem(image))
        middle = self.middle(fine)
        coarse = self.coarse(middle)
        tokens = self.block(coarse.flatten(2).transpose(1, 2) + self.position)
        side = SIZE_PX // 16
        seen = tokens.transpose(1, 2).unflatten(2, (side, side))
        x = functional.relu(self.from_middle(middle) + grow(self.from_coarse(seen), 2))
        x = functional.relu(self.from_fine(fine) + grow(x, 2))
        return self.out(self.join(x)), tokens
