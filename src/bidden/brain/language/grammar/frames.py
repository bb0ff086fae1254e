"""What a verb means with the words around it: segments to clauses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from bidden.brain.language.words.amounts import Amount
from bidden.core.clauses import Clause, Intent, Reply, ReplyKind, Sort, Thing

from .moves import Move, question, read_turn, read_walk
from .segments import Arguments

Frame = Callable[[Arguments], list[Clause] | Reply]
ABILITIES: Final = (
    "I can walk to a place, walk or turn by an amount, face something, pick things up, "
    "put them in or on a bowl, tray or bin, bring them to a place or a person, wave "
    "and stop."
)
_INTO: Final = frozenset({"in", "into", "on", "onto", "over"})
_NO_PLACE: Final = frozenset({"between", "through", "around", "under"})
_MOTION: Final = frozenset({"into", "onto", "to"})
_MOVABLE: Final = frozenset({Sort.OBJECT, Sort.PRONOUN, Sort.HELD, Sort.UNKNOWN})


def refusal(text: str) -> Reply:
    """A reply to an order that was understood and cannot be followed."""
    return Reply(kind=ReplyKind.REFUSAL, text=text)


def named(thing: Thing | None) -> str:
    """How a reply names a thing: "the red cube", "it"."""
    if thing is None or thing.sort in (Sort.PRONOUN, Sort.HELD):
        return "it"
    return f"the {thing.phrase}"


def make_clauses(verb: str, args: Arguments) -> list[Clause] | Reply:
    """Meaning of one verb kind of the lexicon with its arguments."""
    if args.alternatives:
        return question("You gave me a choice; which one do you want?")
    if "HANDS" in args.markers and verb != "wave":
        return refusal("I use one hand at a time: left or right.")
    clauses = _FRAMES[verb](args)
    if isinstance(clauses, Reply):
        return clauses
    return [replace(c, hand=args.hand, times=args.times) for c in clauses]


def _clause(
    intent: Intent,
    *,
    object: Thing | None = None,
    target: Thing | None = None,
    relation: str = "",
    amount: Move | None = None,
) -> Clause:
    canonical = {"into": "in", "onto": "on", "over": "in"}
    return Clause(
        intent=intent, text="", object=object, target=target, amount=amount,
        relation=canonical.get(relation, relation),
    )  # fmt: skip


def _go(
    args: Arguments, *, ahead: str = "front", step: bool = False
) -> list[Clause] | Reply:
    moved = [t for t in args.direct + args.subject if t.sort in _MOVABLE]
    if (
        moved and args.targets
    ):  # "walk it over to the door", "the cube goes in the bowl"
        return _move(args)
    lengths = [m for m in args.moves if isinstance(m, Amount)]
    if args.targets:
        odd = next((r for r, _ in args.targets if r in _NO_PLACE), "")
        if odd:
            return refusal(f"I can walk to a place, not {odd} things.")
        if lengths:
            return question(
                "Do you mean all the way, or by an amount? Tell me one of the two."
            )
        return _each_place(Intent.WALK_TO, args)
    if args.direct:
        return [_clause(Intent.WALK_TO, target=thing) for thing in args.direct]
    if args.moves or step:
        return _moves(read_walk(args.moves or [ahead], ahead=ahead, step=step))
    if ahead == "back":
        return question("How far back? For example: one metre, or two steps.")
    target = _unknown(args) if args.words else None
    if "THERE" in args.markers:
        target = Thing(sort=Sort.PRONOUN, noun="there")
    return [_clause(Intent.WALK_TO, target=target)]


def _step(args: Arguments) -> list[Clause] | Reply:
    return _go(args, step=True)


def _retreat(args: Arguments) -> list[Clause] | Reply:
    return _go(args, ahead="back")


def _stay(args: Arguments) -> list[Clause] | Reply:
    if args.targets and any(thing.sort in _MOVABLE for thing in args.direct):
        return _move(args)  # "stand the cube on the tray"
    if args.targets:
        return _each_place(Intent.WALK_TO, args)
    return [_clause(Intent.STOP)]


def _turn(args: Arguments) -> list[Clause] | Reply:
    things = [thing for _, thing in args.targets] + args.direct
    if any(relation in ("on", "from") for relation, _ in args.places):
        return refusal("I cannot switch things on or off. " + ABILITIES)
    if args.targets:
        return _each_place(Intent.FACE, args)
    if things:
        return refusal(
            f"I can turn myself, but not the {things[0].phrase}. " + ABILITIES
        )
    if args.moves:
        return _moves(read_turn(args.moves))
    return question("Which way should I turn, and how far?")


def _face(args: Arguments) -> list[Clause] | Reply:
    if args.targets:
        return _each_place(Intent.FACE, args)
    if args.direct:
        return [_clause(Intent.FACE, target=args.direct[0])]
    if args.moves:
        return _moves(read_turn(args.moves))
    return [_clause(Intent.FACE, target=_unknown(args) if args.words else None)]


def _pick(args: Arguments) -> list[Clause] | Reply:
    recipient, objects = _objects(args)
    if not any(objects) and (args.hand is not None or "HAND" in args.markers):
        return refusal("I move my hands only to pick, put and wave. " + ABILITIES)
    if recipient is not None:
        return [_clause(Intent.BRING, object=o, target=recipient, relation="to")
                for o in objects]  # fmt: skip
    held_by = args.subject[0].sort if args.subject else None
    if held_by is Sort.RECEPTACLE and args.direct:  # "let the bowl hold the cube"
        args.places.append(("in", args.subject.pop(0)))
        return _put(args)
    if any(relation in _MOTION for relation, _ in args.targets):
        return _move(args)
    anchor = args.places[0] if args.places else None
    return [_clause(Intent.PICK, object=_anchored(thing, anchor)) for thing in objects]


def _take(args: Arguments) -> list[Clause] | Reply:
    if not (args.direct or args.subject) and args.targets and not args.words:
        return _go(args)  # "get to the door"
    if any(relation in _MOTION for relation, _ in args.targets):
        place = next(p for p in args.targets if p[0] in _MOTION)
        is_carry = place[0] == "to"
        return _bring(args) if is_carry else _put(args)
    return _pick(args)


def _put(args: Arguments) -> list[Clause] | Reply:
    _, objects = _objects(args)
    if not any(objects) and (args.hand is not None or "HAND" in args.markers):
        return refusal("I move my hands only to pick, put and wave. " + ABILITIES)
    _there(args)
    if "INHAND" in args.markers:
        return [_clause(Intent.PICK, object=thing) for thing in objects]
    places = args.targets
    chosen = [p for p in places if p[1].sort is Sort.RECEPTACLE] or places[-1:]
    if len(chosen) > 1:
        first, second = (thing.phrase for _, thing in chosen[:2])
        return question(f"The {first} or the {second}: where should it go?")
    if not places and [t.sort for t in args.direct] == [Sort.RECEPTACLE]:
        target = args.direct[0]  # "put in bowl" with its little words left out
        return [_clause(Intent.PUT, target=target)]
    if not chosen:
        return [_clause(Intent.PUT, object=thing) for thing in objects]
    at = places.index(chosen[0])
    source = places[at - 1] if at > 0 else None
    beyond = places[at + 1] if at + 1 < len(places) else None
    relation, target = chosen[0]
    return [
        _clause(
            Intent.PUT,
            object=_anchored(thing, source),
            target=_anchored(target, beyond),
            relation=relation,
        )
        for thing in objects
    ]


def _move(args: Arguments) -> list[Clause] | Reply:
    _, objects = _objects(args)
    moved = objects[0]
    if moved is None or not (args.direct or args.subject):
        return _go(args)
    _there(args)
    if not args.targets:
        if args.moves:
            return refusal(
                "I can move things from place to place, not by an amount. " + ABILITIES
            )
        return question(f"Where should I move {named(moved)}?")
    holds = any(thing.sort is Sort.RECEPTACLE for _, thing in args.targets)
    set_down = any(relation in _INTO for relation, _ in args.targets[-1:])
    return _put(args) if holds or set_down else _bring(args)


def _bring(args: Arguments) -> list[Clause] | Reply:
    recipient, objects = _objects(args)
    _there(args)
    for relation, thing in args.targets:
        if thing.sort is Sort.RECEPTACLE and relation in _INTO:
            return _put(args)
    relation, target = "to", recipient
    source: tuple[str, Thing] | None = None
    if args.targets and target is None:
        places = args.targets
        at = next((i for i, p in enumerate(places) if p[0] == "to"), len(places) - 1)
        relation, target = places[at]
        source = places[at - 1] if at > 0 else None
    for benefit, thing in args.places:
        if benefit == "for" and target is None:
            target = thing
    return [
        _clause(
            Intent.BRING, object=_anchored(thing, source), target=target,
            relation=relation,
        )
        for thing in objects
    ]  # fmt: skip


def _belong(args: Arguments) -> list[Clause] | Reply:
    holds = any(thing.sort is Sort.RECEPTACLE for _, thing in args.targets)
    to_place = any(relation == "to" for relation, _ in args.targets)
    return _bring(args) if to_place and not holds else _put(args)


def _empty(args: Arguments) -> list[Clause] | Reply:
    if args.direct:
        return refusal("I cannot empty things out. " + ABILITIES)
    args.direct.append(Thing(sort=Sort.HELD, noun="held"))
    return _put(args)


def _find(args: Arguments) -> list[Clause] | Reply:
    things = args.direct + [thing for _, thing in args.targets]
    name = named(things[0] if things else None)
    return question(f"What should I do with {name}: walk to it, or pick it up?")


def _wave(args: Arguments) -> list[Clause] | Reply:
    movable = [t for t in args.direct if t.sort in (Sort.OBJECT, Sort.RECEPTACLE)]
    if movable:
        return refusal(f"I wave with my hand, not with a {movable[0].phrase}.")
    return [_clause(Intent.WAVE)]


def _stop(args: Arguments) -> list[Clause] | Reply:
    return [_clause(Intent.STOP)]


_FRAMES: Final[dict[str, Frame]] = {
    "go": _go,
    "advance": _go,
    "step": _step,
    "retreat": _retreat,
    "stay": _stay,
    "turn": _turn,
    "face": _face,
    "pick": _pick,
    "take": _take,
    "put": _put,
    "belong": _belong,
    "empty": _empty,
    "move": _move,
    "bring": _bring,
    "wave": _wave,
    "stop": _stop,
    "find": _find,
}


def _objects(args: Arguments) -> tuple[Thing | None, list[Thing | None]]:
    """Who gets it ("give HER the cube", "get it FOR ME") and what is meant.

    What is meant has one entry at least; None says that nothing was named.
    """
    direct: list[Thing | None] = list(args.direct)
    recipient: Thing | None = None
    several = len(direct) > 1 or "HAND" in args.markers  # "give me a hand"
    if several and direct and args.direct[0].noun in ("person", "them"):
        recipient = args.direct[0]
        del direct[0]
    for relation, thing in args.places:
        if relation == "for" and thing.noun == "person" and not args.targets:
            recipient = thing
    if args.subject and (not direct or args.direct[0].sort is Sort.PRONOUN):
        direct = list(args.subject)  # "the red cube: pick it up"
    if not direct:
        direct = [_unknown(args) if args.words else None]
    return recipient, direct


def _anchored(thing: Thing | None, place: tuple[str, Thing] | None) -> Thing | None:
    """A thing with the place that tells which one is meant."""
    if thing is None or place is None or place[0] in ("with", "for"):
        return thing
    return replace(thing, relation=place[0], anchor=place[1])


def _there(args: Arguments) -> None:
    """Let "there" stand for the place that was named before."""
    if "THERE" in args.markers and not args.targets:
        args.places.append(("to", Thing(sort=Sort.PRONOUN, noun="there")))


def _each_place(intent: Intent, args: Arguments) -> list[Clause]:
    places = args.targets
    if args.joined:
        return [_clause(intent, target=t, relation=r) for r, t in places]
    beyond = places[1] if len(places) > 1 else None
    relation, target = places[0]
    return [_clause(intent, target=_anchored(target, beyond), relation=relation)]


def _moves(read: list[Move] | Reply) -> list[Clause] | Reply:
    if isinstance(read, Reply):
        return read
    return [_clause(Intent.MOVE_BY, amount=move) for move in read]


def _unknown(args: Arguments) -> Thing:
    return Thing(sort=Sort.UNKNOWN, noun=" ".join(args.words[:3]))
