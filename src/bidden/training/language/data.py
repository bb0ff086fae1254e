"""Labelled sentences from templates, and their MiniLM token vectors."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from bidden.brain.language.encoder import Encoder
from bidden.brain.language.heads import ENTITIES, INTENTS, LENGTH, RELATIONS

Part = Literal["train", "check"]
_ENTITY_OF: Final = {
    "object": "object",
    "receptacle": "receptacle",
    "landmark": "landmark",
    "amount": "amount",
    "angle": "amount",
}
_RELATION_OF: Final = {
    "in": "in", "into": "in", "inside": "in", "on": "on", "onto": "on",
    "on top of": "on", "to": "to", "towards": "to", "next to": "next_to",
    "near": "next_to", "beside": "next_to", "by": "next_to", "behind": "behind",
    "in front of": "in_front_of", "to the left of": "left_of",
    "to the right of": "right_of", "from": "from", "off": "from",
}  # fmt: skip


class Templates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`templates.toml`."""

    patterns: dict[str, tuple[str, ...]]
    verbs: dict[str, tuple[str, ...]]
    held_out: dict[str, tuple[str, ...]]
    wordings: dict[str, tuple[str, ...]]
    other: dict[str, tuple[str, ...]]
    fill: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One labelled text."""

    text: str
    intent: str
    relation: str
    spans: tuple[tuple[int, int, str], ...]  # first and last character, entity


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Corpus:
    """Token vectors and labels of many sentences."""

    tokens: NDArray[np.float16]  # (B, LENGTH, 384)
    mask: NDArray[np.float32]  # (B, LENGTH)
    intent: NDArray[np.int64]  # (B,) index into INTENTS
    relation: NDArray[np.int64]  # (B,) index into RELATIONS
    entity: NDArray[np.int64]  # (B, LENGTH) index into ENTITIES


def load_templates() -> Templates:
    """The shipped templates."""
    text = resources.files(__package__).joinpath("templates.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), Templates)


def sentences(
    templates: Templates, rng: np.random.Generator, *, part: Part, each: int
) -> Iterator[Sentence]:
    """About `each` different sentences for every intent.

    The `check` part uses only verbs that the `train` part never sees.
    """
    for intent in INTENTS:
        verbs = templates.verbs.get(intent, templates.other["junk"])
        if part == "check":
            verbs = templates.held_out.get(intent, ())
        patterns = templates.patterns.get(intent, ())
        wordings = templates.wordings.get(intent, ()) if part == "train" else ()
        seen: set[str] = set()
        for _ in range(3 * each):
            said = wordings if not patterns or rng.random() < 0.3 else patterns
            if part == "check" and said is wordings:
                said = patterns
            if not said or (said is patterns and not verbs):
                continue
            sentence = _fill(
                _one(said, rng), templates, rng, verbs=verbs, intent=intent
            )
            if sentence.text not in seen:
                seen.add(sentence.text)
                yield sentence
            if len(seen) >= each:
                break


def _one(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]


def _fill(
    template: str,
    templates: Templates,
    rng: np.random.Generator,
    *,
    verbs: Sequence[str],
    intent: str,
) -> Sentence:
    options: Mapping[str, Sequence[str]] = {
        **templates.fill,
        "verb": verbs,
        "junk": verbs,
        "task": templates.other["task"],
    }
    text, spans, relation = "", [], "none"
    for literal, slot in re.findall(r"([^{]*)(?:\{(\w+)\})?", template):
        text += literal
        if not slot:
            continue
        word = _one(options[slot], rng)
        if slot in ("object", "receptacle"):
            colour = _one(templates.fill["colour"], rng)
            word = f"{colour} {word}".strip()
        if slot in _ENTITY_OF:
            spans.append((len(text), len(text) + len(word), _ENTITY_OF[slot]))
        if slot in ("rel", "near"):
            relation = _RELATION_OF[word]
        text += word
    if relation == "none":
        relation = _relation_in(template)
    return Sentence(text=text, intent=intent, relation=relation, spans=tuple(spans))


def _relation_in(template: str) -> str:
    """The relation that a template spells out before a slot."""
    for word, relation in _RELATION_OF.items():
        if re.search(rf"\b{word} (?:the|me\b|\{{)", template):
            return relation
    return "none"


def encode(encoder: Encoder, said: Sequence[Sentence]) -> Corpus:
    """Run every sentence through MiniLM and lay its labels over the tokens."""
    tokens = np.zeros((len(said), LENGTH, 384), np.float16)
    mask = np.zeros((len(said), LENGTH), np.float32)
    entity = np.zeros((len(said), LENGTH), np.int64)
    for i, sentence in enumerate(said):
        tokens[i], mask[i] = encoder.encode(sentence.text, LENGTH)
        for j, (a, b) in enumerate(encoder.word_spans(sentence.text, LENGTH)):
            for start, end, name in sentence.spans:
                if b > a and start <= a and b <= end:
                    prefix = "B" if a == start else "I"
                    entity[i, j] = ENTITIES.index(f"{prefix}-{name}")
    return Corpus(
        tokens=tokens,
        mask=mask,
        intent=np.array([INTENTS.index(s.intent) for s in said]),
        relation=np.array([RELATIONS.index(s.relation) for s in said]),
        entity=entity,
    )
