"""Phrases to points: one run of the fusion network, read into the base frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bidden.brain.models import Network
from bidden.core.messages import Array, Grounding


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """One image as the vision network left it, with its geometry."""

    stamp_ns: int
    features: Array  # (1, F, 40, 40) float32
    tokens: Array  # (1, 100, D) float32
    native: Array  # normalised colour and depth, (1, 4, 320, 320) float32
    camera: Array  # fx, fy, cx, cy [px], (1, 4) float32
    up: Array  # direction against gravity in the camera frame, (1, 3) float32
    X_BC: Array  # camera pose in the base frame, (4, 4)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ask:
    """One named thing to look for."""

    role: str  # "object", "receptacle" or "landmark"
    phrase: str
    tokens: Array  # MiniLM token vectors, (16, 384) float32
    mask: Array  # 1 for tokens, (16,) float32


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sighting:
    """The best answer to one phrase, and what else was considered."""

    grounding: Grounding
    candidates_B: Array  # every place that got a close look [m], (K, 3)
    scores: Array  # probability that each is what was named, (K,)
    local: Array  # features of the best close look, for the action heads, (F,)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """All that one run of the fusion network says."""

    sightings: tuple[Sighting, ...]  # one for each ask, in order
    actions: Array  # chunk for the belief that was given, (T, 12) float32
    spread: Array  # one standard deviation of each number, (T, 12) float32


def ground(
    network: Network, seen: Seen, asks: tuple[Ask, ...], *, belief: Array
) -> Answer:
    """Find every asked thing in one image (at least one), and act on a belief."""
    found = network.run(
        {
            "belief": belief[None],
            "features": seen.features,
            "tokens": seen.tokens,
            "native": seen.native,
            "camera": seen.camera,
            "up": seen.up,
            "phrases": np.stack([ask.tokens for ask in asks]),
            "mask": np.stack([ask.mask for ask in asks]),
        }
    )
    return Answer(
        sightings=tuple(_read(found, i, ask, seen) for i, ask in enumerate(asks)),
        actions=found["actions"][0],
        spread=found["action_spread"][0],
    )


def _read(found: dict[str, Array], i: int, ask: Ask, seen: Seen) -> Sighting:
    R, p = seen.X_BC[:3, :3], seen.X_BC[:3, 3]
    u, v = found["pixel"][i]
    return Sighting(
        grounding=Grounding(
            role=ask.role,
            phrase=ask.phrase,
            p_B=R @ found["point"][i].astype(np.float64) + p,
            spread_m=float(found["spread"][i]),
            confidence=float(found["confidence"][i]),
            stamp_ns=seen.stamp_ns,
            pixel=(float(u), float(v)),
        ),
        candidates_B=found["candidates"][i].astype(np.float64) @ R.T + p,
        scores=found["scores"][i].astype(np.float64),
        local=found["local"][i],
    )
