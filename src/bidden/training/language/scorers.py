"""The networks of the instruction gate: token vectors and concepts to log-odds.

Each reads `tokens` (B, T, 384), what MiniLM says of every token, `deep` of the same
shape, what its fourth layer says, `mask` (B, T) and `concepts` (B, F), and gives the
log-odds of danger (B,).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from bidden.brain.language.encoder import LAYERS, WIDTH

HEADS = 12  # of MiniLM's attention
TUNED = 2  # of MiniLM's layers, the last ones

NOISE = 0.5  # length of what is added to a sentence's unit vector while training
SHIFTED = 0.2  # of the same added to all tokens of a sentence while training


def mean_of(tokens: Tensor, mask: Tensor) -> Tensor:
    """MiniLM's sentence vector: the mean of its tokens at unit length, (B, 384)."""
    mean = (tokens * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)
    return mean / mean.norm(dim=1, keepdim=True)


def _shaken(sentence: Tensor) -> Tensor:
    return sentence + NOISE / WIDTH**0.5 * torch.randn_like(sentence)


class MeanNet(nn.Module):
    """Log-odds of danger: linear in concepts, linear and curved in the sentence."""

    def __init__(self, features: int, hidden: int = 256) -> None:
        super().__init__()
        self.concepts = nn.Linear(features, 1)
        self.straight = nn.Linear(WIDTH, 1)
        self.curved = nn.Sequential(
            nn.Dropout(0.2), nn.Linear(WIDTH, hidden), nn.GELU(), nn.Dropout(0.4),
            nn.Linear(hidden, 1),
        )  # fmt: skip

    def forward(
        self, tokens: Tensor, deep: Tensor, mask: Tensor, concepts: Tensor
    ) -> Tensor:
        """Log-odds (B,)."""
        sentence = mean_of(tokens, mask)
        sentence = _shaken(sentence) if self.training else sentence
        odds = self.curved(8.0 * sentence) + self.straight(4.0 * sentence)
        return (odds + self.concepts(concepts)).squeeze(-1)


class TokenNet(nn.Module):
    """Log-odds of danger from single tokens: the strongest, the chosen, the mean."""

    def __init__(self, features: int, width: int = 192) -> None:
        super().__init__()
        self.concepts = nn.Linear(features, 1)
        self.straight = nn.Linear(WIDTH, 1)
        self.enter = nn.Sequential(
            nn.LayerNorm(WIDTH), nn.Dropout(0.3), nn.Linear(WIDTH, width), nn.GELU(),
            nn.Dropout(0.1),
        )  # fmt: skip
        self.ask = nn.Linear(width, 2)
        self.leave = nn.Sequential(
            nn.Linear(3 * width + WIDTH, width), nn.GELU(), nn.Dropout(0.4),
            nn.Linear(width, 1),
        )  # fmt: skip

    def forward(
        self, tokens: Tensor, deep: Tensor, mask: Tensor, concepts: Tensor
    ) -> Tensor:
        """Log-odds (B,)."""
        sentence = mean_of(tokens, mask)
        if self.training:
            sentence = _shaken(sentence)
            tokens = tokens + SHIFTED * torch.randn_like(tokens[:, :1])
        x = self.enter(tokens)
        off = 1e4 * (1.0 - mask.unsqueeze(-1))
        strongest = (x - off).max(dim=1)[0]
        chosen = torch.softmax(self.ask(x) - off, dim=1).transpose(1, 2) @ x
        pooled = torch.cat((strongest, chosen.flatten(1), 8.0 * sentence), -1)
        odds = self.leave(pooled) + self.straight(4.0 * sentence)
        return (odds + self.concepts(concepts)).squeeze(-1)


