"""Building blocks: convolutions that fold for int8, and small attention."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class ConvNorm(nn.Module):
    """Convolution, batch norm and ReLU: folds into one int8 node at export."""

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        size: int = 3,
        stride: int = 1,
        relu: bool = True,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(n_in, n_out, size, stride, size // 2, bias=False)
        self.norm = nn.BatchNorm2d(n_out)
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        """(B, n_in, H, W) -> (B, n_out, H / stride, W / stride)."""
        x = self.norm(self.conv(x))
        return functional.relu(x) if self.relu else x


class Residual(nn.Module):
    """Two 3x3 convolutions around a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = ConvNorm(width, width)
        self.second = ConvNorm(width, width, relu=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, H, W) -> the same shape."""
        return functional.relu(x + self.second(self.first(x)))


class Attention(nn.Module):
    """Multi-head attention of `x` to `y`, written out so that it exports plainly."""

    def __init__(self, width: int, *, heads: int) -> None:
        super().__init__()
        self.heads, self.depth = heads, width // heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
        """From x (B, N, D) to y (B, M, D); mask (B, M) is 1 for real tokens."""
        q = self._split(self.query(x))
        key, value = self.key_value(y).chunk(2, -1)
        score = q @ self._split(key).transpose(2, 3) / math.sqrt(self.depth)
        if mask is not None:
            score = score + (mask[:, None, None] - 1.0) * 1e4
        mixed = score.softmax(-1) @ self._split(value)
        return self.out(mixed.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self.heads, self.depth)).transpose(1, 2)


class TokenBlock(nn.Module):
    """Pre-norm self-attention and a feed-forward layer."""

    def __init__(self, width: int, *, heads: int = 4) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads=heads)
        self.feed = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 2 * width),
            nn.ReLU(),
            nn.Linear(2 * width, width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, D) -> (B, N, D)."""
        y = self.norm(x)
        x = x + self.attention(y, y)
        return x + self.feed(x)


def grow(x: Tensor, factor: int) -> Tensor:
    """Bilinear upsampling by a whole factor."""
    return functional.interpolate(
        x, scale_factor=float(factor), mode="bilinear", align_corners=False
    )


def count_parameters(net: nn.Module) -> int:
    """Number of trainable numbers."""
    return sum(p.numel() for p in net.parameters())


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Mean over the tokens of x (B, N, D) where mask (B, N) is 1."""
    weight = mask[..., None]
    return (x * weight).sum(1) / torch.clamp(weight.sum(1), min=1.0)
