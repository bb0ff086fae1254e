# ruff: noqa: SIM905 - word lists read best as one string
"""Texts inside texts: base64, hex, escapes, and alphabets turned round."""

from __future__ import annotations

import base64
import binascii
import html
import math
import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import unquote_plus

from .letters import MAX_CHARS, fold

_BASE64: Final = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/_-]{12,}={0,2}")
_BASE32: Final = re.compile(r"(?<![A-Za-z0-9=])[A-Z2-7]{16,}={0,6}")
_HEX: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:0x)?(?:(?:\\x|0x)?[0-9a-fA-F]{2}[\s:,]*){6,}(?![0-9A-Za-z])"
)
_BITS: Final = re.compile(r"(?<!\d)(?:[01]{8}[\s,]*){4,}(?!\d)")
_NUMBERS: Final = re.compile(r"(?<!\d)(?:1?\d{2}[\s,;]+){5,}1?\d{2}(?!\d)")
_MORSE: Final = re.compile(r"(?<!\S)[.\-/| ]{16,}(?!\S)")
_ESCAPE: Final = re.compile(r"\\u\{?([0-9a-fA-F]{4})\}?|\\x([0-9a-fA-F]{2})")
_PERCENT: Final = re.compile(r"%[0-9a-fA-F]{2}")
_WORD: Final = re.compile(r"[a-z]{3,}")
_MORSE_LETTERS: Final = dict(
    zip(
        ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. "
        "... - ..- ...- .-- -..- -.-- --..".split(),
        "abcdefghijklmnopqrstuvwxyz",
        strict=True,
    )
)
_LEFT_HANGING: Final = re.compile(
    r"\b(?:the|a|an|my|of|with|into|onto)(?: (?:in|on|to|and|at|from|into|onto|over|"
    r"under|of|with|for|then|is|it)\b|[.!?]*$)|^(?:[.!?]|\w+[.!?] )"
)


def open_codes(text: str) -> str:
    """The text with what it holds in some code read out, two layers deep."""
    for _ in range(2):
        if len(_PERCENT.findall(text)) > 1:
            text = unquote_plus(text)
        text = html.unescape(text)
        text = _ESCAPE.sub(lambda m: chr(int(m[1] or m[2], 16)), text)
        readers: tuple[tuple[re.Pattern[str], Callable[[str], bytes]], ...] = (
            (_BITS, _bits), (_HEX, _hex), (_NUMBERS, _numbers), (_BASE32, _base32),
            (_BASE64, _base64), (_MORSE, _morse),
        )  # fmt: skip
        for pattern, read in readers:
            text = _opened(text, pattern, read)
    return text.encode("utf-8", "ignore").decode("utf-8")[:MAX_CHARS]


def _opened(text: str, pattern: re.Pattern[str], read: Callable[[str], bytes]) -> str:
    return pattern.sub(lambda m: _readable(read(m[0])) or m[0], text)


def turned_back(text: str, english: Mapping[str, int]) -> str:
    """The text itself, or what it says read backwards or with letters shifted.

    Only where it is nearly all English then; for a text that is none as it stands.
    """
    if len(_WORD.findall(text.lower())) < _FEWEST:
        return text
    backwards = text[::-1]
    if _share(backwards, english) >= _READABLE:
        in_order = " ".join(word[::-1] for word in text.split())
        hanging = [
            len(_LEFT_HANGING.findall(order.lower())) for order in (backwards, in_order)
        ]
        return backwards if hanging[0] <= hanging[1] else in_order
    text = text.lower()
    for shift in range(1, 26):
        turned = "".join(
            chr((ord(c) - 97 + shift) % 26 + 97) if "a" <= c <= "z" else c for c in text
        )
        if _share(turned, english) >= _READABLE:
            return turned
    return text


_FOREIGN: Final = 0.4  # share of words in the list, above which a text is English
_RARE: Final = 10**6  # rank of words that are no sign of English
_READABLE: Final = 0.75  # share that a turned text must reach
_FEWEST: Final = 2  # words to tell by


def is_english(text: str, english: Mapping[str, int]) -> bool:
    """Whether it may be English as it stands."""
    return _share(text, english, rarest=_RARE) > _FOREIGN


def _share(text: str, english: Mapping[str, int], *, rarest: float = math.inf) -> float:
    words = _WORD.findall(fold(text))
    common = sum(english.get(word, math.inf) < rarest for word in words)
    return common / max(len(words), 1)


def _hex(text: str) -> bytes:
    digits = re.sub(r"\\x|0x|[\s:,]", "", text)
    return bytes.fromhex(digits[: len(digits) // 2 * 2])


def _bits(text: str) -> bytes:
    return bytes(int(bits, 2) for bits in re.findall(r"[01]{8}", text))


def _numbers(text: str) -> bytes:
    return bytes(int(number) for number in re.findall(r"\d+", text))


def _base32(word: str) -> bytes:
    word = word.rstrip("=")
    try:
        return base64.b32decode(word + "=" * (-len(word) % 8))
    except (binascii.Error, ValueError):
        return b""


def _base64(word: str) -> bytes:
    word = word.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(word + "=" * (-len(word) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _morse(text: str) -> bytes:
    words = re.split(r"\s*[/|]\s*|\s{2,}", text.strip())
    read = (
        "".join(_MORSE_LETTERS.get(sign, "?") for sign in word.split())
        for word in words
    )
    return " ".join(read).encode()


def _readable(data: bytes) -> str:
    """The text in some bytes, if nearly all of it is printable; else ""."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    letters = sum(c.isalpha() or c.isspace() for c in text)
    good = len(text) >= 6 and letters >= 0.8 * len(text) and text.isprintable()
    return text if good else ""
