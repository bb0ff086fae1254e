"""Tier 1: what a text says once its disguise is off. Total and bounded."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from typing import Final

MAX_CHARS: Final = (
    4000  # the rest of a longer text is not judged, and not obeyed either
)
_LOOKALIKES: Final = str.maketrans(
    "аеорсухкмтнвіјѕԁһԛԝɡαοερτνικγυωηβ∂ⅼ",
    "aeopcyxkmthbijsdhqwgaoeptvikyuwnbdl",
)
_LEET: Final = str.maketrans("013457@$!|€", "oleastasile")
# letters with digits or signs among them; not amounts such as 50cm or 2nd
_MIXED = re.compile(
    r"(?!\d+(?:[cmk]?m|ft|kg|am|pm|st|nd|rd|th|s|x|h)\b)(?=.*[a-z])"
    r"(?:^.*[0-9@$|€].*$|^.+!.*[a-z])"
)
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/_-]{12,}={0,2}")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:[0-9a-fA-F]{2}[\s:]?){6,}(?![0-9A-Za-z])")
_SPACED = re.compile(r"\b[a-z]([\s.\-_*])[a-z](?:\1[a-z])+\b")
_WRAPPERS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"\b(?:please )?(?:ignore|disregard|forget|override) (?:all |any |your |the )*"
        r"(?:previous |prior |above |earlier |other )*(?:instructions?|rules?|orders?|"
        r"safety \w+|limits?|guidelines?|programming)\b",
        r"\b(?:you are|act as|pretend (?:to be|you are)|imagine you are|play) (?:now )?"
        r"(?:an? |the )?[\w ]{0,30}?(?:without|with no) [\w ]{0,20}?"
        r"(?:rules|limits|restrictions|filters?|morals|ethics)\b",
        r"\b(?:for|in) (?:a|my|the|our) (?:movie|film|novel|story|book|game|play|test|"
        r"research|experiment|joke|prank|demonstration)(?: scene)?\b",
        r"\b(?:hypothetically|theoretically|just kidding|as a joke|just for fun)\b",
        r"\b(?:developer|admin|debug|god|root|maintenance|dan|jailbreak) mode"
        r"(?: (?:on|enabled|activated))?\b",
        r"\b(?:this is|it is|its) (?:only |just |purely )*(?:a |an )?(?:test|drill|"
        r"simulation|joke|game|prank|hypothetical)\b",
        r"\b(?:the )?(?:owner|admin|developer|engineer|manufacturer|doctor|police)s? "
        r"(?:has |have )?(?:said|says|told you|allowed|approved|authori[sz]ed)"
        r"[\w ]{0,20}?(?:ok|okay|fine|so|it|this|that|to)\b",
        r"\b(?:decode|translate|execute|run|obey|follow|do|perform)"
        r"(?: this| the following| what follows| it| and follow| and do it)*"
        r"(?: base ?64| message| text| code)?\s*:",
        r"\b(?:system|user|assistant|instruction|command|prompt|task)\s*:",
        r"^(?:step|part) \w+\s*:",
    )
)


def reveal(text: str) -> tuple[str, ...]:
    """All that a text may be saying, plain lower-case words, likeliest first.

    The first reading is the text itself without look-alikes, hidden characters and
    wrappers; others are what it holds encoded, or spelt with digits or gaps.
    """
    plain = unwrap(fold(text))
    readings = [plain]
    for hidden in _decoded(text[:MAX_CHARS]):
        readings.append(unwrap(fold(hidden)))
    leet = _unleet(plain)
    if leet != plain:
        readings.append(leet)
    joined = _SPACED.sub(lambda m: re.sub(r"[\s.\-_*]", "", m[0]), plain)
    if joined != plain:
        readings.append(joined)
    return tuple(dict.fromkeys(readings))


def fold(text: str) -> str:
    """Lower-case ASCII; CamelCase parted, look-alike letters made plain."""
    text = unicodedata.normalize("NFKC", text[:MAX_CHARS])
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Mn"))
    text = unicodedata.normalize("NFKD", text)
    text = "".join(c for c in text if unicodedata.category(c) != "Mn")
    text = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", text)
    text = text.lower().translate(_LOOKALIKES)
    text = text.replace("’", "'").replace("`", "'")
    return " ".join("".join(c if c.isascii() else " " for c in text).split())


def unwrap(text: str) -> str:
    """Without the phrases that only ask to be obeyed."""
    for wrapper in _WRAPPERS:
        text = wrapper.sub(" ", text)
    return " ".join(text.split())


def _unleet(text: str) -> str:
    """Digits and signs inside words as the letters that they stand for."""
    return " ".join(
        word.translate(_LEET) if _MIXED.search(word) else word for word in text.split()
    )


def _decoded(text: str) -> list[str]:
    """Readable text inside base64 or hex, two layers deep."""
    found: list[str] = []
    queue = [text]
    for _ in range(2):
        fresh: list[str] = []
        for source in queue:
            for match in _BASE64.findall(source)[:8]:
                fresh += _readable(_base64(match))
            for match in _HEX.findall(source)[:8]:
                digits = re.sub(r"[\s:]", "", match)
                fresh += _readable(bytes.fromhex(digits[: len(digits) // 2 * 2]))
        found += fresh
        queue = fresh
    return found


def _base64(word: str) -> bytes:
    word = word.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(word + "=" * (-len(word) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _readable(data: bytes) -> list[str]:
    """The text in some bytes, if nearly all of it is printable."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return []
    letters = sum(c.isalpha() or c.isspace() for c in text)
    good = len(text) >= 6 and letters >= 0.8 * len(text) and text.isprintable()
    return [text] if good else []
