"""What is read from a predicted second, worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bidden.core.messages import RobotState
from bidden.safety import Limits, Scene
from bidden.safety.foresight.features import FALL_INPUTS, SPEED_NAMES, foresee
from bidden.safety.foresight.gaps import ForeseenGaps
from bidden.safety.foresight.prediction import Forecast, Prediction

from .conftest import REACH, REST, actions

GAPS = ForeseenGaps(Prediction().body)
HALF = 0.1  # of the square under both feet [m]
FEET = HALF * np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0], [-1.0, 1.0]])
HEIGHT, G = 0.6, 9.81
OMEGA = float(np.sqrt(G / HEIGHT))


@pytest.fixture
def still(standing: RobotState) -> Forecast:
    """A body over the middle of its feet that stands."""
    f = Prediction()(actions(), standing, hand_target=REST, reach=REACH)
    upright = np.eye(4)
    upright[2, 3] = 0.75
    return replace(
        f,
        com=np.array([0.0, 0.0, HEIGHT]),
        com_velocity=np.zeros(3),
        feet=FEET,
        X_BP=upright,
        velocity=np.zeros((11, 3)),
        wish=np.zeros((10, 3)),
        hand_wish=0.0,
        hands=np.tile(REST[:, :3], (11, 1, 1)),
        arm_q=np.zeros((11, 14)),
    )


def seen(f: Forecast, state: RobotState, limits: Limits | None = None) -> Any:
    return foresee(
        f, state, scene=Scene(), gaps=GAPS, hand_target=REST, limits=limits or Limits()
    )


def balance(f: Forecast, state: RobotState) -> dict[str, float]:
    return dict(zip(FALL_INPUTS, seen(f, state).balance, strict=True))


def speeds(f: Forecast, state: RobotState) -> dict[str, float]:
    return dict(zip(SPEED_NAMES, seen(f, state).speeds, strict=True))


def test_standing_over_the_middle(still: Forecast, standing: RobotState) -> None:
    said = balance(still, standing)
    for name in ("capture_now", "capture_soon", "capture_ahead", "zmp"):
        assert said[name] == pytest.approx(HALF)
    assert said["height"] == 0.75
    others = {*FALL_INPUTS} - {
        "capture_now", "capture_soon", "capture_ahead", "zmp", "height"
    }  # fmt: skip
    assert [said[name] for name in sorted(others)] == [0.0] * len(others)
    assert speeds(still, standing) == {
        "wish_excess": -1.0, "hand_speed": 0.0, "hand_lag": 0.0, "unrest": 0.0
    }  # fmt: skip


def test_speed_carries_the_capture_point_away(
    still: Forecast, standing: RobotState
) -> None:
    f = replace(still, com_velocity=np.array([0.12, 0.16, -0.3]))
    said = balance(f, standing)
    assert said["capture_now"] == pytest.approx(HALF - 0.16 / OMEGA)
    assert said["sinking"] == -0.3
    assert said["com_speed"] == pytest.approx(0.2)
    point, middle = np.array([0.12, 0.16]) / OMEGA, np.array([0.03, -0.05])
    said = balance(replace(f, feet=FEET + middle), standing)
    soon = (point - middle) * np.exp(OMEGA * 0.2)  # it leaves the feet's middle
    assert np.abs(soon).max() > HALF
    over = np.maximum(np.abs(soon) - HALF, 0.0)
    assert said["capture_soon"] == pytest.approx(-np.hypot(*over))


def test_what_the_gait_is_about_to_do(still: Forecast, standing: RobotState) -> None:
    velocity = np.zeros((11, 3))
    velocity[0, 0], velocity[2:, 0] = 0.1, 0.15
    velocity[5, :2], velocity[6:, 0] = (0.1, -0.2), 9.0
    said = balance(replace(still, velocity=velocity), standing)
    assert said["capture_ahead"] == pytest.approx(HALF - 0.2 / OMEGA)
    assert said["zmp"] == pytest.approx(HALF - 0.05 / 0.2 / OMEGA**2)


def test_a_low_body_falls_no_faster_than_at_a_tenth_of_a_metre(
    still: Forecast, standing: RobotState
) -> None:
    f = replace(
        still, com=np.array([0, 0, 0.02]), com_velocity=np.array([0.0, 0.01, 0.0])
    )
    velocity = np.zeros((11, 3))
    velocity[2:, 0] = 0.1
    said = balance(replace(f, velocity=velocity), standing)
    assert said["zmp"] == pytest.approx(HALF - 0.1 / 0.2 * 0.1 / G)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_tilt_and_where_it_goes(
    still: Forecast, state_of: Callable[..., RobotState], sign: float
) -> None:
    angle, c, s = 0.3, np.cos(0.3), np.sin(0.3)
    X_BP = np.eye(4)
    X_BP[:3, :3] = [[c, 0, s], [0, 1, 0], [-s, 0, c]]  # leans forward
    state = state_of(gyro=np.array([0.0, sign * 0.5, 0.0]))
    said = balance(replace(still, X_BP=X_BP), state)
    assert said["tilt"] == pytest.approx(angle)
    assert said["tilt_rate"] == pytest.approx(sign * 0.5)
    assert said["tilt_soon"] == pytest.approx(angle + 0.2 * sign * 0.5)
    assert said["spin"] == pytest.approx(0.5)
    side = np.eye(4)
    side[:3, :3] = [[1, 0, 0], [0, c, -s], [0, s, c]]
    state = state_of(gyro=np.array([sign * 0.5, 0.0, 0.0]))
    assert balance(replace(still, X_BP=side), state)["tilt_rate"] == pytest.approx(
        sign * 0.5
    )
    nearly = np.eye(4)
    nearly[:3, :3] = [[1, 0, 0.01], [0, 1, 0], [-0.01, 0, 1]]
    state = state_of(gyro=np.array([0.0, 1.0, 0.0]))
    assert balance(replace(still, X_BP=nearly), state)["tilt_rate"] == pytest.approx(
        0.5, rel=1e-3
    )  # half of it counts while the lean is half of 0.02


def test_loads_and_wishes(still: Forecast, state_of: Callable[..., RobotState]) -> None:
    torque = np.zeros(29)
    torque[14], torque[15], torque[28] = 50.0, 3.0, -4.0
    state = state_of(torque=torque, gyro=np.array([3.0, 0.0, 4.0]))
    wish = np.zeros((10, 3))
    wish[0], wish[3] = (0.1, -0.3, 0.2), (-0.25, 0.0, 0.0)
    f = replace(still, wish=wish)
    assert balance(f, state)["load"] == pytest.approx(7.0)
    assert balance(f, state)["wish"] == pytest.approx(0.3)
    assert speeds(f, state)["unrest"] == pytest.approx(5.0)
    assert speeds(f, state)["wish_excess"] == pytest.approx(0.3 / 0.4 - 1.0)
    wish[3, 0] = -0.45  # backwards less is allowed
    assert speeds(f, state)["wish_excess"] == pytest.approx(0.45 / 0.5 - 1.0)
    wish[3, 0] = 0.76
    assert speeds(f, state)["wish_excess"] == pytest.approx(0.76 / 0.8 - 1.0)
    wish[3, 2] = -0.99
    assert speeds(f, state)["wish_excess"] == pytest.approx(0.1)
    fast = replace(f, hand_wish=1.3)
    assert speeds(fast, state)["wish_excess"] == pytest.approx(0.3)


def test_hands_and_how_far_they_lag(still: Forecast, standing: RobotState) -> None:
    hands, arm_q = still.hands.copy(), still.arm_q.copy()
    hands[4:, 1, 0] += 0.03
    assert speeds(replace(still, hands=hands), standing) == {
        "wish_excess": -1.0,
        "hand_speed": pytest.approx(0.3),
        "hand_lag": 0.0,  # no arm is asked to move
        "unrest": 0.0,
    }
    hands = still.hands + np.array([[0.03, 0.0, 0.04], [0.0, 0.06, 0.08]])
    for joint, lag in ((0, 0.1), (6, 0.1), (7, 0.05), (13, 0.05)):  # left arm first
        arm_q[:] = 0.0
        arm_q[-1, joint] = -0.01
        f = replace(still, hands=hands, arm_q=arm_q)
        assert speeds(f, standing)["hand_lag"] == pytest.approx(lag)


def test_gaps_are_the_least_of_the_second_and_those_of_now(
    still: Forecast, standing: RobotState
) -> None:
    own = np.array([0.3, 0.2, 0.1, 0.25, 0.3, 0.3, 0.3, 0.3, 2.0])
    found = seen(replace(still, self_gap=own), standing)
    assert found.gaps[-1] == 0.1
    assert found.gaps_now[-1] == 0.3
    assert found.gaps[:-1] == pytest.approx(1.0)  # nothing else is near
    assert list(found.contact) == [*found.gaps, *found.speeds]
    far = seen(replace(still, self_gap=np.full(9, 2.0)), standing)
    assert far.gaps[-1] == 1.0
