"""Tier 1: what a text says once its disguise is off. Total and bounded."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Set
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
        r"\b(?:please )?(?:ignore|disregard|forget|override|bypass) (?:all |any |your |"
        r"the |of |these |those |everything in )*(?:previous |prior |above |earlier |"
        r"other |safety |former )*(?:instructions?|rules?|orders?|safety \w+|limits?|"
        r"limitations?|guidelines?|programming|restrictions|filters?|policies|policy)\b"
        r"(?! (?:on|of|in|for|from|at)\b)",  # "ignore the rules", not of what
        r"\b(?:from now on |now )?(?:you are|you're|act as|pretend (?:to be|you are)|"
        r"imagine (?:that )?you are|play|behave like) (?:now )?(?:an? |the )?"
        r"[\w ]{0,30}?(?:without|with no|that has no|who has no|free of) (?:any )?"
        r"[\w ]{0,20}?(?:rules|limits|restrictions|filters?|morals|ethics)"
        r"(?:,? (?:and|or) (?:no |any )?(?:rules|limits|restrictions|morals|ethics))*"
        r"\b",
        r"\b(?:for|in) (?:a|an|my|the|our) (?:school |short |new |fictional )?(?:movie|"
        r"film|novel|story|book|game|play|test|world|project|research|experiment|joke|"
        r"prank|demonstration|video|role ?play)(?: scene)?\b"
        r"(?! (?:about|of|that|on|shop|case))",
        r"\b(?:hypothetically|theoretically|just kidding|as a joke|just for fun|"
        r"as an experiment|for research purposes|for educational purposes)"
        r"(?: speaking)?\b",
        r"\b(?:developer|admin|debug|god|root|maintenance|dan|jailbreak|service|"
        r"unsafe) mode(?: (?:is |now )*(?:on|enabled|activated|active))?\b",
        r"\b(?:this is|it is|it's|its) (?:only |just |purely )*(?:a |an )?(?:test|"
        r"drill|simulation|joke|game|prank|hypothetical|role ?play)\b",
        r"\b(?:(?:the|my|your|our|his|her) )?(?:owner|admin|administrator|developer|"
        r"engineer|manufacturer|doctor|police|boss|supervisor)s? (?:has |have )?"
        r"(?:said|says|told you|allowed|approved|authori[sz]ed|confirmed)"
        r"[\w ]{0,20}?(?:ok|okay|fine|so|it|this|that|to)\b",
        r"\b(?:you have|i have|you've got|i give you) (?:my |full |the )?(?:permission|"
        r"authori[sz]ation|clearance)(?: for this| to do (?:so|this|it))?\b",
        r"\b(?:decode|translate|execute|run|obey|follow|do|perform)"
        r"(?: this| the following| what follows| it| and follow| and do it)*"
        r"(?: base ?64| message| text| code)?\s*:",
        r"\b(?:system|user|assistant|instruction|command|prompt|task|override)\s*:",
        r"^(?:step|part) \w+\s*:",
    )
)
# Small words of other languages; they tell a foreign sentence from a misspelt one.
FOREIGN: Final = frozenset(
    "las los el la de que por para una es lo con esto este todas todos haz tu al te "
    "les des une est il vous fais ceci cela tout toutes dans et le du en sur je das "
    "der bitte mach und ein eine nicht auf alle ist jetzt dem zu mir ich per questo "
    "fai tutte tutti non gli della che di dit het een nu doe je isto voce os uma ao "
    "da jest nie sie prosze bu ve bir lutfen".split()
)
_CLAUSES: Final = re.compile(r"(?<=[.,;:!?])\s+")
_WORDS: Final = re.compile(r"[a-z]+(?:'[a-z]+)?")
_SHORT: Final = {
    "4": "a", "1": "i", "15": "is", "50": "so", "45": "as", "47": "at", "70": "to",
    "0n": "on", "1n": "in", "1t": "it", "1f": "if", "0f": "of", "0r": "or", "n0": "no",
    "5he": "she", "g0": "go", "d0": "do", "1'm": "i'm", "m3": "me", "7o": "to",
}  # fmt: skip
_SHORT_WORD: Final = re.compile(rf"(?<![\w'])(?:{'|'.join(_SHORT)})(?![\w'])")
_OTHER_SCRIPT: Final = re.compile(r"[^\W\d_]*[^\W\d_\x00-\x7f][^\W\d_]*")
_LONGEST: Final = 24  # letters; longer ones are not words


def reveal(text: str, english: Set[str] = frozenset()) -> tuple[str, ...]:
    """All that a text may be saying, plain lower-case words, likeliest first.

    The first reading is the text itself without look-alikes, hidden characters,
    wrappers and sentences in other languages, and with what it holds encoded in its
    place; others are what it may say where it is spelt with digits or gaps.

    Args:
        text: as typed or heard.
        english: what counts as an English word; without it no word is mended.
    """
    folded = _SPACED.sub(
        lambda m: _joined(m) if _joined(m) in english else m[0],
        fold(_open(text[:MAX_CHARS])),
    )
    plain = unwrap(in_english(_mend_digits(folded, english), english))
    readings = [plain]
    leet = _unleet(plain)
    if leet != plain:
        readings.append(leet)
    joined = _SPACED.sub(_joined, plain)
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
    text = text.lower().replace("’", "'").replace("`", "'").replace("。", ". ")
    text = _OTHER_SCRIPT.sub(_latin, text)
    text = "".join(c if c.isascii() else " " for c in text)
    return _tidy(text)


def _joined(match: re.Match[str]) -> str:
    return re.sub(r"[\s.\-_*]", "", match[0])


def _latin(match: re.Match[str]) -> str:
    """A word with its look-alike letters made plain; "" for one in another script."""
    word = match[0].translate(_LOOKALIKES)
    mixed = any(c.isascii() for c in match[0])
    return word if mixed or word.isascii() else " "


def _tidy(text: str) -> str:
    """Single spaces; no marks at the start or beside each other."""
    text = re.sub(r"\s+([.,;:!?])", r"\1", " ".join(text.split()))
    text = re.sub(r"[.,;:!?]*([.,;:!?])(?=\s|$)", r"\1", text)
    return text.lstrip(" .,;:!?")


def unwrap(text: str) -> str:
    """Without the phrases that only ask to be obeyed, if any other word is left."""
    bare = text
    for wrapper in _WRAPPERS:
        bare = wrapper.sub(" ", bare)
    if bare == text:
        return text
    bare = re.sub(r"^(?:[\s.,;:!?]*(?:and|so|then|now)\b)+(?=[\s.,;:!?])", "", bare)
    return _tidy(bare) if _WORDS.search(bare) else text


def in_english(text: str, english: Set[str]) -> str:
    """Without sentences in other languages, if there is one in English beside them."""
    clauses = _CLAUSES.split(text) if english else [text]
    kept = [clause for clause in clauses if not _is_foreign(clause, english)]
    bare = " ".join(kept)
    return _tidy(bare) if 0 < len(kept) < len(clauses) and _WORDS.search(bare) else text


def _is_foreign(clause: str, english: Set[str]) -> bool:
    words = _WORDS.findall(clause)
    unknown = sum(word.partition("'")[0] not in english for word in words)
    strange = any(
        word.partition("'")[2] in FOREIGN or word in FOREIGN for word in words
    )
    return strange and unknown >= 2 and unknown > 0.6 * len(words)


def _mend_digits(text: str, english: Set[str]) -> str:
    """Words spelt with digits, where the letters that they stand for make a word."""
    words = text.split()
    mended = [_spelt(word, english) for word in words]
    if 2 * sum(a != b for a, b in zip(words, mended, strict=True)) > len(words):
        mended = [_SHORT_WORD.sub(lambda m: _SHORT[m[0]], word) for word in mended]
    return " ".join(mended)


def _spelt(word: str, english: Set[str]) -> str:
    bare = word.strip(".,;:!?")
    if not _MIXED.search(bare) or not 2 < len(bare) <= _LONGEST:
        return word
    for one in "il":
        letters = bare.replace("1", one).translate(_LEET)
        if letters.partition("'")[0] in english:
            return word.replace(bare, letters)
    return word


def _unleet(text: str) -> str:
    """Digits and signs inside words as the letters that they stand for."""
    return " ".join(
        word.translate(_LEET) if _MIXED.search(word) else word for word in text.split()
    )


def _open(text: str) -> str:
    """The text with what it holds in base64 or hex read out, two layers deep."""
    for _ in range(2):
        text = _BASE64.sub(lambda m: _readable(_base64(m[0])) or m[0], text)
        text = _HEX.sub(lambda m: _readable(_hex(m[0])) or m[0], text)
    return text[:MAX_CHARS]


def _hex(text: str) -> bytes:
    digits = re.sub(r"[\s:]", "", text)
    return bytes.fromhex(digits[: len(digits) // 2 * 2])


def _base64(word: str) -> bytes:
    word = word.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(word + "=" * (-len(word) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _readable(data: bytes) -> str:
    """The text in some bytes, if nearly all of it is printable; else ""."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    letters = sum(c.isalpha() or c.isspace() for c in text)
    good = len(text) >= 6 and letters >= 0.8 * len(text) and text.isprintable()
    return text if good else ""


# ruff: noqa: SIM905 - word lists read best as one string
