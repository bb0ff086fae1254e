"""A standing robot, chunks, and small models whose answers can be worked out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bidden.core.messages import RobotState
from bidden.safety.foresight.falls import FALLING_INPUTS
from bidden.safety.foresight.features import CONTACT_INPUTS, FALL_INPUTS
from bidden.safety.foresight.risk import ChanceData, RiskData

REACH = np.array(
    [
        [[0.16, -0.45, 0.66], [0.16, -0.22, 0.66]],
        [[0.52, 0.22, 1.35], [0.52, 0.45, 1.35]],
    ]
)
REST = np.array(
    [[0.186, -0.193, 0.90, -0.22, 0.13, -0.09], [0.186, 0.193, 0.90, 0.22, 0.13, 0.09]]
)


def actions(steps: int = 8, **columns: Any) -> np.ndarray:
    """A chunk that stands, with some columns set: vx, vy, wz, dx, dy, dz, hand."""
    names = {"vx": 0, "vy": 1, "wz": 2, "dx": 3, "dy": 4, "dz": 5, "hand": 10}
    found = np.zeros((steps, 12))
    for name, value in columns.items():
        found[:, names[name]] = value
    return found


def linear(inputs: tuple[str, ...], name: str, *, knots: tuple[float, float]) -> Any:
    """A chance that is 1 at the first knot of one input and 0 at the second."""
    rows = tuple(knots if n == name else (0.0, 1.0) for n in inputs)
    weights = tuple((-10.0,) if n == name else (0.0,) for n in inputs)
    return ChanceData(
        inputs=inputs,
        knots=rows,
        weights=weights,
        bias=10.0,
        curve_at=(0.0, 10.0),
        curve=(0.0, 1.0),
        figures={},
    )


@pytest.fixture
def risk() -> RiskData:
    """Contact rises with the body's nearness to tall boxes, a fall with low margin."""
    return RiskData(
        schema=1,
        command="by hand",
        seed=0,
        contact=linear(CONTACT_INPUTS, "body_tall", knots=(0.0, 1.0)),
        fall=linear(FALL_INPUTS, "capture_now", knots=(-0.4, 0.0)),
        falling=linear(FALLING_INPUTS, "height", knots=(0.4, 0.7)),
        alarm=5.0,
    )


@pytest.fixture
def standing(state_of: Callable[..., RobotState]) -> RobotState:
    return state_of()
