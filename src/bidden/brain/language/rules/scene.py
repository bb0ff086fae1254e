"""Tier 4: safety tips, matched against the order and what is seen."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources

import msgspec

from .concepts import Event, load_concepts, stems, tokens_of
from .disguise import fold


class Tip(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One danger that an order brings out in a scene."""

    name: str
    asks: tuple[str, ...]
    sees: tuple[str, ...]
    text: str


class _Tips(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tip: tuple[Tip, ...]


@lru_cache(maxsize=1)
def load_tips() -> tuple[Tip, ...]:
    """The shipped tips."""
    text = resources.files(__package__).joinpath("tips.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), _Tips).tip


def matching_tip(events: Sequence[Event], scene: str) -> Tip | None:
    """The first tip that speaks; none without a scene."""
    if not scene.strip():
        return None
    asked: set[str] = set()
    for event in events:
        if not event.negated:
            asked |= (
                event.verbs | event.theme | event.goal() | event.words | event.manner
            )
    seen = _seen(scene)
    for tip in load_tips():
        if _all(tip.asks, asked) and _all(tip.sees, seen):
            return tip
    return None


def _all(needs: Sequence[str], has: set[str]) -> bool:
    return all(has & set(need.replace("_", " ").split("|")) or
               has & set(need.split("|")) for need in needs)  # fmt: skip


@lru_cache(maxsize=64)
def _seen(scene: str) -> set[str]:
    """Words of a scene and the classes of things that they name."""
    things = load_concepts().things
    words = tokens_of(fold(scene))
    found: set[str] = set(words)
    for i in range(len(words)):
        for length in (1, 2):
            for form in stems(words[min(i + length - 1, len(words) - 1)]):
                name = " ".join([*words[i : i + length - 1], form])
                found |= things.get(name, frozenset())
    return found
