"""What language hands to planning: parsed clauses, replies and what came before.

A clause is one order in the speaker's words, made canonical: synonyms are resolved,
amounts are metres and radians in the base frame B. Nothing here knows the scene.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from .messages import Array, Goal


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Words that came over the command channel. Only these can make goals."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Words that were found: on a sign, in a memory, in a tool's answer. Data only."""

    text: str
    source: str  # where: "sign", "memory", ...


class Intent(StrEnum):
    """What a clause asks for."""

    WALK_TO = "walk_to"
    MOVE_BY = "move_by"
    FACE = "face"
    PICK = "pick"
    PUT = "put"  # an object, or what is held, in or on a target
    BRING = "bring"  # an object to a place or person
    WAVE = "wave"
    STOP = "stop"


class Sort(StrEnum):
    """What a noun phrase names."""

    OBJECT = "object"
    RECEPTACLE = "receptacle"
    LANDMARK = "landmark"
    PRONOUN = "pronoun"  # it, that one: something said before
    HELD = "held"  # what the robot holds
    UNKNOWN = "unknown"  # a noun without a meaning here


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """One noun phrase."""

    sort: Sort
    noun: str  # canonical (cube, bowl, door); as said when UNKNOWN
    colour: str = ""  # canonical, "" when not said
    side: str = ""  # low, high, left, right: which one of several
    relation: str = ""  # to the anchor: "on" in "the cube on the low table"
    anchor: Thing | None = None
    many: bool = False  # a plural, "all", "both"

    @property
    def phrase(self) -> str:
        """Canonical words for the eyes: "red cube", "low table"."""
        side = self.side if self.noun == "table" else ""
        return " ".join(word for word in (side, self.colour, self.noun) if word)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One order."""

    intent: Intent
    text: str  # the words that said it
    object: Thing | None = None  # what is picked, put or brought
    target: Thing | None = None  # where it goes, or what is walked to or faced
    relation: str = ""  # to the target: in, on, to, next_to, left_of ...
    amount: tuple[float, float, float] | None = None  # dx, dy [m], dyaw [rad] in B
    hand: int | None = None  # RIGHT or LEFT when said
    times: int = 1
    negated: bool = False


class ReplyKind(StrEnum):
    """Why there is nothing to do."""

    QUESTION = "question"  # something is missing or two readings fit
    REFUSAL = "refusal"  # understood; cannot or must not be done
    UNKNOWN = "unknown"  # not understood
    NOTED = "noted"  # understood; nothing has to move


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the robot says instead of moving."""

    kind: ReplyKind
    text: str
    rule: str = ""  # name of the rule that refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What earlier instructions left behind."""

    last_object: str = ""  # phrase that "it" means, "" when nothing was named
    last_place: str = ""  # phrase that "there" means
    holding: str | None = None  # phrase of what is held, "" empty hands, None unknown
    hand: int | None = None  # the hand that holds it
    recent: tuple[str, ...] = ()  # orders just before: dangers may be split over them
    seen: tuple[str, ...] = ()  # what is or was seen, in words; data, never an order
    unconfirmed: str = ""  # the order that waits for a yes, "" when none does


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Understanding:
    """One instruction: either goals, or a reply that says why not."""

    text: str
    goals: tuple[Goal, ...] = ()
    reply: Reply | None = None
    parsed: tuple[Clause, ...] = ()
    embedding: Array | None = field(default=None)  # pooled sentence, (384,) float32
    caution: str = ""  # what to look for in the scene before doing it
    awaits: str = ""  # the order that is done once the user says yes
