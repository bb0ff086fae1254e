"""What is said between the control process and the policy's: bytes, checked here.

Images travel as they are, without loss: a policy sees the same pixels in both places.
"""

from __future__ import annotations

from typing import Final, Literal, TypeVar

import msgspec
import numpy as np

from bidden.core.errors import RecordingError
from bidden.core.messages import ActionChunk, Goal, Grounding, Observation
from bidden.runtime.codec import Decoder, encode
from bidden.system.executor import flaw_of

VERSION: Final = 1
STEPS_MAX: Final = 64  # of a chunk
PERIOD_MAX_S: Final = 1.0  # of a step
_DECODER: Final = Decoder()


class Ask(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True
):
    """One call of the policy."""

    version: int = VERSION
    number: int  # its answer carries the same
    what: Literal["reset", "act"]
    body: bytes  # a `Goal` or an `Observation`


class Answer(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True
):
    """What the policy said; number 0 says that it is ready."""

    version: int = VERSION
    number: int
    name: str = ""  # of the policy
    body: bytes = b""  # an `ActionChunk`; empty after a reset
    error: str = ""  # what went wrong, for people


_Said = TypeVar("_Said", Ask, Answer)
_ASKS: Final = msgspec.msgpack.Decoder(Ask)
_ANSWERS: Final = msgspec.msgpack.Decoder(Answer)


def pack(said: Ask | Answer) -> bytes:
    """One frame."""
    return msgspec.msgpack.encode(said)


def pack_message(message: Goal | Observation | ActionChunk) -> bytes:
    """One message as the body of a frame."""
    return encode(message)


def read_ask(frame: bytes) -> tuple[Ask, Goal | Observation]:
    """A call, in the policy's process.

    Raises:
        RecordingError: not a call of this version.
    """
    ask = _decode(_ASKS, frame)
    kind = "Goal" if ask.what == "reset" else "Observation"
    message = _DECODER.decode(kind, ask.body)
    assert isinstance(message, Goal | Observation)
    return ask, message


def read_answer(frame: bytes) -> Answer:
    """An answer, its chunk still packed.

    Raises:
        RecordingError: not an answer of this version.
    """
    return _decode(_ANSWERS, frame)


def read_chunk(body: bytes, *, stamp_ns: int) -> tuple[ActionChunk | None, str]:
    """The chunk, or why it cannot be used; never raises.

    Args:
        body: bytes that claim to be a chunk.
        stamp_ns: of the observation that was asked about.
    """
    try:
        chunk = _DECODER.decode("ActionChunk", body)
    except RecordingError as error:
        return None, f"the policy's answer cannot be read: {error}"[:300]
    assert isinstance(chunk, ActionChunk)
    flaw = flaw_of(chunk) or _misfit(chunk, stamp_ns)
    return (None, flaw) if flaw else (chunk, "")


def _misfit(chunk: ActionChunk, stamp_ns: int) -> str:
    """What else must hold of a chunk that comes from outside."""
    if chunk.stamp_ns != stamp_ns:
        return "the policy answered another observation"
    if not (len(chunk.actions) <= STEPS_MAX and chunk.period_s <= PERIOD_MAX_S):
        return f"the policy gave more than {STEPS_MAX} steps, or of over a second"
    if not _is_finite(chunk.spread, np.shape(chunk.actions)):
        return "the policy gave a spread that does not fit its actions"
    if not all(_is_sound(grounding) for grounding in chunk.groundings):
        return "the policy gave a place that is not a point"
    return ""


def _is_sound(g: Grounding) -> bool:
    numbers = np.array([g.spread_m, g.confidence])
    return _is_finite(g.p_B, (3,)) and bool(np.isfinite(numbers).all())


def _is_finite(a: object, shape: tuple[int, ...]) -> bool:
    return (
        isinstance(a, np.ndarray)
        and a.shape == shape
        and a.dtype.kind in "fiu"
        and bool(np.isfinite(a).all())
    )


def _decode(decoder: msgspec.msgpack.Decoder[_Said], frame: bytes) -> _Said:
    try:
        said = decoder.decode(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RecordingError(f"not a frame of ours: {error}") from error
    if said.version != VERSION:
        raise RecordingError(f"version {said.version} of the wire, not {VERSION}")
    return said
