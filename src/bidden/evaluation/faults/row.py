"""What a row of the fault matrix is, and what playing it once gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

TICK: Final = 0.021  # [s] one control tick and the rounding of its stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One fault, injected once."""

    detected_s: float = math.nan  # from injection; NaN where time is not the measure
    claims: Mapping[str, bool]  # what must hold, and whether it did

    @property
    def failed(self) -> tuple[str, ...]:
        """The claims that did not hold."""
        return tuple(claim for claim, holds in self.claims.items() if not holds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: what is injected, what must notice it, and how soon."""

    number: int
    fault: str
    expected: str  # the check, or the place, that must speak
    deadline_s: float = math.nan  # from injection to detection
    play: Callable[[int], Case] | None = None  # takes a seed
    why_skipped: str = ""  # what it waits for, where there is nothing to play

    def judge(self, case: Case) -> tuple[str, ...]:
        """Why a case fails; empty when it is as it must be."""
        late = not (math.isnan(self.deadline_s) or case.detected_s <= self.deadline_s)
        reason = f"detected after {case.detected_s:.2f} s, not {self.deadline_s:.2f} s"
        return (*((reason,) if late else ()), *case.failed)


@contextmanager
def swapped(owner: object, name: str, other: object) -> Iterator[None]:
    """Another value in an attribute's place, for a while."""
    before = getattr(owner, name)
    setattr(owner, name, other)
    try:
        yield
    finally:
        setattr(owner, name, before)
