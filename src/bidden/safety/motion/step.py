"""What is left of a wished motion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bidden.core.messages import Array
from bidden.robot import ik_kernels
from bidden.robot.kernels import contiguous
from bidden.safety.checks import Finding

FULL: Final = 1.0 - 1e-6  # a step shorter than this share was cut
CHORD: Final = 0.95  # a shortened step is up to 5 % faster than its share says
_SWEEPS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Step:
    """The allowed value, what was found, and the least distance seen."""

    value: Array
    found: list[Finding]
    margin: float = float("inf")  # [m]


def nearest_step(wish: Array, gradient: Array, room: Array) -> Array:
    """The step nearest to `wish` that no gap loses more than its room to, (J,).

    A small quadratic program: least (x - wish)^2 with gradient x >= -room. Solved on
    its dual by a fixed number of sweeps, so that it always ends; the caller checks the
    result, because an infeasible one is not recognised here.

    Args:
        wish: step of the joints [rad], (J,).
        gradient: growth of each gap per joint [m/rad], (C, J).
        room: what each gap may lose [m], (C,).
    """
    step: Array = ik_kernels.nearest_step(
        contiguous(wish), contiguous(gradient), contiguous(room), _SWEEPS
    )
    return step
