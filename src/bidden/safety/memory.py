"""What the shield remembers between steps, and its notes during one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from bidden.core.messages import (
    Array,
    Command,
    Health,
    Mode,
    RobotState,
    Rung,
    Verdict,
)

from .body import Retreat, Stillness
from .checks import Check, Finding
from .modes import Faults

CONTROL_PERIOD: Final = 0.02  # [s]


@dataclass(slots=True, kw_only=True, eq=False)
class ShieldState:
    """All that the shield remembers from one step to the next.

    A step changes its own fork; the arrays and tuples in it are replaced, not changed.
    """

    mode: Mode = Mode.DISARMED
    now_ns: int | None = None  # of the last step
    command_ns: int = -(2**63)  # stamp of the newest command taken
    state: RobotState | None = None  # the newest believed
    drops: float = 0.0  # disordered samples, less one for each second since
    stillness: Stillness | None = None  # of the sensors
    effort: Array | None = None  # what arms carry beyond themselves, (14,) [N m]
    posture: Array | None = None  # last vetted arm targets, (14,)
    grip: Array | None = None  # last vetted, (2,)
    base: Array = field(default_factory=lambda: np.zeros(3))  # last vetted velocity
    settle: float = 0.0
    retreat: Retreat | None = None  # the one that goes on
    health: Health | None = None  # the newest believed
    faults: Faults = ()
    found: tuple[Finding, ...] = ()  # by the last step itself, without older faults

    def fork(self) -> ShieldState:
        """The same memory, to be changed without changing this one."""
        other = ShieldState.__new__(ShieldState)
        for name in ShieldState.__slots__:
            setattr(other, name, getattr(self, name))
        return other


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """What one step gives."""

    command: Command
    verdict: Verdict
    own: ShieldState  # for the next step; holds the vetted posture


@dataclass(slots=True, kw_only=True, eq=False)
class Tick:
    """Notes of one step."""

    now_ns: int
    period: float
    found: list[Finding]
    arms: Array | None = None
    base: Array | None = None
    grip: Array | None = None
    margin: float = float("inf")
    share: float = 1.0  # of the speeds that warm motors are left with
    can_judge: bool = False  # the newest believed state is one to move by


def start(own: ShieldState, now_ns: object) -> Tick:
    """The notes of a new step; a broken clock is a finding."""
    if not isinstance(now_ns, int):  # a broken clock: time stands still
        tick = Tick(now_ns=own.now_ns or 0, period=1e-9, found=[])
        tick.found.append((Rung.HOLD, Check.CLOCK))
        return tick
    if own.now_ns is None:
        return Tick(now_ns=now_ns, period=CONTROL_PERIOD, found=[])
    elapsed = (now_ns - own.now_ns) * 1e-9
    period = min(max(elapsed, 1e-9), 2 * CONTROL_PERIOD)
    found = [] if elapsed >= 0 else [(Rung.HOLD, Check.CLOCK)]
    return Tick(now_ns=now_ns, period=period, found=found)
