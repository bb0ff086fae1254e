"""From any text to clean, correctly spelt tokens; total and bounded."""

from __future__ import annotations

import difflib
import re
import string
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

MAX_CHARS: Final = 2000
MAX_WORDS: Final = 200
_MAX_CORRECTIONS: Final = 20  # unknown words that are looked up, per instruction
_RARE: Final = 10**6  # rank of a word that no list holds
_LONGEST_WORD: Final = 24  # longer ones are not words
_TOKEN = re.compile(r"-?\d+(?:[.,]\d+)?(?:e[+-]?\d+)?|[a-z]+|[°%.,;:!?&/]", re.ASCII)
_CONTRACTIONS: Final = tuple(
    (re.compile(pattern), full)
    for pattern, full in (
        (r"\bwon't\b", "will not"),
        (r"\bcan't\b|\bcannot\b", "can not"),
        (r"\b(\w+)n't\b|\b(do|does)nt\b", r"\1\2 not"),
        (r"\blet's\b", "let us"),
        (r"\b(it|that|what|there|where|here|who)'s\b", r"\1 is"),
        (r"\b(\w+)'re\b", r"\1 are"),
        (r"\b(\w+)'d\b", r"\1 would"),
        (r"\b(\w+)'ll\b", r"\1 will"),
        (r"\b(\w+)'ve\b", r"\1 have"),
        (r"\bi'm\b", "i am"),
        (r"'s\b", ""),
        (r"\bgonna\b", "going to"),
        (r"\bwanna\b", "want to"),
        (r"\bgimme\b", "give me"),
        (r"\bpls\b|\bplz\b", "please"),
    )
)


def normalise(text: str) -> str:
    """Lower-case ASCII with straight quotes; what cannot be said so is dropped.

    Never raises; cut at `MAX_CHARS`.
    """
    text = unicodedata.normalize("NFKD", text[:MAX_CHARS].translate(_SIGNS)).lower()
    text = "".join(c for c in text.translate(_SIGNS) if c.isascii() or c == "°")
    for pattern, full in _CONTRACTIONS:
        text = pattern.sub(full, text)
    return text


_SIGNS: Final = str.maketrans(
    {
        **dict.fromkeys("‘’‛′`´", "'"),
        **dict.fromkeys("“”„«»", '"'),
        **dict.fromkeys("‐‑‒–—―", "-"),
        "−": "-",
        "⁄": "/",
        "½": " 1/2",
        "¼": " 1/4",
        "¾": " 3/4",
        "。": ".",
        "，": ",",
        "º": "°",
    }
)


def tokenise(text: str) -> list[str]:
    """Words, numbers and punctuation of a normalised text.

    A full stop inside a number, and a minus only before one, belong to the number;
    hyphens between words separate.
    """
    text = re.sub(r"(?<=[a-z\d])-(?=[a-z])", " ", text)
    text = re.sub(
        r"(?:^|(?<=\s))\d[.)]\s(?=[a-z])", " . ", text
    )  # "1. pick ... 2. put"
    text = re.sub(r"(?<=\d)-(?=\d)", " to ", text)
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)  # 1,000
    return _TOKEN.findall(text)


class Speller:
    """Mends words that no English dictionary holds, towards words that we know."""

    def __init__(self, known: Iterable[str], english: Mapping[str, int]) -> None:
        self._known = frozenset(word for word in known if len(word) > 1)
        self._long = sorted(word for word in self._known if len(word) >= 6)
        self._english = english

    def correct(self, tokens: list[str]) -> list[str]:
        """Same tokens, with misspelt ones replaced where one reading is nearest."""
        budget = _MAX_CORRECTIONS
        mended = []
        for token in tokens:
            wrong = (
                2 < len(token) <= _LONGEST_WORD
                and token.isalpha()
                and token not in self._known
                and token not in self._english
            )
            if wrong and budget > 0:
                budget -= 1
                token = self.nearest(token) or token
            mended.append(token)
        return mended

    def nearest(self, word: str) -> str:
        """The known word one slip away, or two; the commonest of several, or ""."""
        squeezed = re.sub(r"(.)\1{2,}", r"\1", word)  # pleeeease
        if squeezed in self._known:
            return squeezed
        for cut in range(3, len(word) - 2):  # redcube
            if word[:cut] in self._known and word[cut:] in self._known:
                return f"{word[:cut]} {word[cut:]}"
        for slips in _slips(word):
            near = slips & self._known
            near = {w for w in near if w[0] == word[0]} or near
            if near:
                return min(near, key=lambda w: (self._english.get(w, _RARE), w))
        if len(word) < 6:
            return ""
        close = difflib.get_close_matches(word, self._long, n=1, cutoff=0.8)
        return close[0] if close else ""


def _slips(word: str) -> Iterator[set[str]]:
    """What was meant, likeliest first: letters swapped, left out, added, replaced."""
    halves = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    letters = string.ascii_lowercase
    yield {a + b[1] + b[0] + b[2:] for a, b in halves if len(b) > 1}
    yield {a + c + b for a, b in halves for c in letters}
    yield {a + b[1:] for a, b in halves if b}
    yield {a + c + b[1:] for a, b in halves[1:] if b for c in letters}
