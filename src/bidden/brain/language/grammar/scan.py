"""One pass over the tokens: what kind of thing stands where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from bidden.brain.language.words.amounts import Amount, read_amount
from bidden.brain.language.words.lexicon import (
    COLOUR_WORDS,
    DIRECTIONS,
    FILLERS,
    NOUNS,
    RELATIONS,
    UNSUPPORTED,
    VERBS,
)
from bidden.brain.language.words.nouns import read_thing
from bidden.core.clauses import Thing
from bidden.core.messages import LEFT, RIGHT

ItemKind = Literal[
    "verb", "unsupported", "thing", "relation", "direction", "amount", "hand", "not",
    "word", "end", "then", "and", "or", "comma", "conjunction", "marker",
]  # fmt: skip
_SEPARATORS: Final[dict[str, ItemKind]] = {
    **dict.fromkeys((".", ";", "!", "?"), "end"),
    ",": "comma",
    ":": "comma",
    "then": "then",
    "and": "and",
    "&": "and",
    "but": "and",
    "or": "or",
    **dict.fromkeys(
        "before after when while until unless if once because".split(),  # noqa: SIM905
        "conjunction",
    ),
}  # fmt: skip
_HANDS: Final = {"LEFTHAND": LEFT, "RIGHTHAND": RIGHT}
_NEGATIONS: Final = frozenset({"not", "never", "without", "except"})
_LONGEST_RELATION: Final = max(len(relation.split()) for relation in RELATIONS)


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of a sentence."""

    kind: ItemKind
    word: str  # canonical: verb kind, relation, direction, separator
    start: int  # token range
    end: int
    thing: Thing | None = None
    amount: Amount | None = None
    hand: int = RIGHT


def scan(tokens: Sequence[str]) -> list[Item]:
    """Items of a sentence in order; what has no meaning is left out."""
    items: list[Item] = []
    i = 0
    while i < len(tokens):
        item = _read(tokens, i, items)
        if item is None:
            i += 1
        else:
            items.append(item)
            i = item.end
    return items


def verb_stem(word: str) -> str:
    """The form under which the lexicon knows a verb, or the word itself."""
    for stem in _stems(word):
        if stem in VERBS or stem in UNSUPPORTED:
            return stem
    return word


def _stems(word: str) -> tuple[str, ...]:
    stems = [word]
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            stem = word.removesuffix(ending)
            stems += [stem, stem + "e"]
            if len(stem) > 2 and stem[-1] == stem[-2]:  # putting, stopped
                stems.append(stem[:-1])
    return tuple(stems)


def _read(tokens: Sequence[str], i: int, before: Sequence[Item]) -> Item | None:
    word = tokens[i]
    if word in _SEPARATORS:
        return Item(_SEPARATORS[word], word, i, i + 1)
    if word in _HANDS:
        return Item("hand", word, i, i + 1, hand=_HANDS[word])
    if word.isupper() and word != "HELD":
        return Item("marker", word, i, i + 1)
    if word in _NEGATIONS or tuple(tokens[i : i + 2]) in _TWO_WORD_NEGATIONS:
        return Item("not", word, i, i + 1 + (word not in _NEGATIONS))
    return (
        _read_amount(tokens, i)
        or _read_verb(tokens, i, before)
        or _read_side(tokens, i)
        or _read_thing(tokens, i)
        or _read_relation(tokens, i)
        or _read_plain(tokens, i)
    )


_TWO_WORD_NEGATIONS: Final = frozenset({("instead", "of"), ("rather", "than")})


def _read_amount(tokens: Sequence[str], i: int) -> Item | None:
    found = read_amount(tokens, i)
    if found is None:
        return None
    amount, end = found
    if amount.dimension == "bare" and read_thing(tokens, i):  # "two red cubes"
        return None
    return Item("amount", "", i, end, amount=amount)


def _read_verb(tokens: Sequence[str], i: int, before: Sequence[Item]) -> Item | None:
    stem = verb_stem(tokens[i])
    if stem not in VERBS and stem not in UNSUPPORTED:
        return None
    if stem in (
        "light",
        "order",
        "book",
        "pet",
        "place",
        "position",
        "drop",
        "back",
    ) and (i > 0 and tokens[i - 1] in ("the", "a", "in")):
        return None
    if stem == "do" and _at(tokens, i + 1) in ("not", "you", "the"):
        return None
    if stem in VERBS:
        return Item("verb", VERBS[stem], i, i + 1)
    has_verb = any(item.kind in ("verb", "unsupported") for item in _clause(before))
    return None if has_verb else Item("unsupported", stem, i, i + 1)


def _clause(before: Sequence[Item]) -> list[Item]:
    """The items since the last separator."""
    for n, item in enumerate(reversed(before)):
        if item.kind in ("end", "then", "and", "comma"):
            return list(before[len(before) - n :])
    return list(before)


def _read_side(tokens: Sequence[str], i: int) -> Item | None:
    """A direction that looks like a thing: "to the left", "on your right side"."""
    j = i + (tokens[i] in ("to", "on", "at", "towards", "from", "toward"))
    j += _at(tokens, j) in ("the", "your", "its", "my")
    side = _at(tokens, j)
    if side not in ("left", "right") or j == i:
        return None
    end = j + 1 + (_at(tokens, j + 1) == "side")
    end += _at(tokens, j + 1) == "hand" and _at(tokens, j + 2) == "side" and 2
    follows = _at(tokens, end)
    if follows == "of" or follows in NOUNS or follows in COLOUR_WORDS:
        return None
    return Item("direction", side, i, end)


def _read_thing(tokens: Sequence[str], i: int) -> Item | None:
    found = read_thing(tokens, i)
    if found is None:
        return None
    thing, end = found
    return Item("thing", thing.phrase, i, end, thing=thing)


def _read_relation(tokens: Sequence[str], i: int) -> Item | None:
    for length in range(_LONGEST_RELATION, 0, -1):
        name = " ".join(tokens[i : i + length])
        if name in RELATIONS and i + length <= len(tokens):
            if (name in DIRECTIONS or RELATIONS[name] in ("left_of", "right_of")) and (
                not read_thing(tokens, i + length)
            ):
                continue  # "around" alone, "left of ninety degrees": directions
            return Item("relation", RELATIONS[name], i, i + length)
    return None


def _read_plain(tokens: Sequence[str], i: int) -> Item | None:
    word = tokens[i]
    if word in DIRECTIONS:
        return Item("direction", DIRECTIONS[word], i, i + 1)
    if word in FILLERS or not word.isalpha() or word.endswith("ly"):
        return None
    return Item("word", word, i, i + 1)


def _at(tokens: Sequence[str], i: int) -> str:
    return tokens[i] if i < len(tokens) else ""
