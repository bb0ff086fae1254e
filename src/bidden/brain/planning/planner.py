"""Clauses to goals: what "it" means, what is held, what this robot can do."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Final

import numpy as np

from bidden.core.clauses import Clause, Context, Intent, Reply, ReplyKind, Sort, Thing
from bidden.core.messages import RIGHT, Goal, Skill

ROLE_OF: Final = {
    Sort.OBJECT: "object",
    Sort.RECEPTACLE: "receptacle",
    Sort.LANDMARK: "landmark",
}
_INSIDE: Final = frozenset({"bowl", "bin"})  # things go in them, and on the others
_MAX_PART_RAD: Final = math.radians(120)  # longer turns are cut: 360 degrees is no pose


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What this robot and its world allow; a table for the planner's checks."""

    objects: tuple[str, ...] = ("cube", "ball", "cylinder", "box")
    colours: tuple[str, ...] = ("red", "blue", "green", "yellow", "purple", "orange")
    receptacles: tuple[str, ...] = ("bowl", "tray", "bin")
    landmarks: tuple[str, ...] = (
        "door", "chair", "shelf", "plant", "person", "table",
    )  # fmt: skip
    max_walk_m: float = 10.0  # one order, walking by an amount
    max_turn_rad: float = 2 * math.pi
    max_goals: int = 16  # one instruction

    def __post_init__(self) -> None:
        if not 0.0 < self.max_walk_m < math.inf or not 0.0 < self.max_turn_rad < 100.0:
            raise ValueError("limits of walking and turning must be finite and > 0")


@dataclass(slots=True)
class _State:
    """What is so after the goals planned up to here."""

    last: Thing | None = None  # named last: what "it" means
    place: Thing | None = None  # gone to last: what "there" means
    holding: str | None = None  # phrase, "" for empty hands, None if unknown
    hand: int = RIGHT
    goals: list[Goal] = field(default_factory=list)


class _UnclearError(Exception):
    """Carries the reply that ends planning."""

    def __init__(self, kind: ReplyKind, text: str) -> None:
        super().__init__(text)
        self.reply = Reply(kind=kind, text=text)


