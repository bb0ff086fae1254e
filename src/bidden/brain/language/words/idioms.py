"""Turns of phrase, rewritten to plainer words before the grammar reads them.

The table is `idioms.txt`; its head says how a line is read.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources
from typing import Final

from .lexicon import COLOUR_WORDS, NOUNS

_LISTS: Final = {
    "<COLOUR>": "|".join(sorted(COLOUR_WORDS, key=len, reverse=True)),
    "<NOUN>": "|".join(sorted(NOUNS, key=len, reverse=True)),
    "<YOUR>": r"(?:your|the|its|thy)",
    "<HOLDING>": r"(?:holding|carrying|grasping|gripping|having|clutching|held|got)",
    "<HOLD>": r"(?:hold|have|carry|grasp|grip|pick up|take)",
}


def plainer(text: str) -> str:
    """Rewrite idioms in a string of lower-case tokens joined by one space."""
    for pattern, plain in _table():
        changed = pattern.sub(plain, text)
        if changed != text:
            text = " ".join(changed.split())
    return text


def idiom_words() -> frozenset[str]:
    """Words that occur in the patterns: they are spelt right."""
    return frozenset(
        word
        for pattern, _ in _table()
        for word in re.findall(r"[a-z]{2,}", re.sub(r"\\.", " ", pattern.pattern))
    )


@lru_cache(maxsize=1)
def _table() -> tuple[tuple[re.Pattern[str], str], ...]:
    lines = resources.files(__package__).joinpath("idioms.txt").read_text("utf-8")
    rows = []
    for line in lines.splitlines():
        if line.strip() and not line.startswith("#"):
            pattern, _, plain = line.partition(" => ")
            for name, words in _LISTS.items():
                pattern = pattern.replace(name, words)
            rows.append((re.compile(pattern), f" {plain} "))
    return tuple(rows)
