"""How a task is said: plain templates, or wordings that training never saw."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

import msgspec
import numpy as np

from bidden.core.errors import ConfigError, unknown_name

# {rel} is "in" for what has an inside, "on" for what has not
_PLAIN: dict[str, tuple[str, ...]] = {
    "walk_to": ("walk to the {landmark}", "go to the {landmark}"),
    "face": ("face the {landmark}", "turn to the {landmark}"),
    "pick": ("pick up the {object}", "take the {object}", "grab the {object}"),
    "put": (
        "put the {object} {rel} the {receptacle}",
        "pick up the {object} and put it {rel} the {receptacle}",
    ),
    "put_held": ("put it {rel} the {receptacle}",),
    "bring": ("bring the {object} to the {landmark}",),
    "wave": ("wave", "wave your hand"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A `move_by` wording with the amount that it stands for."""

    text: str
    amount: tuple[float, float, float]  # dx, dy [m], dyaw [rad] in the base frame


PLAIN_MOVES: tuple[Move, ...] = (
    Move(text="walk forward one metre", amount=(1.0, 0.0, 0.0)),
    Move(text="walk forward half a metre", amount=(0.5, 0.0, 0.0)),
    Move(text="walk back half a metre", amount=(-0.5, 0.0, 0.0)),
    Move(text="walk 0.8 metres forward", amount=(0.8, 0.0, 0.0)),
    Move(text="step to the left by 0.3 metres", amount=(0.0, 0.3, 0.0)),
    Move(text="step to the right by 0.3 metres", amount=(0.0, -0.3, 0.0)),
    Move(text="turn left ninety degrees", amount=(0.0, 0.0, np.pi / 2)),
    Move(text="turn right 45 degrees", amount=(0.0, 0.0, -np.pi / 4)),
    Move(text="turn around", amount=(0.0, 0.0, np.pi)),
)


class _MoveRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text: str
    amount: tuple[float, float, float]  # dx, dy [m], dyaw [degrees], as people write


class _Paraphrases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    walk_to: tuple[str, ...]
    face: tuple[str, ...]
    pick: tuple[str, ...]
    put_held: tuple[str, ...]
    put: tuple[str, ...]
    bring: tuple[str, ...]
    wave: tuple[str, ...]
    stop: tuple[str, ...]
    move_by: tuple[_MoveRow, ...]
    words: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """Templates for each skill, and the amounts that can be said."""

    templates: Mapping[str, tuple[str, ...]]
    moves: tuple[Move, ...]
    synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def say(
        self, skill: str, slots: Mapping[str, str], rng: np.random.Generator
    ) -> str:
        """One sentence for a skill, its slots filled with phrases such as "red cube".

        Raises:
            ConfigError: no template for the skill, or a slot that has no phrase.
        """
        if skill not in self.templates:
            raise ConfigError(unknown_name("skill", skill, self.templates))
        options = self.templates[skill]
        template = options[int(rng.integers(len(options)))]
        words = dict(slots)
        if "{hue}" in template or "{form}" in template:
            words |= self._synonyms(slots["object"], rng)
        try:
            return template.format(**words)
        except KeyError as error:
            raise ConfigError(
                f"wording '{template}' needs {error}; known: {', '.join(sorted(words))}"
            ) from error

    def _synonyms(self, phrase: str, rng: np.random.Generator) -> dict[str, str]:
        drawn = []
        for word in phrase.split():
            options = self.synonyms.get(word, (word,))
            drawn.append(options[int(rng.integers(len(options)))])
        return {"hue": drawn[0], "form": drawn[-1]}


PLAIN = Wording(templates=_PLAIN, moves=PLAIN_MOVES)


@cache
def paraphrases() -> Wording:
    """The wordings of `evaluation/paraphrases.toml`.

    Raises:
        ConfigError: the file does not fit.
    """
    text = (resources.files("bidden.evaluation") / "paraphrases.toml").read_text(
        "utf-8"
    )
    try:
        table = msgspec.convert(tomllib.loads(text), _Paraphrases, strict=False)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"paraphrases.toml: {error}") from error
    moves = tuple(
        Move(text=row.text, amount=(*row.amount[:2], float(np.deg2rad(row.amount[2]))))
        for row in table.move_by
    )
    templates = {skill: getattr(table, skill) for skill in (*_PLAIN, "stop")}
    return Wording(templates=templates, moves=moves, synonyms=table.words)
