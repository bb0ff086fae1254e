"""The modes of the shield, what clears each fault, and what stands in arming's way.

Pure: faults and the worst rung in, the next mode out. `docs/safety.md` draws it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bidden.core.messages import Mode, Rung

from .checks import Check, Finding

OPERATOR: Final = math.inf  # clears by a reset only, and then it takes arming
ARMED: Final = frozenset({Mode.READY, Mode.ACTIVE, Mode.DEGRADED})
# How long a check must be quiet until its fault is gone [s]; 0: the next good tick.
# Whatever its row says, what once asked for settling waits for the operator.
CLEARS_AFTER: Final[dict[Check, float]] = {
    Check.DISARMED: 0.0,  # until armed
    Check.INTERNAL: 0.0,  # fault matrix row 18: automatic
    Check.CLOCK: 0.0,  # row 42: no effect once it runs forward
    Check.STATE_STALE: OPERATOR,  # row 4
    Check.STATE_INVALID: 0.0,  # row 9: the next valid sample
    Check.STATE_STAMP: 0.0,  # row 7: automatic
    Check.STATE_JUMP: OPERATOR,  # row 6
    Check.STATE_STUCK: OPERATOR,  # row 5
    Check.COMMAND_MISSING: 0.0,  # row 14: automatic
    Check.COMMAND_INVALID: 0.0,  # rows 9, 10: the next valid one
    Check.COMMAND_STAMP: 0.0,  # row 13: a new chunk
    Check.COMMAND_STALE: 0.0,  # row 13
    Check.SOURCE_STALE: 0.0,  # row 13
    Check.SCENE_INVALID: 0.0,  # row 10
    Check.SCENE_STALE: 0.2,  # row 1: fresh images; its second is waited for upstream
    Check.JOINT_RANGE: 0.0,  # row 11: automatic
    Check.JOINT_TORQUE: 0.0,  # row 12: automatic
    Check.JOINT_SPEED: 0.0,  # row 12
    Check.BASE_SPEED: 0.0,  # row 12
    Check.HAND_SPEED: 0.0,  # row 12
    Check.SELF_DISTANCE: 0.0,  # row 26: clear
    Check.SCENE_DISTANCE: 0.0,  # row 26
    Check.PERSON_DISTANCE: 1.0,  # row 24: leaves and one second
    Check.TILT: 0.5,  # row 28: margin well again; a swing of the body is 0.3 s
    Check.HEIGHT: OPERATOR,  # row 28: it asks for settling only
    Check.CAPTURE_POINT: 0.5,  # row 28
    Check.RISING: 0.0,  # until it stands
    Check.FORESEEN_CONTACT: 0.0,  # row 27: advice lasts as long as its chunk
    Check.FORESEEN_FALL: 0.0,  # row 28
    Check.POLICY_UNCERTAIN: 0.0,  # row 3
    Check.UNFAMILIAR_VIEW: 0.0,  # row 3
    Check.ESTOP: OPERATOR,  # rows 21, 22
    Check.HEALTH_INVALID: 0.0,  # as row 9; the e-stop's age counts on meanwhile
    Check.HEALTH_STALE: OPERATOR,  # row 22: the e-stop channel is silent
    Check.BATTERY: 5.0,  # row 31: charged; a load that ends lets the charge rise
    Check.MOTOR_HOT: 0.0,  # row 32: cool; derating is continuous
    Check.OPERATOR_LINK: OPERATOR,  # row 20: link and operator
    Check.CONTACT: OPERATOR,  # row 25
    Check.PAYLOAD: OPERATOR,  # row 29
    Check.GEOFENCE: 0.0,  # row 30: inside
    Check.RETREAT_BLOCKED: OPERATOR,  # row 44: it asks for settling only
    Check.POLICY_LOST: 0.0,  # row 14: the next chunk; three in a row settle, row 15
    Check.MONITOR_LOST: OPERATOR,  # row 17
    Check.IMAGE_STALE: 0.0,  # row 1: its watch waits for a second of good frames
    Check.IMAGE_FROZEN: 0.0,  # row 2
    Check.IMAGE_UNUSABLE: 0.0,  # row 3
    Check.SOURCES_DISAGREE: 0.5,  # row 8: agreement, over a window of its watchdog
}
# What may be found and is no reason not to arm: it is judged with every command.
_OF_COMMANDS: Final = frozenset(
    {
        Check.DISARMED, Check.RISING, Check.COMMAND_MISSING, Check.COMMAND_INVALID,
        Check.COMMAND_STAMP, Check.COMMAND_STALE, Check.SOURCE_STALE,
        Check.SCENE_STALE, Check.FORESEEN_CONTACT, Check.FORESEEN_FALL,
        Check.POLICY_UNCERTAIN, Check.UNFAMILIAR_VIEW, Check.POLICY_LOST,
        Check.IMAGE_STALE, Check.IMAGE_FROZEN, Check.IMAGE_UNUSABLE,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A finding that has not cleared yet."""

    rung: Rung
    seen_ns: int