class Planner:
    """Turns clauses into goals, or says why not."""

    def __init__(self, abilities: Abilities | None = None) -> None:
        self._abilities = abilities or Abilities()

    def plan(
        self,
        clauses: Sequence[Clause],
        context: Context | None = None,
        *,
        text: str = "",
    ) -> tuple[Goal, ...] | Reply:
        """Goals in the order of doing.

        Args:
            clauses: what the parser found.
            context: what earlier instructions left behind.
            text: the instruction, kept in every goal.
        """
        state = _start(context or Context())
        try:
            for clause in _with_way(clauses):
                for _ in range(clause.times):
                    self._plan_one(clause, state, text)
                    if len(state.goals) > self._abilities.max_goals:
                        limit = self._abilities.max_goals
                        raise _refuse(f"That takes more than {limit} steps at once.")
        except _UnclearError as unclear:
            return unclear.reply
        if not state.goals:
            return Reply(kind=ReplyKind.NOTED, text="There is nothing to do for that.")
        return tuple(state.goals)

    def _plan_one(self, clause: Clause, state: _State, text: str) -> None:
        if clause.hand is not None and clause.intent is not Intent.PUT:
            state.hand = clause.hand if not state.holding else state.hand
        match clause.intent:
            case Intent.MOVE_BY:
                self._move_by(clause, state, text)
            case Intent.WALK_TO | Intent.FACE:
                self._go(clause, state, text)
            case Intent.PICK:
                self._pick(clause, state, text)
            case Intent.PUT:
                self._put(clause, state, text)
            case Intent.BRING:
                self._bring(clause, state, text)
            case Intent.WAVE:
                hand = clause.hand if clause.hand is not None else RIGHT
                if state.holding and hand == state.hand:
                    hand = 1 - hand  # the hand that is free
                state.goals.append(Goal(skill=Skill.WAVE, instruction=text, hand=hand))
            case Intent.STOP:
                state.goals.append(Goal(skill=Skill.STOP, instruction=text))

    def _move_by(self, clause: Clause, state: _State, text: str) -> None:
        assert clause.amount is not None
        dx, dy, dyaw = clause.amount
        way = math.hypot(dx, dy)
        limit_m, limit = self._abilities.max_walk_m, self._abilities.max_turn_rad
        if not way <= limit_m:
            raise _refuse(f"I walk at most {limit_m:g} metres at once.")
        if not abs(dyaw) <= limit + 1e-6:
            raise _refuse(f"I turn at most {math.degrees(limit):.0f} degrees at once.")
        parts = 1
        if abs(dyaw) > math.pi + 1e-6:
            parts = math.ceil(abs(dyaw) / _MAX_PART_RAD)
        amount = np.array([dx, dy, dyaw / parts])
        if way < 1e-3 and abs(dyaw) < 1e-3:
            return
        amount.setflags(write=False)
        state.goals += [
            Goal(skill=Skill.MOVE_BY, instruction=text, amount=amount)
        ] * parts

    def _go(self, clause: Clause, state: _State, text: str) -> None:
        walks = clause.intent is Intent.WALK_TO
        if clause.target is None:
            raise _ask("Where should I go?" if walks else "What should I face?")
        target = self._resolve(clause.target, state)
        if clause.relation == "under":
            raise _refuse(f"I cannot go under the {target.phrase}.")
        state.last = state.place = target
        state.goals.append(
            Goal(
                skill=Skill.WALK_TO if walks else Skill.FACE,
                instruction=text,
                phrases={ROLE_OF[target.sort]: target.phrase},
                relation=_where(clause.relation),
            )
        )

    def _pick(self, clause: Clause, state: _State, text: str) -> None:
        if clause.object is None:
            raise _ask("What should I pick up?")
        if clause.object.sort is Sort.HELD:
            raise _note("I hold it already.")
        thing = self._movable(self._resolve(clause.object, state))
        if state.holding == thing.phrase:
            if state.goals:
                return  # "take hold of it and lift it"
            raise _note(f"I hold the {thing.phrase} already.")
        if state.holding:
            raise _ask(f"I hold the {state.holding}. Where should I put it first?")
        state.last, state.holding = thing, thing.phrase
        state.goals.append(
            Goal(
                skill=Skill.PICK,
                instruction=text,
                phrases={"object": thing.phrase},
                hand=state.hand,
            )
        )

    def _put(self, clause: Clause, state: _State, text: str) -> None:
        thing = self._carried(clause, state)
        if clause.target is None:
            name = f"the {thing.phrase}" if thing is not None else "what I hold"
            raise _ask(f"Where should I put {name}? In a bowl, on a tray, in a bin?")
        target = self._receptacle(self._resolve(clause.target, state, place=True))
        if clause.relation not in ("", "in", "on", "to", "at"):
            how = clause.relation.replace("_", " ")
            raise _refuse(f"I put things in or on the {target.phrase}, not {how} it.")
        if thing is not None and state.holding != thing.phrase:
            if clause.hand is not None:
                state.hand = clause.hand
            self._pick(Clause(intent=Intent.PICK, text="", object=thing), state, text)
        held = state.last if thing is None else thing
        relation = clause.relation if clause.relation in ("in", "on") else ""
        state.goals.append(
            Goal(
                skill=Skill.PUT,
                instruction=text,
                phrases={"receptacle": target.phrase},
                hand=state.hand,
                relation=relation or ("in" if target.noun in _INSIDE else "on"),
            )
        )
        state.last, state.holding = held, ""

    def _bring(self, clause: Clause, state: _State, text: str) -> None:
        thing = self._carried(clause, state)
        if clause.target is None:
            name = f"the {thing.phrase}" if thing is not None else "it"
            raise _ask(f"Where should I bring {name}, or to whom?")
        target = self._resolve(clause.target, state, place=True)
        if thing is not None and state.holding != thing.phrase:
            self._pick(Clause(intent=Intent.PICK, text="", object=thing), state, text)
        state.goals.append(
            Goal(
                skill=Skill.WALK_TO,
                instruction=text,
                phrases={ROLE_OF[target.sort]: target.phrase},
                hand=state.hand,
                relation=_where(clause.relation),
            )
        )

    def _carried(self, clause: Clause, state: _State) -> Thing | None:
        """What is put or brought; None for whatever is in the hand."""
        where = _said(clause.target)
        verb = "put in or on" if clause.intent is Intent.PUT else "bring to"
        question = f"What should I {verb} {where}?" if where else "What do you mean?"
        if clause.object is None:
            if state.holding:
                return _held(state)
            raise _ask(question)
        if clause.object.sort is Sort.PRONOUN and state.holding:
            return _held(state)
        if clause.object.sort is Sort.HELD or (
            clause.object.sort is Sort.PRONOUN
            and (state.last is None or state.last.sort is not Sort.OBJECT)
        ):
            if state.holding == "":
                raise _ask(f"I hold nothing. {question}")
            return _held(state)
        return self._movable(self._resolve(clause.object, state))

    def _resolve(self, thing: Thing, state: _State, *, place: bool = False) -> Thing:
        """The thing itself: pronouns looked up, words and numbers checked."""
        if thing.many and not place:
            name = "" if thing.sort is Sort.PRONOUN else f" {thing.noun}"
            raise _ask(f"I handle one thing at a time. Which{name or ' one'}?")
        if thing.sort is Sort.PRONOUN:
            meant = state.place if thing.noun == "there" else state.last
            if meant is None:
                raise _ask(f"What do you mean by '{thing.noun}'?")
            return meant
        if thing.sort is Sort.HELD:
            raise _ask("Where should I go with it?" if place else "I hold it already.")
        if thing.sort is Sort.UNKNOWN:
            raise _UnclearError(
                ReplyKind.UNKNOWN,
                f"I do not know any '{thing.noun[:40]}'. {self._known()}",
            )
        return thing

    def _movable(self, thing: Thing) -> Thing:
        if thing.sort is not Sort.OBJECT:
            raise _refuse(
                f"I cannot carry a {thing.noun}. I can carry a "
                f"{_list(self._abilities.objects)}."
            )
        if thing.noun == "object" and not thing.colour:
            raise _ask("Which one? Say its colour and shape, like 'the red cube'.")
        return thing

    def _receptacle(self, thing: Thing) -> Thing:
        if thing.noun == "object":
            known = _list(self._abilities.receptacles)
            raise _ask(f"Which {thing.phrase} do you mean: a {known}?")
        if thing.noun not in self._abilities.receptacles:
            known = _list(self._abilities.receptacles)
            raise _refuse(f"I can put things in or on a {known}, not a {thing.noun}.")
        return thing

    def _known(self) -> str:
        a = self._abilities
        return (
            f"I know a {_list(a.objects)} ({_list(a.colours)}), a "
            f"{_list(a.receptacles)}, and a {_list(a.landmarks)}."
        )


