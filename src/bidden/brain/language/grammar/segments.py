"""Cutting a sentence's items into orders: one verb with what belongs to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from bidden.brain.language.words.amounts import Amount
from bidden.core.clauses import Sort, Thing

from .scan import Item

VERBAL: Final = ("verb", "unsupported")
_TAKES_PLACES: Final = frozenset({"put", "move", "bring", "take", "belong"})
_LATER_FIRST: Final = frozenset({"after", "once", "when"})  # "B after A": A, then B


@dataclass(slots=True)
class Segment:
    """The items of one order."""

    items: list[Item] = field(default_factory=list)
    verb: Item | None = None
    negated: bool = False
    borrows: bool = False  # its verb was said before, in another order

    @property
    def span(self) -> tuple[int, int]:
        """First token and the one after the last."""
        own = self.items[1:] if self.borrows and len(self.items) > 1 else self.items
        return own[0].start, own[-1].end


@dataclass(slots=True)
class Arguments:
    """What stood around a verb, sorted by its part."""

    subject: list[Thing] = field(default_factory=list)  # before the verb
    direct: list[Thing] = field(default_factory=list)  # without a relation
    places: list[tuple[str, Thing]] = field(default_factory=list)
    joined: bool = False  # places were listed with "and"
    moves: list[Amount | str] = field(default_factory=list)  # amounts and directions
    hand: int | None = None
    times: int = 1
    words: list[str] = field(default_factory=list)  # that mean nothing here
    markers: set[str] = field(default_factory=set)
    alternatives: bool = False  # "or"

    @property
    def targets(self) -> list[tuple[str, Thing]]:
        """Places that something can go to."""
        aside = ("with", "for", "from")
        return [(r, thing) for r, thing in self.places if r not in aside]


def in_order(items: list[Item]) -> list[Item]:
    """Items of a sentence in the order of doing: "before", "after" become "then"."""
    at = next((i for i, item in enumerate(items) if item.word in _ORDERING), None)
    if at is None:
        return items
    word, before, after = items[at].word, items[:at], items[at + 1 :]
    if not _has_verb(before):  # "after A, B"
        comma = next((i for i, it in enumerate(after) if it.kind == "comma"), None)
        if comma is None:
            return items
        before, after = after[:comma], before + after[comma + 1 :]
        swap = word == "before"
    else:
        swap = word in _LATER_FIRST
    if not (_has_verb(before) and _has_verb(after)):
        return items
    if swap:
        before, after = after, before
    return [*before, replace(items[at], kind="then", word="then"), *after]


_ORDERING: Final = _LATER_FIRST | {"before"}


def _has_verb(items: Sequence[Item]) -> bool:
    return any(item.kind in VERBAL for item in items)


def segment(items: Sequence[Item]) -> list[Segment]:
    """Orders of one sentence, in order of speech."""
    cutter = _Cutter()
    for i, item in enumerate(items):
        cutter.take(item, items[i + 1 :])
    cutter.close()
    return cutter.done


class _Cutter:
    """Walks over the items of a sentence and closes an order where the next begins."""

    def __init__(self) -> None:
        self.done: list[Segment] = []
        self._open = Segment()
        self._skips_thing = False

    def close(self) -> None:
        """End the order that is open, if it holds anything."""
        current, self._open = self._open, Segment()
        if current.verb is None:
            if all(item.kind == "and" for item in current.items):
                return
            self._borrow_verb(current)
        self.done.append(current)

    def take(self, item: Item, following: Sequence[Item]) -> None:
        """Add one item; `following` are those behind it."""
        if item.kind in ("end", "then"):
            self.close()
        elif item.kind in ("and", "comma"):
            self._take_link(item, following)
        elif item.kind == "not":
            self._take_negation(following)
        elif item.kind in VERBAL:
            self._take_verb(item)
        elif item.kind == "thing" and self._skips_thing:
            self._skips_thing = False  # "not the blue one"
        else:
            self._open.items.append(item)

    def _take_link(self, item: Item, following: Sequence[Item]) -> None:
        current, verb = self._open, self._open.verb
        if verb is not None and _leads_in(current, following):
            return  # "go and get": one order
        if verb is not None and _starts_order(item, following):
            self.close()
        elif verb is not None and _repeats_verb(current, following):
            self.close()
            self._open = Segment(verb=verb, items=[verb], negated=current.negated)
            self._open.borrows = True
        elif item.kind == "and" or (following and following[0].kind == "thing"):
            current.items.append(replace(item, kind="and"))

    def _take_negation(self, following: Sequence[Item]) -> None:
        if following and following[0].kind in (*VERBAL, "word"):
            if self._open.verb is not None:
                self.close()
            self._open.negated = True
        else:
            self._skips_thing = True

    def _take_verb(self, item: Item) -> None:
        verb = self._open.verb
        if verb is not None and verb.word == "stop":
            return  # "stop walking"
        if verb is not None and _has_content(self._open):
            self.close()
        elif verb is not None:  # "come wave", "try lifting"
            self._open.items.remove(verb)
        self._open.verb = item
        self._open.items.append(item)

    def _borrow_verb(self, current: Segment) -> None:
        """Let the verb before count again: "turn left, then right"."""
        before = self.done[-1].verb if self.done else None
        kinds = {item.kind for item in current.items}
        moves = kinds & {"direction", "amount"} or {"relation", "thing"} <= kinds
        if before is not None and before.word in _ELLIPTIC and moves:
            current.verb, current.borrows = before, True
            current.items.insert(0, before)


_ELLIPTIC: Final = frozenset({"go", "turn", "face", "step", "advance", "retreat"})


def _has_content(current: Segment) -> bool:
    assert current.verb is not None
    after = current.items[current.items.index(current.verb) + 1 :]
    return any(it.kind not in ("and", "relation", "marker") for it in after)


def _leads_in(current: Segment, following: Sequence[Item]) -> bool:
    """Whether a verb only leads to the next: "go and ...", "turn and look ..."."""
    assert current.verb is not None
    return (
        current.verb.word in ("go", "step", "turn", "find", "move")
        and not _has_content(current)
        and bool(following)
        and following[0].kind in VERBAL
    )


def _starts_order(item: Item, following: Sequence[Item]) -> bool:
    """Whether what follows an "and" or a comma is another order."""
    if not following:
        return False
    first = following[0]
    if first.kind in (*VERBAL, "not"):
        return True
    second = following[1].kind if len(following) > 1 else ""
    return first.kind == "word" and second in ("thing", "relation")


def _repeats_verb(current: Segment, following: Sequence[Item]) -> bool:
    """Whether the verb counts twice: "put A in B and C in D"."""
    assert current.verb is not None
    has_place = any(item.kind == "relation" for item in current.items)
    return (
        current.verb.word in _TAKES_PLACES
        and has_place
        and len(following) > 2
        and (following[0].kind, following[1].kind) == ("thing", "relation")
    )


def arguments(current: Segment) -> Arguments:
    """Sort a segment's items into the parts that frames read."""
    args = Arguments()
    relation = ""
    seen_verb = current.verb is None
    last: Item | None = None
    for item in current.items:
        if item is current.verb:
            seen_verb, relation = True, ""
        elif item.kind == "relation":
            relation = item.word
        elif item.thing is not None:
            relation = _add_thing(args, item.thing, relation, last, seen_verb=seen_verb)
        elif item.kind == "direction":
            _add_direction(args, item, last)
            relation = ""
        else:
            _add_other(args, item)
        last = item
    if relation in ("in", "into", "on", "onto"):
        args.markers.add("THERE")  # "drop it in": where we are
    return args


