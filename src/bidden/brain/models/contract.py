"""What a network promises: the JSON that stands beside every ONNX file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from bidden.core.errors import ModelError, ShapeError
from bidden.core.messages import Array

Precision = Literal["int8", "fp32"]
AnyArray = NDArray[np.generic]
SCHEMA = 1
WEIGHTS_DIR = Path(__file__).parents[2] / "weights"


class Statistics(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Mean and deviation of the last axis; a transform and its inverse."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.mean) != len(self.std) or not self.mean:
            raise ValueError("mean and std need the same length, at least 1")
        if not all(np.isfinite((*self.mean, *self.std))) or not min(self.std) > 0.0:
            raise ValueError("mean must be finite and std finite and > 0")

    def normalise(self, x: Array) -> Array:
        """SI numbers to what the network reads, (..., D) float32."""
        return np.asarray((x - np.array(self.mean)) / np.array(self.std), np.float32)

    def restore(self, x: Array) -> Array:
        """What the network wrote to SI numbers, (..., D) float32."""
        return np.asarray(x * np.array(self.std) + np.array(self.mean), np.float32)


class TensorSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One input or output."""

    name: str
    shape: tuple[int | str, ...]  # a word is a size that is free, but one per call
    dtype: str  # numpy name, e.g. "float32"
    meaning: str
    unit: str = "1"
    statistics: str = ""  # key into `Contract.statistics`; "" is raw

    def validate(self, array: AnyArray, sizes: dict[str, int]) -> None:
        """Check shape, type and finiteness, in that order.

        Args:
            array: what is about to cross the boundary.
            sizes: free sizes bound so far in this call; grows.

        Raises:
            ShapeError: names the tensor, what was expected and what came.
        """
        expected = f"'{self.name}' must be {self.dtype} {list(self.shape)}"
        if array.ndim != len(self.shape):
            raise ShapeError(f"{expected}, got shape {list(array.shape)}")
        for want, got in zip(self.shape, array.shape, strict=True):
            size = sizes.setdefault(want, got) if isinstance(want, str) else want
            if size != got:
                bound = f" with {want}={size}" if isinstance(want, str) else ""
                raise ShapeError(f"{expected}{bound}, got shape {list(array.shape)}")
        if array.dtype.name != self.dtype:
            raise ShapeError(f"{expected}, got {array.dtype.name}")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ShapeError(f"{expected} and finite, got NaN or infinity")


class Contract(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that must be known about a network to run it rightly."""

    schema: int
    name: str
    version: str
    sha256: str  # of the ONNX file
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    inner: tuple[str, ...] = ()  # outputs that are values inside the graph
    statistics: dict[str, Statistics] = {}
    labels: dict[str, tuple[str, ...]] = {}  # output -> what its last axis names
    made_by: str = ""  # the command that makes it again
    seed: int = 0  # of the training data
    figures: dict[str, float] = {}  # measured when it was made
    source: str = ""  # where a network comes from that is not ours, and its licence

    def __post_init__(self) -> None:
        if self.schema != SCHEMA:
            raise ValueError(
                f"contract schema {self.schema}, this program reads {SCHEMA}"
            )
        for tensor in (*self.inputs, *self.outputs):
            if tensor.statistics and tensor.statistics not in self.statistics:
                raise ValueError(
                    f"tensor '{tensor.name}' needs the statistic "
                    f"'{tensor.statistics}', "
                    f"known: {', '.join(sorted(self.statistics)) or 'none'}"
                )

    def save(self, path: Path) -> None:
        """Write as indented JSON."""
        path.write_bytes(
            msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n"
        )

    @staticmethod
    def load(path: Path) -> Contract:
        """Read a contract.

        Raises:
            ModelError: missing file, unknown key or wrong value.
        """
        try:
            return msgspec.json.decode(path.read_bytes(), type=Contract)
        except FileNotFoundError:
            raise ModelError(
                f"no contract at {path}: a network does not run without one; "
                "make both again with `make train`"
            ) from None
        except (msgspec.MsgspecError, ValueError) as error:
            raise ModelError(f"bad contract {path}: {error}") from None


def sha256_of(data: bytes) -> str:
    """Hex digest."""
    return hashlib.sha256(data).hexdigest()


def contract_path(onnx: Path) -> Path:
    """Where the contract of a network stands."""
    return onnx.with_suffix(".json")


def weights_path(name: str, precision: Precision = "int8") -> Path:
    """Path of a shipped network, e.g. `vision` in int8."""
    return WEIGHTS_DIR / (
        f"{name}_int8.onnx" if precision == "int8" else f"{name}.onnx"
    )
