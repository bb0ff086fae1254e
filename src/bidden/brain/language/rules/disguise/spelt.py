# ruff: noqa: SIM905 - word lists read best as one string
"""Words spelt with digits, signs, gaps or too many letters, read as words."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from itertools import islice, product
from typing import Final

Ranks = Mapping[str, int]  # how common each English word is, 0 the commonest
_ALIKE: Final = {
    "0": "o", "1": "il", "2": "z", "3": "e", "4": "a", "5": "s", "6": "gb", "7": "t",
    "8": "b", "9": "g", "@": "a", "$": "s", "!": "il", "|": "li", "+": "t",
}  # fmt: skip
_VOWELS: Final = "aeiou"
_SIGNS: Final = re.compile(r"[0-9@$!|+]")
_STARS: Final = re.compile(r"[*#%]")
_AMOUNT: Final = re.compile(
    r"[$]?\d+(?:[.,:/x]\d+)*(?:[cmk]?m|ft|in|k?g|mg|lbs?|oz|m?l|cl|am|pm|st|nd|rd|th|s|"
    r"x|h|hrs?|mins?|secs?|d|k|w|v|c|f|mph|kw|[gmtk]b|hz|p|px|yo)?[%]?"
)
_SOUNDS: Final = {"gr8": "great", "m8": "mate", "l8r": "later", "b4": "before",
                  "2day": "today", "str8": "straight", "w8": "wait"}  # fmt: skip
_SHORT: Final = frozenset(
    "a i is so as at to on in it if of or no she go do i'm me he we us my by be up an "
    "am".split()
)
_ENDINGS: Final = frozenset({"s", "t", "re", "ll", "ve", "d", "m"})
_LONGEST: Final = 24  # letters; longer ones are not words
_MOST: Final = 256  # readings of one word that are tried
_DOUBLED: Final = re.compile(r"(?:([a-z'])\1)+[.,;:!?]*")
_EDGES: Final = ".,;:?\"'()[]{}<>"
_LETTERS_APART: Final = re.compile(
    r"(?<!\S)(?:[a-z0-9@$!|'][.,;:!?]?[ .\-_*/~^]{1,3}){3,}[a-z0-9@$!|]"
    r"(?![^\s.,;:!?])"
)
_PIECES: Final = re.compile(r"(?<=[a-z0-9])[.\-_*/~^'](?=[a-z0-9])")


def read_words(text: str, english: Ranks) -> str:
    """The text with its words as they were meant."""
    if not english:
        return text
    text = text.replace("_", " ")
    text = re.sub(r"(?<=\w)[-_*/~^](?=[.,;:!?])", "", text)
    if text.count("-") > max(2, text.count(" ")) and len(text) > 3.5 * text.count("-"):
        text = text.replace("-", " ")
    text = _LETTERS_APART.sub(lambda m: _close_gaps(m[0], english), text)
    words = [_plain(word, english) for word in _undoubled(text.split())]
    words = _read_digits(words, english)
    return " ".join(_joined_pieces(words, english))


def _undoubled(words: list[str]) -> list[str]:
    """Words without their double letters, if nearly all have nothing else."""
    halves = [
        re.sub(r"([a-z'])\1", r"\1", word) if _DOUBLED.fullmatch(word) else word
        for word in words
    ]
    doubled = sum(a != b for a, b in zip(words, halves, strict=True))
    return halves if doubled > 0.6 * len(words) else words


def _known(word: str, english: Ranks) -> bool:
    word = word.partition("'")[0]
    return word in english if len(word) > 2 else word in _SHORT


def _best(options: Iterator[str], english: Ranks) -> str:
    """The commonest word among some spellings; "" if none is one."""
    known = [o for o in islice(options, _MOST) if _known(o, english)]
    return min(known, key=lambda o: english.get(o.partition("'")[0], 0), default="")


def _readings(word: str) -> Iterator[str]:
    choices = [_ALIKE.get(c, c) for c in word]
    return ("".join(chosen) for chosen in product(*choices))


def _is_mixed(word: str) -> bool:
    """Whether letters stand among digits or signs, and it is no amount."""
    return bool(
        re.search("[a-z]", word)
        and _SIGNS.search(word)
        and not _AMOUNT.fullmatch(word)
        and len(word) <= _LONGEST
    )


def _read_digits(words: list[str], english: Ranks) -> list[str]:
    """Digits and signs as letters: where they make words, or all round them do."""
    found = [_from_digits(word, english) for word in words]
    read = sum(a != b and len(a) > 2 for a, b in zip(words, found, strict=True))
    if read == 0 or (read < 2 and 2 * read < len(words)):
        return found
    return [
        _guessed(b, english) if a == b else b for a, b in zip(words, found, strict=True)
    ]


def _from_digits(word: str, english: Ranks) -> str:
    for edges in (_EDGES + "!", _EDGES):
        bare = word.strip(edges)
        if bare in _SOUNDS:
            return word.replace(bare, _SOUNDS[bare])
        if len(bare) > 2 and _is_mixed(bare):
            meant = _best(_readings(bare), english) or _parted(bare, english, least=3)
            if meant:
                return word.replace(bare, meant)
    return word


def _parted(word: str, english: Ranks, *, least: int) -> str:
    """A word with digits as two or three words of so many letters at least, or ""."""
    found = (segment(option, english) for option in islice(_readings(word), _MOST))
    parted = [
        words
        for words in found
        if len(words) in (2, 3) and min(map(len, words)) >= least
    ]
    costs = [sum(_cost(part, english) for part in words) for words in parted]
    return " ".join(parted[costs.index(min(costs))]) if parted else ""


def _guessed(word: str, english: Ranks) -> str:
    """A word with digits among others that had some: a short one, a name, two words."""
    bare = word.strip(_EDGES)
    if not _SIGNS.search(bare) or len(bare) > _LONGEST or bare == "!":
        return word
    meant = _best(_readings(bare), english)
    if meant or len(bare) <= 2 or not re.search("[a-z]", bare):
        return word.replace(bare, meant) if meant else word
    meant = _parted(bare, english, least=1) or next(_readings(bare))
    return word.replace(bare, re.sub(r"\W$", "", meant))


def _plain(word: str, english: Ranks) -> str:
    """One word without doubled letters, starred ones and marks between its letters."""
    bare = word.strip(_EDGES)
    if not 2 < len(bare) <= 3 * _LONGEST or _known(bare, english):
        return word
    meant = ""
    if _PIECES.search(bare):
        pieces = _PIECES.split(bare)
        together = "".join(pieces)
        if not all(_known(piece, english) for piece in pieces):
            meant = together if _known(together, english) else ""
        elif len(pieces) > 3:
            meant = " ".join(pieces)
    if not meant and len(_STARS.findall(bare)) in (1, 2) and bare[0].isalpha():
        meant = _best(_without_stars(bare), english)
    if not meant and bare.isalpha():
        meant = _squeezed(bare, english)
        if not meant and len(bare) > 12:
            meant = " ".join(segment(bare, english))
    return word.replace(bare, meant) if meant else word


def _without_stars(word: str) -> Iterator[str]:
    letters = _VOWELS + "bcdfghjklmnpqrstvwxyz"
    choices = [letters if _STARS.match(c) else c for c in word]
    return ("".join(chosen) for chosen in product(*choices))


def _squeezed(word: str, english: Ranks) -> str:
    """A word with letters doubled at will, as the word that it is without."""
    runs = [run[0] for run in re.finditer(r"(.)\1*", word)]
    longer = [run for run in runs if len(run) > 1]
    if len(longer) < 2 and not any(len(run) > 2 for run in longer):
        return ""
    choices = [(run[0], run[0] * 2) if len(run) > 1 else (run,) for run in runs]
    return _best(("".join(chosen) for chosen in product(*choices)), english)


def _close_gaps(spaced: str, english: Ranks) -> str:
    """Letters that stand apart, as words."""
    if " / " in spaced:
        parts = spaced.split(" / ")
    elif re.search(r"[a-z0-9][.\-_*/~^][a-z0-9]", spaced):
        parts = spaced.split()
    else:
        parts = re.split(r"(?<=[.,;:!?])\s", spaced)
    return " ".join(_close_gap(part, english) for part in parts)


def _close_gap(spaced: str, english: Ranks) -> str:
    bare = spaced.rstrip(".,;:!?")
    letters = re.sub(r"[ .\-_*/~^]", "", bare)
    if letters in _SHORT:
        return letters + spaced[len(bare) :]
    if not sum(c.isalpha() for c in letters) > 1:
        return spaced
    options = _readings(letters) if _SIGNS.search(letters) else iter((letters,))
    for option in islice(options, 8):
        words = [option] if _known(option, english) else segment(option, english)
        if words:
            return " ".join(words) + spaced[len(bare) :]
    return spaced


def _joined_pieces(words: list[str], english: Ranks) -> list[str]:
    """Words that were cut in pieces, whole again: "lap top", both no words."""
    strange = [word.isalpha() and not _known(word, english) for word in words]
    joined: list[str] = []
    i = 0
    many = sum(strange) > 0.3 * len(words)
    while i < len(words):
        for length in (3, 2):
            parts, odd = words[i : i + length], strange[i : i + length]
            whole = "".join(parts)
            cut = len(parts) == length and (all(odd) or (many and any(odd)))
            if cut and len(whole) > 3 and _known(whole.strip(_EDGES), english):
                joined.append(whole)
                i += length
                break
        else:
            joined.append(words[i])
            i += 1
    return joined


def mark_gaps(text: str) -> str:
    """Wide gaps between letters that stand apart, marked: words end there."""
    words = text.split()
    apart = sum(len(word) == 1 for word in words) > 0.6 * len(words)
    return re.sub(r"[ \t]{2,}(?=\S)", " / ", text) if apart else text


def _cost(word: str, english: Ranks) -> float:
    whole, _, ending = word.partition("'")
    if ending:
        word = whole if ending in _ENDINGS else ""
    if len(word) <= 2:
        return 9.0 if word in _SHORT else math.inf
    return 5.0 + math.log(english[word] + 10) if word in english else math.inf


def segment(letters: str, english: Ranks) -> list[str]:
    """The likeliest words that letters without gaps spell; [] if they spell none."""
    best = [0.0] + [math.inf] * len(letters)
    cut = [0] * (len(letters) + 1)
    for end in range(1, len(letters) + 1):
        for start in range(max(0, end - _LONGEST), end):
            cost = best[start] + _cost(letters[start:end], english)
            if cost < best[end]:
                best[end], cut[end] = cost, start
    if math.isinf(best[-1]):
        return []
    words: list[str] = []
    end = len(letters)
    while end:
        words.append(letters[cut[end] : end])
        end = cut[end]
    return words[::-1]
