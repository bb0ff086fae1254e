"""The networks of the instruction gate: token vectors and concepts to log-odds."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bidden.brain.language.encoder import WIDTH

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

    def forward(self, tokens: Tensor, mask: Tensor, concepts: Tensor) -> Tensor:
        """Tokens (B, T, 384), mask (B, T), concepts (B, F) to log-odds (B,)."""
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

    def forward(self, tokens: Tensor, mask: Tensor, concepts: Tensor) -> Tensor:
        """Tokens (B, T, 384), mask (B, T), concepts (B, F) to log-odds (B,)."""
        sentence = mean_of(tokens, mask)
        if self.training:
            sentence = _shaken(sentence)
            tokens = tokens + SHIFTED * torch.randn(len(tokens), 1, WIDTH)
        x = self.enter(tokens)
        off = 1e4 * (1.0 - mask.unsqueeze(-1))
        strongest = (x - off).max(dim=1)[0]
        chosen = torch.softmax(self.ask(x) - off, dim=1).transpose(1, 2) @ x
        pooled = torch.cat((strongest, chosen.flatten(1), 8.0 * sentence), -1)
        odds = self.leave(pooled) + self.straight(4.0 * sentence)
        return (odds + self.concepts(concepts)).squeeze(-1)


class GateScore(nn.Module):
    """Mean of several networks, turned round and shifted: below 0 is danger."""

    def __init__(self, members: list[MeanNet | TokenNet], shift: float) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.shift = shift

    def forward(self, tokens: Tensor, mask: Tensor, concepts: Tensor) -> Tensor:
        """Score (B,)."""
        odds = [member(tokens, mask, concepts) for member in self.members]
        return self.shift - torch.stack(odds).mean(0)
