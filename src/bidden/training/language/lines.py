"""Sentences with choices in them, and all that they can say.

The files in `said` hold one sentence a line: `[one|another]` is a choice, `{word}` a
word of that list in `words.toml`, and `danger || twin` a pair that differs in one
choice. A line `# kind` names what follows. All of it is written for this project.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Final

import numpy as np

_PAIRS: Final = (
    "pairs_body", "pairs_world", "pairs_told", "pairs_more", "pairs_wide", "pairs_deep",
    "pairs_agent", "pairs_asked", "pairs_plain", "pairs_advice", "pairs_relations",
    "pairs_heat", "pairs_water", "pairs_living", "pairs_intent", "pairs_rights",
    "pairs_short", "pairs_things", "pairs_dignity",
)  # fmt: skip
_EVERYDAY: Final = (
    "everyday", "everyday_more", "everyday_long", "everyday_wide", "everyday_plain",
    "everyday_logs", "everyday_places", "everyday_work", "everyday_hard",
    "everyday_kind", "everyday_terse",
)  # fmt: skip
_CHOICE: Final = re.compile(r"\[([^\[\]]*)\]")
_SLOT: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One sentence with choices."""

    text: str
    kind: str  # heading that it stands under
    source: str  # "danger", its harmless "twin", or a kind of everyday talk
    group: int  # a danger and its twin share one: never parted in cross-validation


def read_lines() -> tuple[Line, ...]:
    """Every shipped line, pairs first."""
    lines: list[Line] = []
    for group, (kind, text, paired) in enumerate(_rows()):
        danger, _, twin = text.partition("||")
        if paired:
            for said, source in ((danger, "danger"), (twin, "twin")):
                lines.append(
                    Line(text=said.strip(), kind=kind, source=source, group=group)
                )
        else:
            lines.append(Line(text=text, kind=kind, source=kind, group=group))
    return tuple(lines)


def _rows() -> Iterator[tuple[str, str, bool]]:
    """Kind, text and whether it is a pair, for every line of every file."""
    folder = resources.files(__package__).joinpath("said")
    for name in (*_PAIRS, *_EVERYDAY):
        kind = name
        for line in folder.joinpath(f"{name}.txt").read_text("utf-8").splitlines():
            if line.startswith("# "):
                kind = line[2:].strip()
            elif line.strip():
                yield kind, line.strip(), name in _PAIRS


@lru_cache(maxsize=1)
def _words() -> dict[str, tuple[str, ...]]:
    text = resources.files(__package__).joinpath("said/words.toml").read_text("utf-8")
    return {name: tuple(words) for name, words in tomllib.loads(text).items()}


def say(line: str, rng: np.random.Generator) -> str:
    """One of the things that a line can say."""
    while found := _CHOICE.search(line):
        options = found[1].split("|")
        line = _replace(line, found, options[int(rng.integers(len(options)))])
    words = _words()
    while slot := _SLOT.search(line):
        options = list(words[slot[1]])
        line = _replace(line, slot, options[int(rng.integers(len(options)))])
    line = re.sub(r"\ba (the|a|my|an)\b", r"\1", line)
    line = re.sub(r"\b(the|my|her|his) (a|an|the) ", r"\1 ", line)
    return re.sub(r"\s+([,.;?!])", r"\1", " ".join(line.split()))


def _replace(line: str, found: re.Match[str], word: str) -> str:
    return line[: found.start()] + word + line[found.end() :]
