"""Trained heads over MiniLM: intent, entities, spatial relation of a short text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from bidden.brain.models import Network, Precision, Session, weights_path
from bidden.core.clauses import Intent
from bidden.core.messages import Array

from .encoder import Encoder
from .parser import Reading

LENGTH: Final = 32  # tokens of a text; the rest is cut
INTENTS: Final[tuple[str, ...]] = (*(intent.value for intent in Intent), "other")
RELATIONS: Final[tuple[str, ...]] = (
    "none", "in", "on", "to", "next_to", "left_of", "right_of", "behind",
    "in_front_of", "from",
)  # fmt: skip
ENTITIES: Final[tuple[str, ...]] = (
    "O",
    *(
        f"{place}-{name}"
        for name in ("object", "receptacle", "landmark", "amount")
        for place in "BI"
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeadsOutput:
    """What the heads say about one text."""

    intent: Array  # probabilities over INTENTS, (10,)
    relation: Array  # probabilities over RELATIONS, (10,)
    entities: tuple[tuple[str, str], ...]  # (kind, words), in order
    embedding: Array  # pooled by attention, (D,) float32


class Heads:
    """Reads texts with the shipped network."""

    def __init__(self, network: Network, encoder: Encoder) -> None:
        self._network = network
        self._encoder = encoder

    @staticmethod
    def load(encoder: Encoder, precision: Precision = "int8") -> Heads:
        """The shipped heads.

        Raises:
            ModelError: the network and its contract do not match.
        """
        return Heads(Session.load(weights_path("language", precision)), encoder)

    def read(self, text: str) -> Reading:
        """The likeliest intent, for the parser."""
        intent = self.analyse(text).intent
        best = int(intent.argmax())
        return Reading(intent=INTENTS[best], probability=float(intent[best]))

    def analyse(self, text: str) -> HeadsOutput:
        """All heads' answers."""
        tokens, mask = self._encoder.encode(text, LENGTH)
        found = self._network.run({"tokens": tokens[None], "mask": mask[None]})
        labels = found["entities"][0].argmax(-1)
        return HeadsOutput(
            intent=_softmax(found["intent"][0]),
            relation=_softmax(found["relation"][0]),
            entities=self._entities(text, [ENTITIES[int(label)] for label in labels]),
            embedding=found["embedding"][0],
        )

    def _entities(self, text: str, labels: list[str]) -> tuple[tuple[str, str], ...]:
        """Words that belong together, from begin and inside labels."""
        spans: list[tuple[str, int, int]] = []
        for label, (a, b) in zip(
            labels, self._encoder.word_spans(text, LENGTH), strict=True
        ):
            if label == "O" or b <= a:
                continue
            place, kind = label.split("-", 1)
            if place == "I" and spans and spans[-1][0] == kind:
                spans[-1] = (kind, spans[-1][1], b)
            else:
                spans.append((kind, a, b))
        return tuple((kind, text[a:b]) for kind, a, b in spans)


def _softmax(logits: Array) -> Array:
    shifted = np.exp(logits - logits.max())
    return np.asarray(shifted / shifted.sum())
