"""All that a text may be saying, likeliest first."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from .codes import is_english, open_codes, turned_back
from .letters import MAX_CHARS, fold
from .spelt import mark_gaps, read_words
from .wrappers import in_english, strip_markup, unwrap

_NO_WORDS: Final[Mapping[str, int]] = MappingProxyType({})


def reveal(
    text: str,
    english: Mapping[str, int] = _NO_WORDS,
    physical: Collection[str] = frozenset(),
) -> str:
    """What a text says, in plain lower-case words.

    That is the text without look-alikes, hidden characters, wrappers and sentences in
    other languages; with what it holds encoded in its place; and with words spelt with
    digits or gaps as they were meant.

    Args:
        text: as typed or heard.
        english: rank of each English word; without it no word is mended.
        physical: words of what can be done and acted on, which no wrapper has.
    """
    bare = strip_markup(open_codes(text[:MAX_CHARS]))
    said = read_words(fold(mark_gaps(bare)), english)
    if english and not is_english(said, english):
        turned = turned_back(bare, english)
        said = said if turned == bare else read_words(fold(turned), english)
    return unwrap(in_english(said, english), physical)
