"""Letters of any look to plain lower-case ASCII."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_CHARS: Final = (
    4000  # the rest of a longer text is not judged, and not obeyed either
)
_LOOKALIKES: Final = str.maketrans(
    "аеорсухкмтнвіјѕԁһԛԝɡαοερτνικγυωηβ∂ⅼѵӏгпибзχσμπζђћցօսհռզοııłøđħŧƒɑɩæßœ"
    "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ",
    "aeopcyxkmthbijsdhqwgaoeptvikyuwnbdlvlrnub3xounzhhgouhnqoiilodhtfaiabo"
    "abcdefghijklmnoprstuvwyz",
)
_MONEY: Final = str.maketrans("€£¢¥", "elcy")
_MONEY_IN_WORD: Final = re.compile(r"(?<=[a-z])[€£¢¥]|[€£¢¥](?=[a-z])", re.I)
_FILLERS: Final = dict.fromkeys(map(ord, "\u115f\u1160\u3164\uffa0\u2800"))
_CAMEL: Final = re.compile(r"\b(?:[A-Z][a-z]{2,}|[a-z]{3,})(?:[A-Z][a-z]{2,})+\b")
_OTHER_SCRIPT: Final = re.compile(r"[^\W\d_]*[^\W\d_\x00-\x7f][^\W\d_]*")


def fold(text: str) -> str:
    """Lower-case ASCII; CamelCase parted, look-alike letters made plain."""
    text = text[:MAX_CHARS].translate(_FILLERS)
    text = unicodedata.normalize("NFKC", text)
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Mn"))
    text = unicodedata.normalize("NFKD", text)
    text = "".join(c for c in text if unicodedata.category(c) not in ("Mn", "Me"))
    text = _MONEY_IN_WORD.sub(lambda m: m[0].translate(_MONEY), text)
    text = _CAMEL.sub(lambda m: re.sub(r"(?<=[a-z])(?=[A-Z])", " ", m[0]), text)
    text = text.lower().replace("’", "'").replace("`", "'").replace("。", ". ")
    text = _OTHER_SCRIPT.sub(_latin, text)
    text = "".join(c if c.isascii() else " " for c in text)
    return tidy(text)


def tidy(text: str) -> str:
    """Single spaces; no marks at the start or beside each other."""
    text = re.sub(r"\s+([.,;:!?])(?=\s|$)", r"\1", " ".join(text.split()))
    text = re.sub(r"[.,;:!?]*([.,;:!?])(?=\s|$)", r"\1", text)
    return text.lstrip(" .,;:!?")


def _latin(match: re.Match[str]) -> str:
    """A word with its look-alike letters made plain; "" for one in another script."""
    word = match[0].translate(_LOOKALIKES)
    mixed = any(c.isascii() for c in match[0])
    return word if mixed or word.isascii() else " "