Faults = tuple[tuple[Check, Fault], ...]


def standing_faults(before: Faults, found: list[Finding], now_ns: int) -> Faults:
    """Faults that this step found or that have not cleared."""
    # a clock that stepped back must not keep a fault for longer
    faults = {
        check: Fault(rung=fault.rung, seen_ns=min(fault.seen_ns, now_ns))
        for check, fault in before
    }
    for rung, check in found:
        if rung >= Rung.SETTLE or CLEARS_AFTER[check] > 0.0:
            known = faults.get(check)
            worst = rung if known is None else max(rung, known.rung)
            faults[check] = Fault(rung=worst, seen_ns=now_ns)
    return tuple(
        (check, fault)
        for check, fault in faults.items()
        if needs_operator(check, fault.rung)
        or now_ns - fault.seen_ns <= CLEARS_AFTER[check] * 1e9
    )


def needs_operator(check: Check, rung: Rung) -> bool:
    """Whether a fault stays until a person resets it."""
    return rung >= Rung.SETTLE or CLEARS_AFTER[check] == OPERATOR


def next_mode(mode: Mode, faults: Faults, *, rung: Rung, is_moving: bool) -> Mode:
    """The mode after one step.

    Args:
        mode: the one before.
        faults: those that stand now.
        rung: of this step's verdict.
        is_moving: whether the vetted command moves anything.
    """
    if mode is Mode.STOPPED or any(needs_operator(c, f.rung) for c, f in faults):
        return Mode.STOPPED
    if mode is Mode.DISARMED:
        return Mode.DISARMED
    if rung >= Rung.SLOW:
        return Mode.DEGRADED
    return Mode.ACTIVE if is_moving else Mode.READY


def in_the_way(mode: Mode, faults: Faults, found: Iterable[Finding]) -> tuple[str, ...]:
    """Why the shield must not be armed now, worst first; empty when it may.

    Args:
        mode: the present one.
        faults: those that stand.
        found: what the newest step found by itself.
    """
    standing = [(fault.rung, check) for check, fault in faults]
    bad = [
        (rung, check)
        for rung, check in (*standing, *found)
        if rung >= Rung.HOLD and check not in _OF_COMMANDS
    ]
    bad.sort(key=lambda finding: -finding[0])
    names = dict.fromkeys(check.value for _, check in bad)
    return ("stopped: reset first", *names) if mode is Mode.STOPPED else tuple(names)


def after_reset(faults: Faults) -> Faults:
    """What a reset leaves: faults that clear by themselves."""
    return tuple(
        (check, fault)
        for check, fault in faults
        if not needs_operator(check, fault.rung)
    )


def causes_left(faults: Faults, found: Iterable[Finding]) -> tuple[str, ...]:
    """Faults for the operator whose cause the newest step has still found."""
    live = {check for rung, check in found if rung >= Rung.HOLD}
    return tuple(
        check.value
        for check, fault in faults
        if check in live and needs_operator(check, fault.rung)
    )
