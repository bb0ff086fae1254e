# ruff: noqa: SIM905 - word lists read best as one string
"""Words to what they stand for: verbs, things and manners that matter to harm."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Final

PREPOSITIONS: Final = frozenset(
    "in into inside on onto over upon at to toward towards near by beside with under "
    "below against from off across around next behind through until using for "
    "about".split()
)
_BREAKS: Final = frozenset(
    {"and", "then", ",", ";", ".", "but", "while", "before", "after", "until", "so"}
    | {"when", "if", "because", "where", "who", "unless", "although", "as"}
)
# What follows these is no longer what is to be done, until the next verb.
_ASIDES: Final = frozenset(
    "when if because until so before while after where who that unless although".split()
)
_PRONOUNS: Final = frozenset({"it", "them", "this", "that", "these", "those"})
_MAX_TOKENS: Final = 1000
_LONGEST: Final = 4  # words of a name


@dataclass(frozen=True, slots=True)
class Concepts:
    """The lists of `concepts.toml`: name -> the classes it is in."""

    verbs: dict[str, frozenset[str]]
    things: dict[str, frozenset[str]]
    modifiers: dict[str, frozenset[str]]

    @property
    def verb_classes(self) -> tuple[str, ...]:
        """Sorted names of the verb lists."""
        return tuple(sorted(set().union(*self.verbs.values())))

    @property
    def thing_classes(self) -> tuple[str, ...]:
        """Sorted names of the lists of things."""
        return tuple(sorted(set().union(*self.things.values())))

    @property
    def modifier_classes(self) -> tuple[str, ...]:
        """Sorted names of the lists of manners."""
        return tuple(sorted(set().union(*self.modifiers.values())))


@dataclass(slots=True)
class Event:
    """One thing that is to happen: who or what is acted on, and where it goes."""

    verbs: set[str] = field(default_factory=set)  # classes
    verb: str = ""  # as said
    theme: set[str] = field(default_factory=set)
    goals: list[tuple[str, set[str]]] = field(default_factory=list)
    manner: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)  # every known name in it
    negated: bool = False

    def goal(self, *prepositions: str) -> set[str]:
        """Classes of what stands behind these prepositions; all when none is given."""
        return set().union(
            *(
                classes
                for preposition, classes in self.goals
                if not prepositions or preposition in prepositions
            )
        )


@lru_cache(maxsize=1)
def load_concepts() -> Concepts:
    """The shipped lists."""
    text = resources.files(__package__).joinpath("concepts.toml").read_text("utf-8")
    table = tomllib.loads(text)
    return Concepts(
        verbs=_invert(table["verbs"]),
        things=_invert(table["things"]),
        modifiers=_invert(table["modifiers"]),
    )


def _invert(lists: dict[str, str]) -> dict[str, frozenset[str]]:
    classes: dict[str, set[str]] = {}
    for name, words in lists.items():
        for word in words.split():
            classes.setdefault(word.replace("_", " "), set()).add(name)
    return {word: frozenset(found) for word, found in classes.items()}


def tokens_of(text: str) -> list[str]:
    """Words and the marks that part clauses."""
    return re.findall(r"[a-z]+(?:'[a-z]+)?|[,;.]", text.replace("_", " "))[:_MAX_TOKENS]


def stems(word: str) -> tuple[str, ...]:
    """A word and what it may be a form of."""
    found = [word]
    for ending in ("ing", "ed", "es", "s", "er"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            stem = word.removesuffix(ending)
            found += [stem, stem + "e"]
            if len(stem) > 2 and stem[-1] == stem[-2]:
                found.append(stem[:-1])
    if word.endswith("ies"):
        found.append(word[:-3] + "y")
    if word.endswith("ves"):
        found += [word[:-3] + "f", word[:-3] + "fe"]
    irregular = {
        "broke": "break",
        "broken": "break",
        "threw": "throw",
        "thrown": "throw",
        "lit": "light",
        "fed": "feed",
        "stole": "steal",
        "shot": "shoot",
    }
    return (*found, irregular.get(word, word))


def read_events(text: str) -> list[Event]:
    """What is to happen, in order; a verb opens an event, a clause closes it."""
    return _Reader(tokens_of(text)).read()


class _Reader:
    """One pass over the tokens."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._concepts = load_concepts()
        self._events: list[Event] = []
        self._preposition = ""
        self._before: set[str] = set()  # theme of the event before: what "it" means
        self._before_words: set[str] = set()
        self._aside = False  # in a subordinate clause: no theme of the verb before it
        self._fresh = True  # a clause begins here
        self._asks = bool(tokens) and tokens[0] in _ASKING

    def read(self) -> list[Event]:
        i = 0
        while i < len(self._tokens):
            i += self._step(i)
        return self._events

    def _step(self, i: int) -> int:
        word = self._tokens[i]
        if word in _BREAKS:
            self._fresh, self._preposition = True, ""
            self._aside = word in _ASIDES
            return 1
        for length in range(min(_LONGEST, len(self._tokens) - i), 0, -1):
            if self._take(i, self._tokens[i : i + length]):
                return length
        if word in PREPOSITIONS and not self._is_order(i):
            self._preposition = word
        elif word in ("front", "back") and self._preposition == "in":
            self._preposition = "near"
        elif word in _NEGATIONS:
            self._open().negated |= self._fresh
        elif word not in _LEADING and not word.endswith("ly"):
            self._fresh = False
        return 1

    def _take(self, i: int, name: list[str]) -> bool:
        """Use a name that some list holds."""
        text, last = " ".join(name), name[-1]
        manners = self._concepts.modifiers.get(text)
        if manners:
            self._open().manner |= manners
            following = self._tokens[i + len(name) : i + len(name) + 1]
            if text == "off" and _DETERMINERS.issuperset(following or [""]):
                self._preposition = text  # "off the stove", not "turn it off"
            if not self._fresh:
                return True  # "boiling water": no verb
        if self._closes_verb(i, name) or self._verb(i, name):
            return True
        if last == "them" and self._is_part(i):  # "slice one of them"
            self._add(set(self._before), *self._before_words)
            return True
        for form in stems(last):
            classes = self._concepts.things.get(" ".join([*name[:-1], form]))
            if classes:
                if not self._aside:
                    self._add(set(classes), " ".join([*name[:-1], form]))
                return True
        if last in _PRONOUNS and len(name) == 1:
            self._add(set(self._before), *self._before_words)
            return True
        return bool(manners)

    def _verb(self, i: int, name: list[str]) -> bool:
        """Open an event if the name is a verb, where a verb may stand."""
        before = self._tokens[i - 1] if i else ""
        if before in _DETERMINERS or not (
            self._fresh or before in _LEADING or name[0].endswith("ing")
        ):
            return False
        if before in _BEFORE_NOUNS and not name[0].endswith("ing"):
            return False  # "a couple of slices"
        for form in stems(name[0]):
            classes = self._concepts.verbs.get(" ".join([form, *name[1:]]))
            if classes:
                event = Event(verbs=set(classes), verb=" ".join([form, *name[1:]]))
                event.negated = before in _TELLERS  # "I hit my head" asks for nothing
                self._begin(event)
                return True
        return False

    def _is_order(self, i: int) -> bool:
        """Whether "next" says which one, not where."""
        before = self._tokens[i - 1] if i else ""
        return self._tokens[i] == "next" and before in _DETERMINERS

    def _is_part(self, i: int) -> bool:
        """Whether "them" means things named before: "slice one of them"."""
        event = self._events[-1] if self._events else Event()
        named = event.theme and not self._preposition
        part = i and self._tokens[i - 1] == "of" and self._before
        sliced = "cut" in event.verbs and len(self._events) > 1
        return bool(named or part or sliced) and "hurt" not in event.verbs

    def _begin(self, event: Event) -> None:
        event.negated |= self._asks
        if self._events and not self._events[-1].verbs:
            blank = self._events.pop()  # what stood before the verb
            event.manner |= blank.manner
            event.negated |= blank.negated
            self._before = blank.theme or self._before
            self._before_words = blank.words or self._before_words
        elif self._events:
            last = self._events[-1]
            self._before = last.theme or last.goal() or self._before
            self._before_words = set(last.words) or self._before_words
        self._events.append(event)
        self._fresh, self._preposition, self._aside = False, "", False

    def _closes_verb(self, i: int, name: list[str]) -> bool:
        """The particle behind the theme: "turn the stove on", "turn it off"."""
        if len(name) != 1 or not self._events:
            return False
        event = self._events[-1]
        if name[0] in ("away", "out") and "throw" in event.verbs:
            event.verbs = {"gentle"}  # thrown away is thrown in a bin
            return True
        if name[0] not in ("on", "off"):
            return False
        after = self._tokens[i + 1] if i + 1 < len(self._tokens) else "."
        if event.verb not in ("turn", "switch", "toggle", "power") or (
            after not in _BREAKS and after not in ("for", "at", "with", "to")
        ):
            return False
        event.verbs = {"turn_on" if name[0] == "on" else "turn_off"}
        return True

    def _open(self) -> Event:
        if not self._events:
            self._events.append(Event())
        return self._events[-1]

    def _add(self, classes: set[str], *words: str) -> None:
        event = self._open()
        event.words |= set(words)
        if self._preposition and event.verbs:
            event.goals.append((self._preposition, classes))
        elif not event.goals:
            event.theme |= classes
        self._fresh = False


_ASKING: Final = frozenset(
    "what who why how when where which whose is are does did".split()
)
_TELLERS: Final = frozenset({"i", "we"})
_NEGATIONS: Final = frozenset({"not", "don't", "never", "no", "avoid"})
_DETERMINERS: Final = frozenset(
    "the a an my your his her their our some this these those lit best last".split()
)
_BEFORE_NOUNS: Final = frozenset({"of", "by", "about"})
# Words that a verb may follow.
_LEADING: Final = frozenset(
    "to and then please you by not never don't go come just help must will should "
    "can could would i we let's let me us him without while robot hey do ok now first "
    "also kindly want need try be sure make may shall it by mind about of".split()
)
