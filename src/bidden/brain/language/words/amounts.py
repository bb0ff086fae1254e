# ruff: noqa: SIM905 - word lists read best as one string
"""Amounts in words or digits: "a metre and a half", "90°", "half a step"."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Dimension = Literal["length", "angle", "bare", "bit"]
STEP_M: Final = 0.5  # one step, the same for everyone who asks
_LENGTHS: Final[dict[str, float]] = {
    **dict.fromkeys("m metre metres meter meters mtr mtrs".split(), 1.0),
    **dict.fromkeys("cm centimetre centimetres centimeter centimeters".split(), 0.01),
    **dict.fromkeys("mm millimetre millimetres millimeter millimeters".split(), 0.001),
    **dict.fromkeys("km kilometre kilometres kilometer kilometers".split(), 1000.0),
    **dict.fromkeys("ft foot feet".split(), 0.3048),
    **dict.fromkeys("inch inches".split(), 0.0254),
    **dict.fromkeys("yd yard yards".split(), 0.9144),
    **dict.fromkeys("mile miles".split(), 1609.344),
    **dict.fromkeys("step steps pace paces stride strides".split(), STEP_M),
}
_ANGLES: Final[dict[str, float]] = {
    **dict.fromkeys("degree degrees deg degs °".split(), math.pi / 180),
    **dict.fromkeys("radian radians rad rads".split(), 1.0),
    **dict.fromkeys("turn turns rotation rotations revolution revolutions".split(),
                    2 * math.pi),
    **dict.fromkeys("circle circles spin spins".split(), 2 * math.pi),
}  # fmt: skip
_ONES: Final = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen "
        "fourteen fifteen sixteen seventeen eighteen nineteen".split()
    )
}
_TENS: Final = {
    word: 10 * value
    for value, word in enumerate(
        "twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2
    )
} | {"fourty": 40}
_LOOSE: Final = {"couple": 2.0, "few": 3.0, "several": 3.0, "dozen": 12.0, "pair": 2.0}
_FRACTIONS: Final = {
    "half": 0.5, "quarter": 0.25, "third": 1 / 3, "quarters": 0.25, "thirds": 1 / 3
}  # fmt: skip
_BEFORE_UNIT: Final = frozenset(
    "of a an small big little tiny large full whole more long short complete "
    "single".split()
)
AMOUNT_WORDS: Final = frozenset(
    {*_LENGTHS, *_ANGLES, *_ONES, *_TENS, *_LOOSE, *_FRACTIONS, "hundred", "thousand"}
    | set("million pi infinite infinity inf nan point bit little slightly bits".split())
)


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with its dimension, [m], [rad] or as said."""

    value: float
    dimension: Dimension


def read_amount(tokens: Sequence[str], start: int) -> tuple[Amount, int] | None:
    """The longest amount that begins at a token, and the token after it."""
    first = _read_one(tokens, start)
    if first is None:
        return None
    amount, end = first
    if amount.dimension in ("length", "angle") and _at(tokens, end) == "and":
        second = _read_one(tokens, end + 1)  # "one metre and twenty centimetres"
        if second and second[0].dimension == amount.dimension:
            after = _at(tokens, second[1])
            if second[0].value < amount.value and after in ("", "forward", "."):
                total = amount.value + second[0].value
                return Amount(total, amount.dimension), second[1]
    return amount, end


def _read_one(tokens: Sequence[str], start: int) -> tuple[Amount, int] | None:
    word = _at(tokens, start)
    if word == "slightly":
        return Amount(1.0, "bit"), start + 1
    if word == "a" and _at(tokens, start + 1) in ("bit", "little"):
        end = start + 2 + (_at(tokens, start + 2) == "bit")
        return (Amount(1.0, "bit"), end) if not _unit(_at(tokens, end)) else None
    number = _read_number(tokens, start)
    if number is None:
        return None
    value, end = number
    unit_at = end
    while _at(tokens, unit_at) in _BEFORE_UNIT:
        unit_at += 1
    unit = _unit(_at(tokens, unit_at))
    if unit is None or (word in ("a", "an") and _is_bare_turn(tokens, start, unit_at)):
        if word in ("a", "an", "one"):
            return None  # "a cube", "the red one"
        return Amount(value, "bare"), end
    factor, dimension = unit
    end = unit_at + 1
    if _at(tokens, end) == "and":  # "a metre and a half"
        skip = end + 1 + (_at(tokens, end + 1) in ("a", "one"))
        if (tail := _FRACTIONS.get(_at(tokens, skip))) and not _unit(
            _at(tokens, skip + 1)
        ):
            value, end = value + tail, skip + 1
    return Amount(value * factor, dimension), end


