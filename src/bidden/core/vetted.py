"""The one type that motors accept, and the seal that keeps its maker unique."""

from __future__ import annotations

from typing import Final, final

from .errors import RobotError
from .messages import Command, Verdict


class Seal:
    """Whoever holds the one instance may make `VettedCommand`s."""


_SEAL: Final = Seal()
_claimed_by: list[str] = []


def claim_seal(owner: str) -> Seal:
    """Hand out the seal, once in the life of a process.

    Raises:
        RuntimeError: somebody holds it already.
    """
    if _claimed_by:
        raise RuntimeError(
            f"the seal of VettedCommand belongs to {_claimed_by[0]}, not to {owner}"
        )
    _claimed_by.append(owner)
    return _SEAL


@final
class VettedCommand:
    """A command that the shield let through; `Robot.write` takes nothing else."""

    __slots__ = ("command", "settle", "verdict")

    command: Command
    verdict: Verdict
    settle: float  # 0 stand .. 1 fully crouched, rate-limited by the shield

    def __init__(
        self, command: Command, verdict: Verdict, *, settle: float, seal: Seal
    ) -> None:
        if seal is not _SEAL:
            raise TypeError("only safety.Shield makes a VettedCommand")
        object.__setattr__(self, "command", command)
        object.__setattr__(self, "verdict", verdict)
        object.__setattr__(self, "settle", settle)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"VettedCommand is immutable: {name}")


def require_vetted(command: object) -> None:
    """What every body asks of what it is told to do.

    Raises:
        RobotError: it is not a `VettedCommand`.
    """
    if type(command) is not VettedCommand:
        raise RobotError(
            f"expected a VettedCommand, got {type(command).__name__}: only the "
            "shield's answer may reach the motors"
        )
