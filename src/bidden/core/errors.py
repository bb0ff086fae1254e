"""Every error that Bidden raises on purpose.

    BiddenError
    |-- ConfigError        a file, key or value that a person wrote is wrong
    |-- AssetError         a fetched file is missing, truncated or altered
    |-- ModelError         a network and its contract do not match
    |-- ShapeError         an array has the wrong shape, type, or is not finite
    |-- RobotError         the body did not do what its port promises
    `-- RecordingError     a recording could not be written or read

Bad news that is expected (a refusal, a stale image, low confidence) is a value,
not an error.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BiddenError(Exception):
    """Base of all errors that callers may catch."""


class ConfigError(BiddenError):
    """A configuration, scene file or command-line value is wrong."""


class AssetError(BiddenError):
    """A fetched asset is missing, truncated or altered."""


class ModelError(BiddenError):
    """A network file and its contract do not match."""


class ShapeError(BiddenError):
    """An array does not match its spec."""


class RobotError(BiddenError):
    """A body broke the promise of its port."""


class RecordingError(BiddenError):
    """A recording could not be written or read."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """Message for a name that does not exist: what came, the nearest, what exists."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return f"unknown {kind} '{name}'{hint} known: {', '.join(names)}"