def plan(
    clauses: Sequence[Clause], context: Context | None = None, *, text: str = ""
) -> tuple[Goal, ...] | Reply:
    """`Planner.plan` for the robot and world that ship."""
    return Planner().plan(clauses, context, text=text)


def _with_way(clauses: Sequence[Clause]) -> Iterator[Clause]:
    """Clauses where "carry it and go to the door" is a pick and a walk."""
    for clause, following in zip_longest(clauses, clauses[1:]):
        goes = following is not None and following.intent is Intent.WALK_TO
        if clause.intent is Intent.BRING and clause.target is None and goes:
            clause = replace(clause, intent=Intent.PICK)
        yield clause


def _start(context: Context) -> _State:
    return _State(
        last=thing_of(context.last_object) if context.last_object else None,
        place=thing_of(context.last_place) if context.last_place else None,
        holding=context.holding,
        hand=RIGHT if context.hand is None else context.hand,
    )


def thing_of(phrase: str) -> Thing:
    """The thing that a canonical phrase names: "red cube", "low table"."""
    *adjectives, noun = phrase.split() or ["object"]
    known = Abilities()
    sort = Sort.OBJECT
    if noun in known.receptacles:
        sort = Sort.RECEPTACLE
    elif noun in known.landmarks:
        sort = Sort.LANDMARK
    colour = next((word for word in adjectives if word in known.colours), "")
    side = next((word for word in adjectives if word != colour), "")
    return Thing(sort=sort, noun=noun, colour=colour, side=side)


def _held(state: _State) -> Thing | None:
    return thing_of(state.holding) if state.holding else None


def _where(relation: str) -> str:
    """A relation that changes where to stand; the others mean "at it"."""
    return relation if relation in ("left_of", "right_of", "behind") else ""


def _said(thing: Thing | None) -> str:
    if thing is None or thing.sort is Sort.PRONOUN:
        return ""
    return f"the {thing.phrase}"


def _list(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + " or " + words[-1]


def _ask(text: str) -> _UnclearError:
    return _UnclearError(ReplyKind.QUESTION, text)


def _refuse(text: str) -> _UnclearError:
    return _UnclearError(ReplyKind.REFUSAL, text)


def _note(text: str) -> _UnclearError:
    return _UnclearError(ReplyKind.NOTED, text)