def _read_number(tokens: Sequence[str], i: int) -> tuple[float, int] | None:
    word = _at(tokens, i)
    if word in ("a", "an", "the") and _at(tokens, i + 1) in {*_FRACTIONS, *_LOOSE}:
        return _read_number(tokens, i + 1)
    if word in ("a", "an") and _at(tokens, i + 1) in ("hundred", "thousand"):
        return _read_number(tokens, i + 1)
    if word in ("a", "an"):
        return 1.0, i + 1
    if word in _LOOSE:
        return _LOOSE[word], i + 1
    if word in _FRACTIONS:
        return _FRACTIONS[word], i + 1
    whole = _read_digits(tokens, i) or _read_words(tokens, i)
    if whole is None:
        return None
    value, i = whole
    if _at(tokens, i) in _FRACTIONS:  # "three quarters", "one half"
        return value * _FRACTIONS[_at(tokens, i)], i + 1
    if _at(tokens, i) == "and":  # "two and a half metres", "one and three quarter"
        inner = _read_number(tokens, i + 1)
        after = _at(tokens, i + 1)
        is_part = after in ("a", "one", "three", *_FRACTIONS)
        if inner and is_part and 0.0 < inner[0] < 1.0:
            return value + inner[0], inner[1]
    return value, i


def _read_digits(tokens: Sequence[str], i: int) -> tuple[float, int] | None:
    word = _at(tokens, i)
    if word == "pi":
        value = math.pi
    elif word in ("nan", "inf", "infinity", "infinite"):
        return float(word[:3]), i + 1
    elif word.lstrip("-")[:1].isdigit():
        value = float(word.replace(",", "."))  # "1e999" is infinite: refused later
    else:
        return None
    if _at(tokens, i + 1) == "/":
        below = _at(tokens, i + 2)
        if below.isdigit() and int(below[:9]) > 0:
            return value / float(below), i + 3
    nearest = _at(tokens, i + 1)
    if nearest.isdigit() and _at(tokens, i + 2) == "/" and value == int(value):
        below = _at(tokens, i + 3)  # "1 1/2"
        if below.isdigit() and int(below[:9]) > 0:
            return value + float(nearest) / float(below), i + 4
    return value, i + 1


def _read_words(tokens: Sequence[str], i: int) -> tuple[float, int] | None:
    total = current = 0.0
    start = i
    while (word := _at(tokens, i)) in _ONES or word in _TENS or word in _SCALES:
        if word in _SCALES:
            current = max(current, 1.0) * _SCALES[word]
            if word != "hundred":
                total, current = total + current, 0.0
        else:
            current += _ONES.get(word, 0) + _TENS.get(word, 0)
        i += 1
        if word in _SCALES and _at(tokens, i) == "and":  # "a hundred and twenty"
            i += _at(tokens, i + 1) in {*_ONES, *_TENS}
    if i == start:
        return None
    value = total + current
    if _at(tokens, i) == "point":
        digits = ""
        while (word := _at(tokens, i + 1)) in _ONES and _ONES[word] < 10:
            digits, i = digits + str(_ONES[word]), i + 1
        if digits:
            return value + float(f"0.{digits}"), i + 1
    return value, i


_SCALES: Final = {"hundred": 100.0, "thousand": 1000.0, "million": 1e6}


def _unit(word: str) -> tuple[float, Dimension] | None:
    if word in _LENGTHS:
        return _LENGTHS[word], "length"
    if word in _ANGLES:
        return _ANGLES[word], "angle"
    return None


def _is_bare_turn(tokens: Sequence[str], start: int, unit_at: int) -> bool:
    """True for "a turn" alone: how far is not said."""
    said = set(tokens[start:unit_at])
    return _at(tokens, unit_at) in ("turn", "spin", "rotation", "circle") and not (
        said & {*_FRACTIONS, "full", "whole", "complete"}
    )


def _at(tokens: Sequence[str], i: int) -> str:
    return tokens[i] if i < len(tokens) else ""