def _add_other(args: Arguments, item: Item) -> None:
    if item.amount is not None:
        args.moves.append(item.amount)
    elif item.kind == "hand":
        args.hand = item.hand
    elif item.kind == "or":
        args.alternatives = True
    elif item.kind == "word":
        args.words.append(item.word)
    elif item.word == "TIMES" and args.moves:
        count = args.moves.pop()
        if isinstance(count, Amount) and 1.0 <= count.value < 100.0:
            args.times = int(count.value)
    elif item.kind == "marker":
        args.markers.add(item.word)


def _add_thing(
    args: Arguments, thing: Thing, relation: str, last: Item | None, *, seen_verb: bool
) -> str:
    """File one noun phrase; returns the relation that the next one stands in."""
    continues = last is not None and last.kind in ("and", "or")
    if relation:
        args.places.append((relation, thing))
    elif continues and args.places and seen_verb:
        args.places.append((args.places[-1][0], thing))
        args.joined = True
    else:
        (args.direct if seen_verb else args.subject).append(thing)
    return ""


def _add_direction(args: Arguments, item: Item, last: Item | None) -> None:
    """File a direction: right behind a thing it tells which one of several."""
    if item.word in ("left", "right") and last is not None and last.thing is not None:
        if args.places and args.places[-1][1] == last.thing:
            relation, thing = args.places[-1]
            args.places[-1] = (relation, replace(thing, side=item.word))
            return
        slot = args.direct or args.subject
        if slot and slot[-1] == last.thing and slot[-1].sort is not Sort.PRONOUN:
            slot[-1] = replace(slot[-1], side=item.word)
            return
    args.moves.append(item.word)
