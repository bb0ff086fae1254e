# ruff: noqa: SIM905 - word lists read best as one string
"""Tier 2: rules on who does what to what. One function, one danger.

A rule reads one event and what earlier events left behind (what was switched on), so
that a danger split over two orders is still seen when they are judged together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from .concepts import Event

Test = Callable[[Event, "Traces"], bool]
_ALIVE: Final = frozenset({"person", "animal", "child"})
_STUFF: Final = frozenset(
    "electronics fragile heavy sharp metal furniture heater plain toxic flame liquid "
    "food sealed valuables".split()
)
_VICTIMS: Final = frozenset({"food", "person", "animal", "child"})
_BESIDE: Final = tuple(
    "near under on onto in into inside against next at to toward over beside by".split()
)
_SOFT: Final = frozenset({"pillow", "cloth", "towel", "blanket", "teddy bear", "sheet"})
_AIRWAYS: Final = frozenset({"face", "mouth", "nose"})
_AIRLESS: Final = frozenset({"pillow", "blanket", "plastic", "plastic bag"})
_STAIRS: Final = frozenset({"stairs", "stairway", "staircase", "stair"})
_GAMES: Final = frozenset({"chess", "cards", "game", "tennis", "race", "draughts"})
_LOCKED: Final = frozenset({"safe", "locker", "cabinet", "drawer"})
_TAKING: Final = frozenset({"take", "take away", "grab", "get", "pick", "wash"})
_MEDICINE: Final = frozenset(
    {"medicine", "pill", "pills", "medication", "drug", "drugs", "painkillers"}
)
_LIGHTERS: Final = frozenset({"lighter", "matches", "match", "blowtorch", "torch"})
_BURNING: Final = frozenset({"ember", "embers", "coals", "cigarette"})
_SPLINTERS: Final = frozenset(
    {"needle", "broken glass", "crushed glass", "ground glass", "razor blade"}
    | {"razor blades", "shards", "glass shards"}
)
_GASSING: Final = frozenset({"vinegar", "ammonia", "acid", "toilet cleaner"})
_SOAPS: Final = frozenset(
    {"soap", "shampoo", "detergent", "dish soap", "spray", "hand sanitizer"}
)
_DRUNK_FROM: Final = frozenset({"bottle", "cup", "mug", "glass", "jug", "thermos"})
_HEARTHS: Final = frozenset({"fireplace", "campfire", "bonfire", "grill", "barbecue"})
_TOYS: Final = frozenset({"ball", "basketball", "pillow", "cube", "block", "football"})
_SPILLS_OK: Final = frozenset({"recipient", "bin", "water_place"})


@dataclass(slots=True)
class Traces:
    """What the events before this one left behind."""

    powered: set[str] = field(default_factory=set)  # classes of what was switched on
    inside: set[str] = field(default_factory=set)  # classes of what was put somewhere
    place: set[str] = field(default_factory=set)  # classes of where it was put

    def after(self, event: Event) -> None:
        """Take one event in."""
        if "turn_on" in event.verbs:
            self.powered |= event.theme
        if "turn_off" in event.verbs:
            self.powered -= event.theme
        if event.verbs & {"place", "fill", "pour"}:
            self.inside |= event.theme
            self.place |= event.goal()


@dataclass(frozen=True, slots=True)
class Rule:
    """One danger, and what is said about it."""

    name: str
    test: Test
    reason: str
    firm: bool = True  # refuses by itself; others only weigh in the learned score


def _smothers(e: Event) -> bool:
    """Whether a face is covered with what lets little air through."""
    on = e.goal("over", "on", "onto", "against", "across")
    covers = "shut" in e.verbs and e.theme & _ALIVE
    lays = e.verbs & {"place", "drop", "throw"} and on & _ALIVE
    air = e.words & _AIRWAYS or ("head" in e.words and "plastic bag" in e.words)
    return bool(air and e.words & _AIRLESS and (covers or lays))


def _swings(e: Event) -> bool:
    """Whether something is driven against somebody."""
    driven = "threaten" in e.verbs and e.verb not in ("point", "aim", "wave", "charge")
    return driven and bool(e.goal("at", "into", "against", "on", "over") & _ALIVE)


def _handles_roughly(e: Event) -> bool:
    """Whether a child or an animal is shaken, thrown or let fall."""
    if not e.theme & {"child", "animal"} or e.theme - _ALIVE:
        return False
    if e.verb == "shake":
        return not e.goals or bool(e.manner & {"careless"})
    where = e.goal("off", "over", "down", "against", "from", "into")
    falls = e.verbs & {"drop", "throw"} and any(
        p in ("off", "over", "down", "against", "from") for p, _ in e.goals
    )
    return bool(falls or (e.verbs & {"drop", "throw"} and where & {"water_place"}))


def _shoves(e: Event) -> bool:
    """Whether somebody is pushed where stairs are."""
    pushed = e.verb in ("push", "shove") and e.theme & _ALIVE
    return bool(pushed and e.words & _STAIRS)


def _hurt(e: Event, _: Traces) -> bool:
    if _smothers(e) or _shoves(e) or _swings(e) or _handles_roughly(e):
        return True
    towards = e.goal("at", "on", "onto", "over", "into", "against", "in", "toward")
    hits = e.theme & _ALIVE or (towards & _ALIVE and not e.theme & {"food", "plain"})
    if e.verbs & {"hurt", "cut", "ignite", "submerge", "wreck"}:
        game = e.verb == "beat" and any(p == "at" for p, _ in e.goals)
        game = game or bool(e.words & _GAMES)
        game = game or _candles(e)
        return bool(hits) and "with" not in e.verb and not game
    if e.verbs & {"throw", "drop"}:
        return bool(e.goal("at", "on", "onto", "over") & _ALIVE)
    return "pour" in e.verbs and bool(towards & _ALIVE) and (
        bool(e.manner & {"hot"}) or bool(e.theme & {"toxic"})
    )  # fmt: skip


def _candles(e: Event) -> bool:
    """Whether something named before is lit: "set out the candles, light them"."""
    return e.verb == "light" and "them" in e.words and not e.goals


def _arms_a_child(e: Event) -> bool:
    """Whether a child gets fire: "hand the toddler the lighter"."""
    given = e.verbs & {"gentle", "eat", "place"} and e.verb not in _TAKING
    near = e.theme | e.goal("to", "with", "for")
    away = any(p in ("from", "off") for p, _ in e.goals)
    return bool(given and "child" in near and e.words & _LIGHTERS) and not away


def _weapon(e: Event, _: Traces) -> bool:
    if _arms_a_child(e):
        return True
    used = e.goal("with", "using")
    armed = used if e.verb == "play" else e.theme | used  # "play dynamite"
    at = e.goal("at", "to", "toward", "towards", "near", "with", "for", "beside")
    if "weapon" in armed:
        return bool(e.verbs) and not (e.words & _LOCKED and e.verbs & {"place", "shut"})
    if "sharp" in e.theme and e.verbs & {"threaten", "throw", "eat"}:
        return bool(at & _ALIVE) or "threaten" in e.verbs or "throw" in e.verbs
    if "sharp" in e.theme and e.verbs & {"place", "gentle", "eat"}:
        away = any(p in ("from", "off") for p, _ in e.goals) or e.verb in _TAKING
        return bool((at | e.theme) & {"child", "animal"}) and not away
    return "threaten" in e.verbs and bool(e.theme & {"sharp"})


def _poison(e: Event, t: Traces) -> bool:
    if e.verbs & {"mix", "pour"} and "bleach" in e.words and e.words & _GASSING:
        return True
    toxic = "toxic" in e.theme and not e.theme & {"food"}
    if e.words & _MEDICINE and not (e.theme | e.goal()) & {"child", "animal", "food"}:
        toxic = False
    if "eat" in e.verbs and e.words & {"me", "us"} and e.verb not in ("feed", "eat"):
        toxic = False
    if e.verbs & {"eat", "mix", "pour", "place", "fill"} and toxic:
        reached = e.goal("to", "in", "into", "on", "with", "onto", "over") & _VICTIMS
        return bool(reached) or "eat" in e.verbs
    if e.verbs & {"place", "mix"} and e.words & _SPLINTERS:
        return "food" in e.goal("in", "into", "inside", "over")
    if e.verbs & {"fill"} and e.theme & {"recipient", "fragile"}:
        what = e.goal("with") & {"toxic"} and not e.words & (_SOAPS | _MEDICINE)
        return bool(what and e.words & _DRUNK_FROM)
    fed = e.verbs & {"eat"} and e.goal("with", "to") & {"toxic"}
    mixed = "mix" in e.verbs and "toxic" in (e.theme & e.goal("with", "and"))
    return bool(fed) or bool(mixed)


def _fire(e: Event, t: Traces) -> bool:
    burnable = e.theme & (_STUFF | _ALIVE | {"flammable", "recipient"})
    if "ignite" in e.verbs and burnable and not _candles(e):
        lit = e.theme <= {"flame", "heater", "electronics"} or "gas" in e.words
        return not (lit and e.verb == "light") and not e.words & _HEARTHS
    if e.verb == "set" and "lit" in e.manner:  # "set it on fire"
        return bool(e.theme - {"heater", "electronics", "fragile"})  # or running
    if "pour" in e.verbs and e.words & _BURNING and {"hot", "lit"} & e.manner:
        return bool(e.goal("in", "into", "on", "onto") & {"flammable", "bin"})
    aflame = "flame" in e.theme and bool({"lit"} & e.manner or "flame" in t.powered)
    if e.verbs & {"place", "throw", "drop"} and aflame:
        beside = e.goal("under", "near", "on", "onto", "beside", "next", "against")
        return bool(e.goal("in", "into", "inside") or beside & {"flammable"})
    near = e.goal(*_BESIDE)
    flames = {"flame"} if "lit" in e.manner or e.words & {"fire", "flame"} else set()
    hot_place = near & ({"heater"} | flames) and not near & {"electronics"} - {"heater"}
    if e.verbs & {"place", "throw", "drop"} and hot_place:
        in_oven = e.words & {"microwave", "oven"}
        burns = e.theme & {"flammable", "toxic"} and not e.theme & {"food", "recipient"}
        return bool(burns) and not in_oven
    return False


def _electric(e: Event, t: Traces) -> bool:
    wet = e.theme & {"liquid"}
    onto = e.goal(
        "on", "onto", "over", "in", "into", "inside", "near", "with", "against"
    )
    if e.verbs & {"pour", "throw", "drop", "fill", "mix"} and wet:
        return bool(onto & {"electronics", "heater"}) and not onto & {"recipient"}
    if "pour" in e.verbs and e.theme & {"recipient"} and not e.theme & {"food"}:
        return bool(e.goal("on", "onto", "over") & {"electronics"})
    powered = e.theme & {"electronics", "heater"} and "kettle" not in e.words
    if powered and e.verbs & {"submerge", "place", "drop", "throw", "pour"}:
        return bool(onto & {"water_place", "liquid"}) or (
            "submerge" in e.verbs and not e.verbs & {"gentle"}
        )
    sockets = {"outlet", "socket", "power outlet", "toaster", "fuse box"}
    into = e.goal("in", "into", "inside")
    return (
        "place" in e.verbs and "metal" in e.theme and bool(into and e.words & sockets)
    )


def _appliance(e: Event, t: Traces) -> bool:
    into = e.goal("in", "into", "inside")
    if "turn_on" in e.verbs and "heater" in e.theme | t.place:
        return bool(t.place & {"heater"} and t.inside & {"metal", "sealed", "sharp"})
    if "heat" in e.verbs and "microwave" in into | e.words:
        return bool(e.theme & {"metal"}) and not e.theme & {"food", "recipient"}
    if e.verbs & {"heat"} and e.theme & {"electronics", "toxic", "flammable"}:
        return not e.theme & {"food", "heater"}
    if e.verbs & {"place"} and "electronics" in e.theme and not e.theme & {"heater"}:
        on_heat = e.goal("in", "into", "inside", "on", "onto") & {"heater", "cold"}
        return bool(on_heat)
    return False


def _breakage(e: Event, _: Traces) -> bool:
    if "wreck" in e.verbs and not e.verbs & {"place", "gentle"}:
        egg = e.words & {"egg", "eggs"} and e.goal("in", "into", "onto", "over") & {
            "recipient", "bin"
        }  # fmt: skip
        stuff = e.theme & (_STUFF - {"food"}) and not e.theme & {"food", "bin"}
        soft = e.words & _TOYS
        return bool(stuff) and not egg and not soft and "gentle" not in e.manner
    if "drop" in e.verbs:
        onto = e.goal("on", "onto")
        set_down = e.goal("in", "into", "inside", "at") or (
            onto and "floor" not in onto
        )
        is_soft = set_down or "gentle" in e.manner or "off" in e.verb
        breaks = e.theme & {"fragile", "electronics", "heavy", "sharp"}
        return bool(breaks) and not is_soft
    return False


def _throw(e: Event, _: Traces) -> bool:
    if "throw" not in e.verbs or "gentle" in e.manner or e.words & _SOFT:
        return False
    into = e.goal("in", "into", "inside", "on", "onto")
    risky = e.theme & {"fragile", "electronics", "heavy", "sharp", "toxic", "flame"}
    away = into & {"bin"} or (into & {"recipient"} and not risky)
    return bool(risky) and not away


def _spill(e: Event, _: Traces) -> bool:
    if "pour" not in e.verbs or not e.theme & {"liquid", "toxic", "food"}:
        return False
    onto = e.goal("on", "onto", "over", "in", "into", "inside", "across", "at")
    return bool(onto & {"floor", "furniture", "flammable", "safety", "cold"}) and not (
        onto & _SPILLS_OK
    )


def _unattended(e: Event, t: Traces) -> bool:
    hot = (e.theme | t.powered | e.goal()) & {"heater", "flame"}
    acts = e.verbs & {"place", "turn_on", "ignite", "heat"}
    return bool(hot and acts) and "careless" in e.manner


def _safety_device(e: Event, _: Traces) -> bool:
    if e.verbs & {"disable", "turn_off", "wreck", "shut"} and "safety" in e.theme:
        return e.verb not in ("close", "shut", "add", "open")
    return "place" in e.verbs and bool(
        e.goal("against", "across", "over", "near", "on") & {"safety"}
    ) and bool(e.theme & _STUFF)  # fmt: skip


def _privacy(e: Event, _: Traces) -> bool:
    if "spy" in e.verbs and e.theme & {"person", "child", "private"}:
        hidden = "secret" in e.manner or e.theme & {"private"}
        return bool(hidden or e.verb.split()[0] in ("spy", "stalk", "bug", "eavesdrop"))
    sneaky = "secret" in e.manner or e.goal("from", "of", "to", "with") & {"person"}
    return "open_private" in e.verbs and "private" in e.theme and bool(sneaky) and (
        e.verb.split()[0] not in ("read", "share", "open") or "secret" in e.manner
    )  # fmt: skip


def _crime(e: Event, _: Traces) -> bool:
    if "steal" in e.verbs and e.theme & {"valuables", "private", "electronics"}:
        return True
    if "steal" in e.verbs and e.goal("from") & {"person", "valuables"}:
        return True
    return "deceive" in e.verbs and bool(
        e.theme & {"person", "fraud", "private", "valuables", "child"}
    )


def _hate(e: Event, _: Traces) -> bool:
    return "insult" in e.verbs and bool(e.theme & {"person", "hate", "child"})


def _danger_named(e: Event, _: Traces) -> bool:
    means = "cause" in e.manner or bool(e.verbs & {"wreck", "hurt", "mess"})
    named = (e.theme | e.goal()) & {"danger"} and "push" not in e.verb
    return bool(named) and means


RULES: Final[tuple[Rule, ...]] = (
    Rule("harm_to_living", _hurt, "it would hurt somebody"),
    Rule("weapon", _weapon, "a weapon or a blade could hurt somebody"),
    Rule("poison", _poison, "it could poison somebody"),
    Rule("fire", _fire, "it could start a fire"),
    Rule("electric_shock", _electric, "liquid and electricity do not go together"),
    Rule("appliance_misuse", _appliance, "that does not belong in such an appliance"),
    Rule("breakage", _breakage, "it would break something"),
    Rule("throwing", _throw, "I do not throw things about"),
    Rule("spill", _spill, "it would leave a slippery or spoilt place", firm=False),
    Rule("unattended_heat", _unattended, "nobody would watch the heat"),
    Rule("safety_device", _safety_device, "it would make a safety device useless"),
    Rule("privacy", _privacy, "it would intrude on somebody's privacy"),
    Rule("theft_or_fraud", _crime, "it would take or trick what is not ours"),
    Rule("insult", _hate, "it would insult somebody"),
    Rule("named_danger", _danger_named, "you name a danger as its aim"),
)


def broken_rules(events: Sequence[Event]) -> list[Rule]:
    """Rules that the events break together, in the table's order."""
    broken: dict[str, Rule] = {}
    traces = Traces()
    for event in events:
        if not event.negated:
            for rule in RULES:
                if rule.name not in broken and rule.test(event, traces):
                    broken[rule.name] = rule
        traces.after(event)
    return [rule for rule in RULES if rule.name in broken]
