"""The one place that runs a network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime as ort

from bidden.core.errors import ModelError, ShapeError
from bidden.core.messages import Array

from .contract import AnyArray, Contract, TensorSpec, contract_path, sha256_of

_ORT_TYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(uint8)": "uint8",
    "tensor(bool)": "bool",
}
_SHORT = 127  # bytes whose count protobuf writes in one byte


class Network(Protocol):
    """What callers see: a session, or a fake with the same contract."""

    @property
    def contract(self) -> Contract:
        """What goes in and comes out."""
        ...

    def run(self, inputs: Mapping[str, AnyArray]) -> dict[str, Array]:
        """One forward pass, in SI units on both sides."""
        ...


class Session:
    """A network file whose contract holds, ready to run on the CPU.

    Calls are independent; one session may be shared between threads.
    """

    def __init__(self, contract: Contract, session: ort.InferenceSession) -> None:
        self._contract = contract
        self._session = session
        self._outputs = [spec.name for spec in contract.outputs]

    @staticmethod
    def load(
        path: Path, contract: Path | None = None, *, threads: int = 1, sha256: str = ""
    ) -> Session:
        """Open a network after checking it against its contract.

        Args:
            path: the ONNX file.
            contract: its JSON, by default beside it.
            threads: cores that one call may use; waiting never spins.
            sha256: digest that a caller pinned elsewhere; "" trusts the contract.

        Raises:
            ModelError: no file, no contract, another hash, another signature.
        """
        promise = Contract.load(contract or contract_path(path))
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise ModelError(
                f"no network at {path}; `bidden doctor` says how"
            ) from None
        _check_hash(path, sha256_of(data), sha256 or promise.sha256)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        try:
            session = ort.InferenceSession(
                data + _exposing(promise.inner),
                options,
                providers=["CPUExecutionProvider"],
            )
        except Exception as error:  # onnxruntime's errors share no base
            raise ModelError(f"cannot open {path}: {error}") from error
        _check_signature(path, "input", promise.inputs, session.get_inputs())
        _check_signature(path, "output", promise.outputs, session.get_outputs())
        return Session(promise, session)

    @property
    def contract(self) -> Contract:
        """What goes in and comes out."""
        return self._contract

    def run(self, inputs: Mapping[str, AnyArray]) -> dict[str, Array]:
        """One forward pass, in SI units on both sides.

        Raises:
            ShapeError: an input is missing, unknown, misshapen or not finite.
        """
        feed = prepare(self._contract, inputs)
        values = self._session.run(self._outputs, feed)
        return {
            spec.name: _restore(self._contract, spec, value)
            for spec, value in zip(self._contract.outputs, values, strict=True)
        }


def prepare(contract: Contract, inputs: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
    """Check inputs against the contract and normalise those with statistics."""
    names = {spec.name for spec in contract.inputs}
    if names != set(inputs):
        raise ShapeError(
            f"network '{contract.name}' needs inputs {sorted(names)}, "
            f"got {sorted(inputs)}"
        )
    sizes: dict[str, int] = {}
    feed: dict[str, AnyArray] = {}
    for spec in contract.inputs:
        array = inputs[spec.name]
        spec.validate(array, sizes)
        if spec.statistics:
            array = contract.statistics[spec.statistics].normalise(
                np.asarray(array, np.float32)
            )
        feed[spec.name] = array
    return feed


def _restore(contract: Contract, spec: TensorSpec, value: Array) -> Array:
    if not spec.statistics:
        return value
    return contract.statistics[spec.statistics].restore(value)


def _exposing(names: Iterable[str]) -> bytes:
    """What makes values inside a graph outputs too, appended to an ONNX file.

    Protobuf merges a message that follows another: its repeated fields grow. Fields:
    ModelProto.graph is 7, GraphProto.output 12, ValueInfoProto.name 1.
    """
    return b"".join(_field(7, _field(12, _field(1, name.encode()))) for name in names)


def _field(number: int, data: bytes) -> bytes:
    if len(data) > _SHORT:
        raise ModelError(f"a name inside a graph may have {_SHORT - 4} characters")
    return bytes((number << 3 | 2, len(data))) + data


def _check_hash(path: Path, got: str, expected: str) -> None:
    if got != expected:
        raise ModelError(
            f"{path} is not the file that its contract describes: expected sha256 "
            f"{expected}, got {got}; mend a shipped one with `git checkout -- {path}`, "
            "a fetched one with `make setup`, or make it again with `make train`"
        )


def _check_signature(
    path: Path, kind: str, promised: tuple[TensorSpec, ...], found: list[ort.NodeArg]
) -> None:
    expected = {spec.name: spec for spec in promised}
    actual = {node.name: node for node in found}
    if expected.keys() != actual.keys():
        raise ModelError(
            f"{path}: contract promises {kind}s {sorted(expected)}, "
            f"the file has {sorted(actual)}"
        )
    for name, spec in expected.items():
        node = actual[name]
        dtype = _ORT_TYPES.get(node.type, node.type)
        sizes_match = len(node.shape) == len(spec.shape) and all(
            want == got or not isinstance(got, int) or isinstance(want, str)
            for want, got in zip(spec.shape, node.shape, strict=True)
        )
        if dtype != spec.dtype or not sizes_match:
            raise ModelError(
                f"{path}: {kind} '{name}' should be {spec.dtype} {list(spec.shape)}, "
                f"the file has {dtype} {node.shape}"
            )
