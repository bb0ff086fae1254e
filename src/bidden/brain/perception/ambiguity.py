"""Two things that fit the same words: worth a question, not a guess."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bidden.brain.fusion import Sighting
from bidden.core.messages import Array

APART_M = 0.05  # closer candidates are two peaks on one thing
LIKELY = 0.5  # probability from which a candidate counts as a match


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ambiguity:
    """Several places that all fit one phrase, best first."""

    role: str
    phrase: str
    places_B: Array  # (N, 3) [m], N >= 2
    scores: Array  # (N,)


def find_ambiguity(sighting: Sighting) -> Ambiguity | None:
    """The distinct places that fit as well as the best one; None if it stands alone."""
    order = np.argsort(-sighting.scores)
    places: list[Array] = []
    scores: list[float] = []
    for k in order:
        place, score = sighting.candidates_B[k], float(sighting.scores[k])
        if not score >= LIKELY:
            break
        if all(np.linalg.norm(place - other) > APART_M for other in places):
            places.append(place)
            scores.append(score)
    if len(places) < 2:
        return None
    g = sighting.grounding
    return Ambiguity(
        role=g.role, phrase=g.phrase, places_B=np.array(places), scores=np.array(scores)
    )
