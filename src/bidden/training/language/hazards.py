"""Sentences for the gate: dangers, their harmless twins, and everyday talk."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Final

import msgspec
import numpy as np

from .data import load_templates
from .lines import read_lines, say

Words = Mapping[str, Sequence[str]]
_POLITE: Final = (
    "please {}", "could you {}", "can you {}?", "{} please", "robot, {}",
    "i want you to {}", "would you {}?", "now {}", "{}.", "hey, {}", "go and {}",
    "you should {}", "{} now",
)  # fmt: skip
IN_CONTEXT: Final = 0.25  # share of sentences with harmless words around them
IN_STEPS: Final = 0.12  # share that are told together with a harmless order
_STEPS: Final = frozenset(
    {"kitchen", "cleaning", "care", "chores_in_steps", "tabletop", "orders_wide"}
)
_JOINED: Final = _STEPS | {"danger", "twin", "garden_workshop", "dangerous_words"}


class Hazards(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`hazards.toml`."""

    class Pair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        """Dangers of one kind and their harmless twins."""

        unsafe: tuple[str, ...]
        safe: tuple[str, ...]

    pair: tuple[Pair, ...]
    words: dict[str, tuple[str, ...]]
    benign: dict[str, tuple[str, ...]]
    plain: dict[str, tuple[str, ...]]


def load_hazards() -> Hazards:
    """The shipped templates."""
    text = resources.files(__package__).joinpath("hazards.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), Hazards)


def load_around() -> dict[str, tuple[str, ...]]:
    """Harmless words that stand before, after and between orders."""
    text = resources.files(__package__).joinpath("said/around.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, tuple[str, ...]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One sentence for the gate."""

    text: str
    source: str  # "danger", its harmless "twin", or a kind of everyday talk
    group: int  # number of the template, or pair of templates, that it comes from
    kind: str = ""  # of danger, where the template says it


def gate_examples(rng: np.random.Generator, *, each: int) -> Iterator[Example]:
    """`each` fills of every template, the robot's own skills included.

    Lines of everyday talk have more choices in them and are filled oftener.
    """
    groups = 0
    spoken: list[Example] = []
    for line in read_lines():
        count = each if line.source in ("danger", "twin") else round(2.6 * each)
        kind = line.kind if line.source == "danger" else ""
        for text in dict.fromkeys(say(line.text, rng) for _ in range(count)):
            spoken.append(
                Example(text=text, source=line.source, group=line.group, kind=kind)
            )
        groups = max(groups, line.group + 1)
    yield from _told(spoken, rng)
    hazards = load_hazards()
    words = {**hazards.words, **hazards.plain}
    templates = enumerate(_templates(hazards, words), start=groups)
    for group, (template, source, fill, share) in templates:
        for text in _fills(template, fill, rng, each=max(1, int(0.5 * each * share))):
            yield Example(text=text, source=source, group=group)


def _told(spoken: Sequence[Example], rng: np.random.Generator) -> Iterator[Example]:
    """Each sentence as somebody says it; some with others before or after it."""
    around = load_around()
    harmless = [example for example in spoken if example.source in _STEPS]
    for example in spoken:
        kind, text = rng.random(), example.text
        if kind < IN_CONTEXT:
            text = _pick(around["before"], rng) + text if rng.random() < 0.6 else text
            if text is example.text or rng.random() < 0.3:
                text = text.rstrip(".?!") + _pick(around["after"], rng)
        elif kind < IN_CONTEXT + IN_STEPS and example.source in _JOINED:
            other = harmless[int(rng.integers(len(harmless)))].text
            first, second = (other, text) if rng.random() < 0.6 else (text, other)
            text = first.rstrip(".?!") + _pick(around["join"], rng) + second
        else:
            text = _styled(text, rng)
        yield replace(example, text=text)


def _pick(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]


def _templates(
    hazards: Hazards, words: Words
) -> Iterator[tuple[str, str, Words, float]]:
    """Every template with its source, the words for its slots, and its share."""
    for pair in hazards.pair:
        yield from ((template, "danger", words, 1.0) for template in pair.unsafe)
        yield from ((template, "twin", words, 1.0) for template in pair.safe)
    for source, templates in hazards.benign.items():
        yield from ((template, source, words, 1.0) for template in templates)
    skills = load_templates()
    for intent, patterns in skills.patterns.items():
        if intent != "other":
            fill = {**skills.fill, "verb": skills.verbs[intent]}
            for template in (*patterns, *skills.wordings[intent]):
                yield template, "skills", fill, 0.5


def _fills(
    template: str,
    words: Words,
    rng: np.random.Generator,
    *,
    each: int,
) -> Iterator[str]:
    def draw(match: re.Match[str]) -> str:
        options = words[match[1]]
        return options[int(rng.integers(len(options)))]

    seen: set[str] = set()
    for _ in range(each if "{" in template else 2):
        text = re.sub(r"\{(\w+)\}", draw, template)
        if text not in seen:
            seen.add(text)
            yield _styled(text, rng)


def _styled(text: str, rng: np.random.Generator) -> str:
    """The same words as different people and logs write them."""
    kind = rng.random()
    if kind < 0.25:
        text = _POLITE[int(rng.integers(len(_POLITE)))].format(text)
    elif kind < 0.40:
        text = text[0].upper() + text[1:] + "."
    elif kind < 0.50:  # CamelCase names of things
        text = re.sub(r"(?<=the |.an )([a-z]+) ([a-z]+)$",
                      lambda m: m[1].title() + m[2].title(), text)  # fmt: skip
        text = text[0].upper() + text[1:]
    elif kind < 0.58:  # "Placing the ..."
        verb, _, rest = text.partition(" ")
        stem = verb[:-1] if verb.endswith("e") and not verb.endswith("ee") else verb
        if rest and verb.isalpha():
            text = f"{stem}ing {rest}".capitalize()
    elif kind < 0.63:
        text = text.upper()
    return text
