"""Noun phrases for everything a scene may hold, with what they mean, as vectors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bidden.adapters.sim.scene.catalog import (
    COLOURS,
    HELD_OUT_PAIRS,
    LANDMARKS,
    RECEPTACLES,
    SHAPES,
)
from bidden.brain.language.encoder import PHRASE_TOKENS, WIDTH, Encoder

KINDS: tuple[str, ...] = (*SHAPES, *RECEPTACLES, *LANDMARKS, "table")
COLOUR_NAMES: tuple[str, ...] = tuple(COLOURS)
ANY_KIND, NO_COLOUR = len(KINDS), len(COLOUR_NAMES)
N_OBJECTS, N_COLOURED = len(SHAPES), len(SHAPES) + len(RECEPTACLES)
HALF_OBJECT, HALF_RECEPTACLE, HALF_LANDMARK = 0.09, 0.18, 0.6  # [m] of a close look

_KIND_WORDS: dict[str, tuple[str, ...]] = {
    "cube": ("cube", "block", "small cube", "dice"),
    "ball": ("ball", "sphere", "round ball", "orb"),
    "cylinder": ("cylinder", "can", "tube", "tin"),
    "box": ("box", "tall box", "carton", "package"),
    "bowl": ("bowl", "dish", "basin"),
    "tray": ("tray", "platter", "plate"),
    "bin": ("bin", "basket", "trash can", "bucket", "waste bin"),
    "door": ("door", "doorway", "exit", "entrance"),
    "chair": ("chair", "seat", "stool"),
    "shelf": ("shelf", "bookshelf", "bookcase", "shelves"),
    "plant": ("plant", "potted plant", "house plant", "flower"),
    "person": ("person", "human", "man", "woman", "somebody", "guest", "me"),
    "table": ("table", "desk", "low table", "high table", "workbench"),
}
_ANY_WORDS = ("thing", "object", "item", "toy")
_COLOUR_WORDS: dict[str, tuple[str, ...]] = {
    "red": ("red", "crimson", "scarlet"),
    "blue": ("blue", "navy", "azure"),
    "green": ("green", "emerald", "lime"),
    "yellow": ("yellow", "lemon", "golden"),
    "purple": ("purple", "violet", "lilac"),
    "orange": ("orange", "amber", "tangerine"),
}
_PLAIN = ("{k}", "the {k}", "a {k}", "that {k}")
_COLOURED = (
    "{c} {k}", "the {c} {k}", "a {c} {k}", "{k} that is {c}", "{c} coloured {k}",
    "the small {c} {k}",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One phrase and what it names."""

    text: str
    kind: int  # index into KINDS, ANY_KIND
    colour: int  # index into COLOUR_NAMES, NO_COLOUR if it names none
    plain: bool  # the shortest wording, "red cube"


def colour_number(name: str) -> int:
    """Index of a colour; NO_COLOUR for ""."""
    return COLOUR_NAMES.index(name) if name else NO_COLOUR


def half_size(kind: int) -> float:
    """Half side [m] of the close look that a kind of thing gets."""
    if kind < N_OBJECTS or kind == ANY_KIND:
        return HALF_OBJECT
    return HALF_RECEPTACLE if kind < N_COLOURED else HALF_LANDMARK


def wordings() -> list[Wording]:
    """Every phrase of the training vocabulary."""
    found: list[Wording] = []
    for kind, name in enumerate((*KINDS, "")):
        words = _KIND_WORDS[name] if name else _ANY_WORDS
        for word in words:
            found += [
                Wording(text=p.format(k=word), kind=kind, colour=NO_COLOUR,
                        plain=word == words[0] and p == "{k}")
                for p in _PLAIN
            ]  # fmt: skip
            if kind < N_COLOURED or kind == ANY_KIND:
                found += _with_colours(word, kind, plain=word == words[0])
    return found


def _with_colours(word: str, kind: int, *, plain: bool) -> list[Wording]:
    return [
        Wording(text=p.format(c=c, k=word), kind=kind, colour=colour,
                plain=plain and c == name and p == "{c} {k}")
        for colour, name in enumerate(COLOUR_NAMES)
        for c in _COLOUR_WORDS[name]
        for p in _COLOURED
    ]  # fmt: skip


def is_held_out(kind: int, colour: int) -> bool:
    """Whether no training scene holds this pair; never asked for as "absent" either."""
    if not (kind < N_OBJECTS and colour < NO_COLOUR):
        return False
    return (COLOUR_NAMES[colour], KINDS[kind]) in HELD_OUT_PAIRS


class PhraseBank:
    """All wordings as MiniLM token vectors, computed once and kept in a file."""

    def __init__(self, cache: Path) -> None:
        self.wordings = wordings()
        self.tokens, self.mask = _load_or_encode(cache, [w.text for w in self.wordings])
        self.kind = np.array([w.kind for w in self.wordings])
        self.colour = np.array([w.colour for w in self.wordings])
        self._by_meaning: dict[tuple[int, int], tuple[list[int], list[int]]] = {}
        for i, w in enumerate(self.wordings):
            plain, rest = self._by_meaning.setdefault((w.kind, w.colour), ([], []))
            (plain if w.plain else rest).append(i)

    def draw(self, kind: int, colour: int, r: np.random.Generator) -> int:
        """Number of a wording that means this; 55 % of the time the plain one."""
        plain, rest = self._by_meaning[kind, colour]
        pool = plain if r.random() < 0.55 else rest
        return pool[int(r.integers(len(pool)))]


def _load_or_encode(
    cache: Path, texts: list[str]
) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
    if cache.exists():
        with np.load(cache) as file:
            if list(file["texts"]) == texts:
                return file["tokens"], file["mask"]
    encoder = Encoder.load()
    tokens = np.zeros((len(texts), PHRASE_TOKENS, WIDTH), np.float16)
    mask = np.zeros((len(texts), PHRASE_TOKENS), np.float32)
    for i, text in enumerate(texts):
        tokens[i], mask[i] = encoder.encode(text)
    cache.parent.mkdir(parents=True, exist_ok=True)
    part = cache.with_suffix(".part.npz")
    np.savez(part, texts=np.array(texts), tokens=tokens, mask=mask)
    part.replace(cache)
    return tokens, mask
