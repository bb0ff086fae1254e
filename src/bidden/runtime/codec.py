"""Messages as bytes: one msgpack form for recordings, exact to the last bit.

JSON would lose NaN and infinity, which safety messages carry on purpose. Colour
images travel as JPEG and depth as 16-bit PNG in millimetres, like a real sensor.
"""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Iterable, Mapping
from typing import cast, get_origin

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from bidden.core import messages
from bidden.core.errors import RecordingError, unknown_name
from bidden.core.messages import Array, Image

SCHEMA_VERSION = 1  # raise it when a recorded message changes its meaning
JPEG_QUALITY = 90
_DEPTH_MM_MAX = 65535


class _Packed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One array on the wire."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


class _Picture(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One camera frame on the wire."""

    stamp_ns: int
    camera: str
    rgb: bytes  # JPEG
    depth: bytes | None  # PNG, 16 bit, [mm], 0 is a hole
    K: _Packed
    X_BC: _Packed


def _pack(array: NDArray[np.generic]) -> _Packed:
    if array.dtype.hasobject:
        raise RecordingError("an array of Python objects cannot be recorded")
    return _Packed(array.dtype.str, array.shape, np.ascontiguousarray(array).tobytes())


def _unpack(packed: _Packed) -> NDArray[np.generic]:
    array = np.frombuffer(packed.data, dtype=np.dtype(packed.dtype))
    return array.reshape(packed.shape)


def _encode_other(value: object) -> object:
    if isinstance(value, np.ndarray):
        return _pack(value)
    if isinstance(value, np.generic):
        return value.item()
    raise RecordingError(f"cannot record a {type(value).__name__}")


def _decode_other(kind: type, value: object) -> object:
    if (get_origin(kind) or kind) is np.ndarray:
        return _unpack(msgspec.convert(value, _Packed))
    raise RecordingError(f"cannot read back a {kind}")


def _encode_image(image: Image) -> _Picture:
    colour = io.BytesIO()
    Picture.fromarray(image.rgb).save(colour, "JPEG", quality=JPEG_QUALITY)
    depth = None
    if image.depth is not None:
        whole = np.nan_to_num(image.depth * 1000.0, nan=0.0, posinf=0.0, neginf=0.0)
        mm = np.clip(np.rint(whole), 0, _DEPTH_MM_MAX).astype(np.uint16)
        packed = io.BytesIO()
        Picture.fromarray(mm).save(packed, "PNG", compress_level=1)
        depth = packed.getvalue()
    return _Picture(
        stamp_ns=image.stamp_ns,
        camera=image.camera,
        rgb=colour.getvalue(),
        depth=depth,
        K=_pack(image.K),
        X_BC=_pack(image.X_BC),
    )


def _decode_image(data: bytes) -> Image:
    wire = msgspec.msgpack.decode(data, type=_Picture)
    depth = None
    if wire.depth is not None:
        mm = np.asarray(Picture.open(io.BytesIO(wire.depth)), dtype=np.float32)
        depth = mm / np.float32(1000)
    return Image(
        stamp_ns=wire.stamp_ns,
        camera=wire.camera,
        rgb=np.asarray(Picture.open(io.BytesIO(wire.rgb)).convert("RGB")),
        depth=depth,
        K=cast(Array, _unpack(wire.K)),
        X_BC=cast(Array, _unpack(wire.X_BC)),
    )


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_encode_other)


def encode(message: object) -> bytes:
    """One message as msgpack.

    Raises:
        RecordingError: something in it has no recorded form.
    """
    if isinstance(message, Image):
        return _ENCODER.encode(_encode_image(message))
    return _ENCODER.encode(message)


def describe(kind: type) -> bytes:
    """The recorded schema of a message type: its name, version and fields."""
    fields = (
        {f.name: str(f.type) for f in dataclasses.fields(kind)}
        if dataclasses.is_dataclass(kind)
        else {}
    )
    schema = {"name": kind.__name__, "version": SCHEMA_VERSION, "fields": fields}
    return json.dumps(schema).encode()


def _message_types() -> Mapping[str, type]:
    kinds = vars(messages).values()
    return {
        kind.__name__: kind
        for kind in kinds
        if isinstance(kind, type) and dataclasses.is_dataclass(kind)
    }


class Decoder:
    """Bytes back to messages, by the name of their type.

    It knows all of `core.messages`; further message types are given by the caller.
    """

    def __init__(self, extra: Iterable[type] = ()) -> None:
        self._kinds = {**_message_types(), **{kind.__name__: kind for kind in extra}}

    def check_schema(self, name: str, schema: bytes) -> None:
        """Refuse a schema that this program does not know.

        Raises:
            RecordingError: unknown name, or made by another schema version.
        """
        if name not in self._kinds:
            raise RecordingError(unknown_name("message type", name, self._kinds))
        version = json.loads(schema).get("version")
        if version != SCHEMA_VERSION:
            raise RecordingError(
                f"'{name}' was recorded with schema version {version}, "
                f"this program reads version {SCHEMA_VERSION}"
            )

    def decode(self, name: str, data: bytes) -> object:
        """One message.

        Raises:
            RecordingError: unknown name, or the bytes are not such a message.
        """
        kind = self._kinds.get(name)
        if kind is None:
            raise RecordingError(unknown_name("message type", name, self._kinds))
        try:
            if kind is Image:
                return _decode_image(data)
            return msgspec.msgpack.decode(data, type=kind, dec_hook=_decode_other)
        except (msgspec.MsgspecError, OSError, ValueError) as error:
            raise RecordingError(f"broken '{name}' message: {error}") from error
