"""The action heads: a belief in, a chunk of twelve named numbers with spread out."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

# Largest useful value of each action number: the heads work in these units.
ACTION_SCALE = (0.5, 0.35, 0.8, 0.02, 0.02, 0.02, 0.12, 0.12, 0.12, 1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionConfig:
    """Sizes of the decoder."""

    features: int  # length of a belief's feature vector
    steps: int = 8  # actions in a chunk
    width: int = 320
    head: int = 128


class ActionDecoder(nn.Module):
    """Trunk over the belief, one small decoder per step, structured heads.

    Heads: navigation (3), manipulation (6), gripper (1), hand (1), done (1). Each
    number also has a spread, trained on the errors of its mean.
    """

    mean: Tensor
    std: Tensor
    scale: Tensor

    def __init__(self, config: ActionConfig) -> None:
        super().__init__()
        c = self.config = config
        self.register_buffer("mean", torch.zeros(c.features))
        self.register_buffer("std", torch.ones(c.features))
        self.register_buffer("scale", torch.tensor(ACTION_SCALE))
        self.trunk = nn.Sequential(
            nn.Linear(c.features, c.width), nn.ReLU(),
            nn.Linear(c.width, c.width), nn.ReLU(),
            nn.Linear(c.width, c.width), nn.ReLU(),
        )  # fmt: skip
        self.steps = nn.Parameter(0.1 * torch.randn(c.steps, c.head))
        self.decode = nn.Linear(c.width, c.head)
        self.mix = nn.Sequential(nn.ReLU(), nn.Linear(c.head, c.head), nn.ReLU())
        self.navigation = nn.Linear(c.head, 3)
        self.manipulation = nn.Linear(c.head, 6)
        self.choices = nn.Linear(c.head, 3)  # logits: grip, hand, done
        self.spread = nn.Linear(c.head, 12)

    def raw(self, belief: Tensor) -> tuple[Tensor, Tensor]:
        """Means in head units (choices as logits) and log spreads, (B, T, 12) each."""
        x = self.trunk((belief - self.mean) / self.std)
        h = self.mix(self.decode(x)[:, None] + self.steps)
        means = torch.cat(
            [self.navigation(h), self.manipulation(h), self.choices(h)], dim=-1
        )
        return means, self.spread(h.detach()).clamp(-6.0, 2.0)

    def forward(self, belief: Tensor) -> tuple[Tensor, Tensor]:
        """Actions in SI units (choices as probabilities) and spreads, (B, T, 12)."""
        means, log_spread = self.raw(belief)
        actions = torch.cat([means[..., :9], means[..., 9:].sigmoid()], dim=-1)
        return actions * self.scale, log_spread.exp() * self.scale


class FusionAndAction(nn.Module):
    """What `fusion.onnx` holds: where things are, and what to do about a belief.

    Both answers come from one run; the belief is made of points that were found
    before, so that eyes and hands need not wait for each other.
    """

    def __init__(self, fusion: nn.Module, action: ActionDecoder) -> None:
        super().__init__()
        self.fusion, self.action = fusion, action

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Inputs of fusion, then the belief; outputs of fusion, then the chunk."""
        *sight, belief = inputs
        return (*self.fusion(*sight), *self.action(belief))
