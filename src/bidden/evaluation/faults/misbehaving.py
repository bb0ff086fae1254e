"""Policies that go wrong in every way that the matrix names. For simulation alone."""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import replace
from typing import Final, Literal

import numpy as np

from bidden.core.messages import ActionChunk, Array, Goal, Observation

Wrong = Literal[
    "none", "hang", "slow", "crash", "exit", "nan", "inf", "shape", "dtype", "length",
    "empty", "period", "stamp", "spread", "garbage", "frame", "replay", "wild",
]  # fmt: skip
# What a chunk can have wrong with it; the others are about the process
FLAWS: Final[tuple[Wrong, ...]] = (
    "nan", "inf", "shape", "dtype", "length", "empty", "period", "stamp", "spread",
)  # fmt: skip
STEPS: Final = 8


def walking_chunk(observation: Observation, *, forward: float = 0.4) -> ActionChunk:
    """Walk straight ahead; grips stay as they are."""
    actions: Array = np.zeros((STEPS, 12))
    actions[:, 0] = forward
    actions[:, 9] = observation.grip_command[observation.goal.hand]
    actions[:, 10] = observation.goal.hand
    return ActionChunk(
        stamp_ns=observation.stamp_ns,
        actions=actions,
        spread=np.zeros_like(actions),
        policy="walker",
    )


def spoiled(chunk: ActionChunk, wrong: Wrong) -> ActionChunk:
    """The same chunk with one of the `FLAWS`."""
    actions, steps = chunk.actions.copy(), len(chunk.actions)
    match wrong:
        case "nan":
            actions[steps // 2, 3] = np.nan
        case "inf":
            actions[0, 0] = np.inf
        case "shape":
            actions = actions[:, :7]
        case "dtype":
            actions = np.full(actions.shape, 1j)
        case "length":
            actions = np.repeat(actions, 1000, axis=0)
        case "empty":
            actions = actions[:0]
        case "period":
            return replace(chunk, period_s=-1.0)
        case "stamp":
            return replace(chunk, stamp_ns=chunk.stamp_ns + 3_600_000_000_000)
        case "spread":
            return replace(chunk, spread=np.full((3, 3), np.nan))
        case _:
            raise ValueError(f"'{wrong}' is not a flaw of a chunk")
    return replace(chunk, actions=actions)


class Walker:
    """Walks ahead, and goes wrong from one call on.

    Args:
        wrong: how.
        after: calls that are still right.
    """

    def __init__(self, wrong: Wrong = "none", after: int = 0) -> None:
        self._wrong, self._left = wrong, after
        self._first: ActionChunk | None = None

    @property
    def name(self) -> str:
        """Recorded with every chunk."""
        return "walker"

    def reset(self, goal: Goal) -> None:
        """Nothing belongs to a goal."""

    def act(self, observation: Observation) -> ActionChunk:
        """Right, or wrong."""
        chunk = walking_chunk(observation)
        self._first = self._first or chunk
        self._left -= 1
        if self._left >= 0 or self._wrong == "none":
            return chunk
        match self._wrong:
            case "hang":
                threading.Event().wait()
            case "slow":
                threading.Event().wait(0.7)
                return chunk
            case "crash":
                raise ZeroDivisionError("the network divided by zero")
            case "exit":
                os._exit(9)
            case "garbage" | "frame":
                _write_into_the_wire(self._wrong)
                return chunk
            case "replay":
                return self._first
        return spoiled(chunk, self._wrong)


def _write_into_the_wire(wrong: Wrong) -> None:
    """What a library does that writes to descriptors which are not its own."""
    wire = int(sys.argv[sys.argv.index("--fd") + 1])
    if wrong == "garbage":
        os.write(wire, np.random.default_rng(0).bytes(4096))
    else:
        os.write(wire, b"bdn1" + (64).to_bytes(4, "little") + bytes(range(64)))
