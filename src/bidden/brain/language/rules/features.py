"""What the trained gate reads beside the sentence vector: concepts and their pairs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from bidden.core.messages import Array

from .concepts import Event, load_concepts, read_events
from .table import RULES, broken_rules


@lru_cache(maxsize=1)
def feature_names() -> tuple[str, ...]:
    """Names of the columns, in order."""
    concepts = load_concepts()
    verbs, things = concepts.verb_classes, concepts.thing_classes
    return (
        *(f"rule:{rule.name}" for rule in RULES),
        *(f"verb:{verb}" for verb in verbs),
        *(f"thing:{thing}" for thing in things),
        *(f"manner:{manner}" for manner in concepts.modifier_classes),
        *(f"{verb}>{thing}" for verb in verbs for thing in things),
        *(f"{verb}@{thing}" for verb in verbs for thing in things),
    )


@lru_cache(maxsize=1)
def _columns() -> dict[str, int]:
    return {name: column for column, name in enumerate(feature_names())}


def concept_features(text: str) -> Array:
    """Indicators of what a plain text holds, (F,) float32 of 0 and 1."""
    return _indicators(read_events(text))


def _indicators(events: Sequence[Event]) -> Array:
    columns = _columns()
    row = np.zeros(len(columns), np.float32)
    names = {f"rule:{rule.name}" for rule in broken_rules(events)}
    for event in events:
        goal = event.goal()
        names |= {f"verb:{verb}" for verb in event.verbs}
        names |= {f"thing:{thing}" for thing in event.theme | goal}
        names |= {f"manner:{manner}" for manner in event.manner}
        names |= {f"{v}>{t}" for v in event.verbs for t in event.theme}
        names |= {f"{v}@{t}" for v in event.verbs for t in goal}
    row[[columns[name] for name in names]] = 1.0
    return row
