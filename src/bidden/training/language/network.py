"""The heads as a torch module: one attention block over frozen token vectors."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bidden.brain.language.encoder import WIDTH
from bidden.brain.language.heads import ENTITIES, INTENTS, RELATIONS


class LanguageHeads(nn.Module):
    """Intent, entities and relation from MiniLM token vectors.

    Token vectors are mixed by one self-attention block; sentence heads read a masked
    mean and an attention-pooled vector, entity labels read each token.
    """

    def __init__(self, width: int = 128, dropout: float = 0.3) -> None:
        super().__init__()
        self.enter = nn.Sequential(
            nn.LayerNorm(WIDTH), nn.Dropout(dropout), nn.Linear(WIDTH, width)
        )
        self.attention = nn.MultiheadAttention(width, 4, dropout=0.1, batch_first=True)
        self.norm = nn.LayerNorm(width)
        self.ask = nn.Linear(width, 1)
        self.pooled = nn.Sequential(
            nn.Linear(2 * width, width), nn.GELU(), nn.Dropout(dropout)
        )
        self.intent = nn.Linear(width, len(INTENTS))
        self.relation = nn.Linear(width, len(RELATIONS))
        self.entities = nn.Linear(width, len(ENTITIES))

    def forward(
        self, tokens: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Tokens (B, T, 384), mask (B, T) to intent, relation, entities, embedding."""
        x = self.enter(tokens)
        mixed, _ = self.attention(
            x, x, x, key_padding_mask=mask < 0.5, need_weights=False
        )
        x = self.norm(x + mixed)
        weight = mask.unsqueeze(-1)  # (B, T, 1)
        mean = (x * weight).sum(1) / weight.sum(1)
        chosen = torch.softmax(self.ask(x) - 1e4 * (1 - weight), dim=1)
        pooled = self.pooled(torch.cat((mean, (x * chosen).sum(1)), -1))
        return self.intent(pooled), self.relation(pooled), self.entities(x), pooled
