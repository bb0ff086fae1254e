"""Words around an order that only ask to be obeyed, taken off."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Collection, Iterator
from importlib import resources
from typing import Final

from .letters import tidy


def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")


_WRAPPERS: Final = tuple(
    re.compile(line)
    for line in _file("wrappers.txt").splitlines()
    if line and not line.startswith("#")
)
_LISTS: Final = {
    name: frozenset(words.split())
    for name, words in tomllib.loads(_file("talk.toml")).items()
}
FOREIGN: Final = _LISTS["foreign"]  # small words of other languages
_TALK: Final = _LISTS["talk"]  # of orders, rules and roles
_SMALL: Final = _LISTS["small"]
_CLAUSES: Final = re.compile(r"(?<=[.,;:!?])\s+")
_WORDS: Final = re.compile(r"[a-z]+(?:'[a-z]+)?")
_BETWEEN: Final = re.compile(r"(?<=[.,;:!?])\s+|\s+(?:-{1,2}|\||/{1,2}|=>|->)\s+|\n+")
_MARKUP: Final = (
    (re.compile(r"<(?:/|\|)?[\w|\s=\"'-]{1,40}>|\[/?\w+\]"), ". "),
    (re.compile(r"```\w*|~~~\w*"), ". "),
    (re.compile(r"[\"'](?:\w+)[\"']\s*:"), ". "),
    (re.compile(r"\b(?:print|echo|return|def|exec|eval|say|run|execute|do|robot\.\w+|"
                r"await|console\.log)\s*\(", re.I), " "),
    (re.compile(r"^[ \t]*#{1,6}[ \t]*(.*)$", re.M), r". \1. "),
    (re.compile(r"^[ \t]*(?:[-*>]+|\d+[.)])[ \t]+", re.M), ". "),
    (re.compile(r"\n[ \t]*\n"), ". "),
    (re.compile(r"(?<!\w)[*_]{1,3}|[*_]{1,3}(?!\w)"), " "),
    (re.compile(r"[\"“”„«»{}\[\]()<>`\\=^]+|#{2,}"), " "),
)  # fmt: skip
_POLITE_FIRST: Final = re.compile(
    r"^(?:(?:hey|hi|hello|dear robot|dear|ok|okay|please|kindly|robot)[, ]+|"
    r"(?:could|can|would|will) you (?:please|kindly|be so kind(?: as)? to)[, ]+|"
    r"would you be so kind (?:as )?to |"
    r"(?:if you don't mind|if possible|if you please|if it's no trouble)[, ]+|"
    r"i(?: would|'d) (?:be (?:very |so )?grateful|really appreciate it|appreciate it) "
    r"if you (?:could|would) |it would be (?:great|lovely|nice|wonderful|kind) if you "
    r"(?:could|would) )+"
)
_POLITE_LAST: Final = re.compile(
    r"(?:[,. ]+(?:please|kindly|thanks|thank you|thank you (?:very|so) much|"
    r"many thanks|thanks a lot|thanks in advance|thank you in advance|cheers|"
    r"if you don't mind|if you please|i appreciate it|much appreciated))+(?=[.!?]*$)"
)


def strip_markup(text: str) -> str:
    """A text without the signs of mark-up, quotes and program code."""
    text = _from_json(text)
    for pattern, plain in _MARKUP:
        text = pattern.sub(plain, text)
    return text


def _from_json(text: str) -> str:
    """What the fields of an object say, in its place; short ones are its settings."""
    start, end = text.find("{"), text.rfind("}")
    if not 0 <= start < end:
        return text
    try:
        found = json.loads(text[start : end + 1])
    except (ValueError, RecursionError):
        return text
    said = [value for value in _leaves(found) if len(value.split()) > 1]
    said = said or list(_leaves(found))
    return f"{text[:start]}. {'. '.join(said)}. {text[end + 1 :]}" if said else text


def _leaves(found: object) -> Iterator[str]:
    if isinstance(found, str):
        yield found
    elif isinstance(found, dict | list):
        for value in found.values() if isinstance(found, dict) else found:
            yield from _leaves(value)


def unwrap(text: str, physical: Collection[str] = frozenset()) -> str:
    """Without the phrases that only ask to be obeyed, if any other word is left.

    Args:
        text: folded.
        physical: words of what can be done and acted on; a clause that has one of
            them is never taken for talk about orders.
    """
    text = _without_talk(text, physical) if physical else text
    bare = text
    for wrapper in _WRAPPERS:
        bare = wrapper.sub(" ", bare)
    if bare != text:
        start = r"^(?:[\s.,;:!?]*(?:and|so|then|now)\b)+(?=[\s.,;:!?])"
        bare = re.sub(start, "", bare)
    bare = tidy(bare) if _WORDS.search(bare) else text
    return _polite(_without_talk(bare, physical)) if physical else bare


def _polite(text: str) -> str:
    bare = tidy(_POLITE_LAST.sub("", _POLITE_FIRST.sub("", text)))
    return bare if _WORDS.search(bare) else text


def _without_talk(text: str, physical: Collection[str]) -> str:
    """Without clauses that speak of orders, rules and roles and of nothing else."""
    clauses = _BETWEEN.split(text)
    kept = [clause for clause in clauses if not _is_talk(clause, physical)]
    bare = " ".join(kept)
    return tidy(bare) if len(kept) < len(clauses) and _WORDS.search(bare) else text


def _is_talk(clause: str, physical: Collection[str]) -> bool:
    words = _WORDS.findall(clause)
    others = [word for word in words if word not in _TALK and word not in _SMALL]
    if not words or any(word in physical for word in others):
        return False
    if clause.endswith(":"):  # "in chapter three the robot hears:"
        return len(others) <= _MOST_OTHERS
    if not others and not any(word in _TALK for word in words):
        return "do" in words and len(words) > 1  # "do it just like she did"
    few = len(others) <= min(_MOST_OTHERS, len(words) // 2)
    return few and any(word in _TALK for word in words)


_MOST_OTHERS: Final = 3  # words of a clause about orders that are not known as such


def in_english(text: str, english: Collection[str]) -> str:
    """Without sentences in other languages, if there is one in English beside them."""
    clauses = _CLAUSES.split(text) if english else [text]
    kept = [clause for clause in clauses if not _is_foreign(clause, english)]
    bare = " ".join(kept)
    return tidy(bare) if 0 < len(kept) < len(clauses) and _WORDS.search(bare) else text


def _is_foreign(clause: str, english: Collection[str]) -> bool:
    words = _WORDS.findall(clause)
    unknown = sum(word.partition("'")[0] not in english for word in words)
    strange = any(
        word.partition("'")[2] in FOREIGN or word in FOREIGN for word in words
    )
    return strange and unknown >= 2 and unknown > 0.6 * len(words)