class Layer(nn.Module):
    """One of MiniLM's layers."""

    def __init__(self, weights: dict[str, Tensor], dropout: float = 0.1) -> None:
        super().__init__()
        wide = len(weights["intermediate.dense.bias"])
        self.query, self.key, self.value, self.mix = (
            nn.Linear(WIDTH, WIDTH) for _ in range(4)
        )
        self.widen, self.narrow = nn.Linear(WIDTH, wide), nn.Linear(wide, WIDTH)
        self.first, self.second = (nn.LayerNorm(WIDTH, eps=1e-12) for _ in range(2))
        self.drop = nn.Dropout(dropout)
        for name, module in (
            ("attention.self.query", self.query), ("attention.self.key", self.key),
            ("attention.self.value", self.value),
            ("attention.output.dense", self.mix),
            ("attention.output.LayerNorm", self.first),
            ("intermediate.dense", self.widen), ("output.dense", self.narrow),
            ("output.LayerNorm", self.second),
        ):  # fmt: skip
            module.weight.data.copy_(weights[f"{name}.weight"])
            module.bias.data.copy_(weights[f"{name}.bias"])

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Vectors (B, T, 384) and mask (B, T) to vectors."""

        def heads(y: Tensor) -> Tensor:
            return y.unflatten(2, (HEADS, WIDTH // HEADS)).transpose(1, 2)

        mixed = scaled_dot_product_attention(
            heads(self.query(x)), heads(self.key(x)), heads(self.value(x)),
            attn_mask=(-1e4 * (1.0 - mask))[:, None, None, :].to(x.dtype),
        )  # fmt: skip
        x = self.first(x + self.drop(self.mix(mixed.transpose(1, 2).flatten(2))))
        wide = nn.functional.gelu(self.widen(x))
        return self.second(x + self.drop(self.narrow(wide)))


class DeepNet(nn.Module):
    """Log-odds of danger from MiniLM's last layers, taught what is dangerous."""

    def __init__(self, features: int, minilm: Path, width: int = 192) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(w) for w in read_layers(minilm, TUNED))
        self.concepts = nn.Linear(features, 1)
        self.leave = nn.Sequential(
            nn.Dropout(0.3), nn.Linear(2 * WIDTH, width), nn.GELU(), nn.Dropout(0.3),
            nn.Linear(width, 1),
        )  # fmt: skip

    def forward(
        self, tokens: Tensor, deep: Tensor, mask: Tensor, concepts: Tensor
    ) -> Tensor:
        """Log-odds (B,)."""
        x = deep
        for layer in self.layers:
            x = layer(x, mask)
        said = mask.unsqueeze(-1)
        mean = (x * said).sum(1) / said.sum(1)
        strongest = (x - 1e4 * (1.0 - said)).max(dim=1)[0]
        odds = self.leave(torch.cat((mean, strongest), -1))
        return (odds + self.concepts(concepts)).squeeze(-1)


def read_layers(minilm: Path, count: int) -> Iterator[dict[str, Tensor]]:
    """Weights of MiniLM's last layers, by the names that its makers gave them.

    The file keeps matrices as whole numbers with a scale each, and without names; what
    is added to their product has one.
    """
    graph = onnx.load(minilm).graph
    stored = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    made_by = {output: node for node in graph.node for output in node.output}

    def value(name: str) -> np.ndarray:
        if name in stored:
            return stored[name].astype(np.float32)
        node = made_by[name]
        found = value(node.input[0])
        return found * value(node.input[1]) if node.op_type == "Mul" else found

    found = {name: each for name, each in stored.items() if each.dtype == np.float32}
    for node in graph.node:
        bias = [name for name in node.input if name.endswith(".bias")]
        product = [made_by[name] for name in node.input if name in made_by]
        if node.op_type == "Add" and bias and product[0].op_type == "MatMul":
            weight = value(product[0].input[1])  # (in, out)
            found[bias[0].removesuffix("bias") + "weight"] = weight.T
    for layer in range(LAYERS - count, LAYERS):
        prefix = f"inner.encoder.layer.{layer}."
        yield {
            name.removeprefix(prefix): torch.from_numpy(each.copy())
            for name, each in found.items()
            if name.startswith(prefix)
        }


class GateScore(nn.Module):
    """Mean of several networks, turned round and shifted: below 0 is danger."""

    def __init__(
        self, members: list[nn.Module], shares: list[float], shift: float
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.shares = shares  # of each in the mean
        self.shift = shift

    def forward(
        self, tokens: Tensor, deep: Tensor, mask: Tensor, concepts: Tensor
    ) -> Tensor:
        """Score (B,)."""
        odds = [
            share * member(tokens, deep, mask, concepts)
            for member, share in zip(self.members, self.shares, strict=True)
        ]
        return self.shift - torch.stack(odds).sum(0)
