"""A network without weights: right shapes, plain numbers. For tests and doctors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bidden.core.messages import Array

from .contract import AnyArray, Contract
from .session import prepare


class FakeNetwork:
    """Answers with constants in the shapes that a contract promises."""

    def __init__(self, contract: Contract, value: float = 0.0) -> None:
        self.contract = contract
        self.calls: list[dict[str, AnyArray]] = []
        self._value = value

    def run(self, inputs: Mapping[str, AnyArray]) -> dict[str, Array]:
        """Check the inputs like a session does, then fill every output."""
        prepare(self.contract, inputs)
        self.calls.append(dict(inputs))
        sizes = {
            word: size
            for spec in self.contract.inputs
            for word, size in zip(spec.shape, inputs[spec.name].shape, strict=True)
            if isinstance(word, str)
        }
        return {
            spec.name: np.full(
                [sizes[d] if isinstance(d, str) else d for d in spec.shape],
                self._value,
                np.dtype(spec.dtype),
            )
            for spec in self.contract.outputs
        }
