"""What is said between the control process and the body's, over an inherited wire."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from bidden.core.errors import RobotError
from bidden.core.messages import Array
from bidden.core.vetted import VettedCommand

VERSION: Final = 1
Three = tuple[float, float, float]


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One vetted command. Only the control process's door sends it."""

    version: int = VERSION
    stamp_ns: int
    base_velocity: Three
    arm_q: tuple[float, ...]  # (14,)
    grip: tuple[float, float]
    settle: float


class Report(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the body measures; and, because it is simulated, how it fares in truth."""

    version: int = VERSION
    state: bytes  # a `RobotState`
    settle: float  # how far it crouches, by order or by itself
    by_itself: bool  # the driver has taken over
    fallen: bool


_ORDERS: Final = msgspec.msgpack.Decoder(Order)
_REPORTS: Final = msgspec.msgpack.Decoder(Report)


def order_of(vetted: VettedCommand) -> Order:
    """A vetted command as it travels."""
    c = vetted.command
    vx, vy, wz = c.base_velocity.tolist()
    right, left = c.grip.tolist()
    return Order(
        stamp_ns=c.stamp_ns,
        base_velocity=(vx, vy, wz),
        arm_q=tuple(c.arm_q.tolist()),
        grip=(right, left),
        settle=vetted.settle,
    )


def pack(said: Order | Report) -> bytes:
    """One frame."""
    return msgspec.msgpack.encode(said)


def read_order(frame: bytes) -> tuple[Order, Array]:
    """An order, and its arm targets.

    Raises:
        RobotError: not an order, or with numbers that no body can follow.
    """
    try:
        order = _ORDERS.decode(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RobotError(f"not an order: {error}") from error
    arms = np.array(order.arm_q)
    numbers = np.array([*order.base_velocity, *order.grip, order.settle, *order.arm_q])
    if not (order.version == VERSION and arms.shape == (14,)):
        raise RobotError("an order of another version, or not of 14 arm joints")
    if not np.isfinite(numbers).all():
        raise RobotError("an order with a number that is not finite")
    return order, arms


def read_report(frame: bytes) -> Report:
    """A report.

    Raises:
        RobotError: not a report of this version.
    """
    try:
        report = _REPORTS.decode(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RobotError(f"not a report of the body: {error}") from error
    if report.version != VERSION:
        raise RobotError(f"version {report.version} of the body's wire, not {VERSION}")
    return report
