"""Noun phrases: "the small crimson block", "my left table", "it"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bidden.core.clauses import Sort, Thing

from .lexicon import (
    COLOUR_WORDS,
    DETERMINERS,
    DIRECTIONS,
    FILLERS,
    FOREIGN_COLOURS,
    LOW_TABLES,
    MANY,
    NEED_DETERMINER,
    NOUNS,
    PLAIN_ADJECTIVES,
    PLURAL_PRONOUNS,
    PRONOUNS,
    RELATIONS,
    SHAPE_ADJECTIVES,
    SIDES,
    SPEAKER,
    UNSUPPORTED,
    VERBS,
)

_LONGEST: Final = max(len(noun.split()) for noun in NOUNS)
_MAX_UNKNOWN: Final = 3  # words of a noun that we do not know
_FUNCTION_WORDS: Final = (
    set(FILLERS) | DETERMINERS | PRONOUNS | set(DIRECTIONS)
    | {word for relation in RELATIONS for word in relation.split()}
    | {"and", "or", "then", "but", "not", "if"}
)  # fmt: skip


@dataclass(slots=True)
class _Adjectives:
    """What stood before a noun."""

    colours: list[str] = field(default_factory=list)
    foreign: str = ""
    shape: str = ""
    side: str = ""
    any: bool = False

    @property
    def tells(self) -> bool:
        """Whether a noun must follow; "left" alone may be a direction."""
        return bool(self.colours or self.foreign or self.shape)


def read_thing(tokens: Sequence[str], start: int) -> tuple[Thing, int] | None:
    """The noun phrase that begins at a token, and the token after it."""
    word = _at(tokens, start)
    if word == "HELD":
        return Thing(sort=Sort.HELD, noun="held"), start + 1
    if word in SPEAKER and not (word == "her" and _named(tokens, start + 1)):
        return Thing(sort=Sort.LANDMARK, noun="person"), start + 1
    named = _named(tokens, start)
    if named is not None:
        return named
    if word in PRONOUNS or word in PLURAL_PRONOUNS:
        many = word in PLURAL_PRONOUNS
        return Thing(sort=Sort.PRONOUN, noun=word, many=many), start + 1
    return None


def singular(word: str) -> str:
    """Without its plural ending, if that leaves a noun that we know."""
    if word in NOUNS:
        return word
    for stem in (word.removesuffix("s"), word.removesuffix("es")):
        if stem in NOUNS:
            return stem
    return word


def _named(tokens: Sequence[str], start: int) -> tuple[Thing, int] | None:
    i, many, determined = _read_determiner(tokens, start)
    before = _Adjectives()
    while True:
        noun = _read_noun(tokens, i, bare=not (determined or before.tells))
        if noun is not None:
            name, end = noun
            plural = tokens[end - 1] not in NOUNS and " ".join(tokens[i:end]) != name
            many |= plural or name == "everything"
            return _make(name, before, many=many), end
        if not _read_adjective(_at(tokens, i), before):
            break
        i += 1
    if before.colours or before.foreign:  # "the red", "the pink elephant"
        unknown, end = _read_unknown(tokens, i)
        if unknown:
            words = " ".join((before.foreign or before.colours[0], unknown))
            return Thing(sort=Sort.UNKNOWN, noun=words, many=many), end
        if determined or before.foreign or _at(tokens, i) in ("", ".", ","):
            return _make("object", before, many=many), i
        return None
    if determined:
        unknown, end = _read_unknown(tokens, i)
        if unknown:
            return Thing(sort=Sort.UNKNOWN, noun=unknown, many=many), end
        if before.shape:  # "the round"
            return _make("object", before, many=many), i
    return None


def _read_determiner(tokens: Sequence[str], i: int) -> tuple[int, bool, bool]:
    """Next token, whether several are meant, whether there was one at all."""
    many = determined = False
    while (
        (word := _at(tokens, i)) in DETERMINERS
        or word in MANY
        or (word == "of" and determined)
    ):
        many |= word in MANY
        determined = True
        i += 1
    if _at(tokens, i) == "one" and not many:  # "one red cube"
        follows = _at(tokens, i + 1)
        if follows in COLOUR_WORDS or singular(follows) in NOUNS:
            i += 1
    return i, many, determined


def _read_adjective(word: str, before: _Adjectives) -> bool:
    """Take a word in as an adjective; false if it is none."""
    if word in COLOUR_WORDS:
        before.colours.append(COLOUR_WORDS[word])
    elif word in FOREIGN_COLOURS:
        before.foreign = word
    elif word in SHAPE_ADJECTIVES or word in SIDES:
        before.shape = SHAPE_ADJECTIVES.get(word, before.shape)
        before.side = SIDES.get(word, before.side)
    elif word not in PLAIN_ADJECTIVES:
        return False
    before.any = True
    return True


def _read_noun(tokens: Sequence[str], i: int, *, bare: bool) -> tuple[str, int] | None:
    for length in range(_LONGEST, 0, -1):
        words = list(tokens[i : i + length])
        if len(words) < length:
            continue
        words[-1] = singular(words[-1])
        name = " ".join(words)
        if name in NOUNS and not (bare and name in NEED_DETERMINER):
            return name, i + length
    return None


def _read_unknown(tokens: Sequence[str], i: int) -> tuple[str, int]:
    """Up to three words that mean nothing here; the first may be any noun."""
    end = i
    while end < min(i + _MAX_UNKNOWN, len(tokens)):
        word = tokens[end]
        is_plain = word.isalpha() and word.islower() and word not in _FUNCTION_WORDS
        is_verb = end > i and (word in VERBS or word in UNSUPPORTED)
        if not is_plain or is_verb or word.endswith("ly"):
            break
        end += 1
    return " ".join(tokens[i:end]), end


def _make(name: str, before: _Adjectives, *, many: bool) -> Thing:
    sort, noun = NOUNS[name]
    side = "low" if name in LOW_TABLES else before.side
    if noun == "object" and before.shape:
        noun = before.shape
    colours = list(dict.fromkeys(before.colours))
    if before.foreign or len(colours) > 1:
        words = [before.foreign] * bool(before.foreign) + [*colours, noun]
        return Thing(sort=Sort.UNKNOWN, noun=" ".join(words), many=many)
    colour = colours[0] if colours else ""
    return Thing(sort=sort, noun=noun, colour=colour, side=side, many=many)


def _at(tokens: Sequence[str], i: int) -> str:
    return tokens[i] if i < len(tokens) else ""
