"""Up to where a measured state is believed: every number at both of its bounds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bidden.core.messages import RobotState, Rung
from bidden.robot.kinematics import Kinematics
from bidden.robot.model import load_model
from bidden.safety import Check, Limits
from bidden.safety.checks import BalanceCheck, StateCheck, numbers_of

JOINTS = load_model().links[1:]
CHECK = StateCheck()
# The tests' own copy; speeds are twice those of the motors
BOUNDS = {
    "q": [(j.lower - 0.3, j.upper + 0.3) for j in JOINTS],
    "dq": [(-2.0 * j.speed, 2.0 * j.speed) for j in JOINTS],
    "gyro": [(-35.0, 35.0)] * 3,
    "gravity": [(-1.1, 1.1)] * 2,  # the third decides which way is down
    "base_pose": [(-1e4, 1e4)] * 3,
    "base_velocity": [(-10.0, 10.0)] * 3,
    "torque": [(-500.0, 500.0)] * 29,
    "grip_width": [(-0.2, 0.2)] * 2,
    "grip_force": [(-1e3, 1e3)] * 2,
}


def refusal(state: RobotState, last: RobotState | None = None) -> Check | None:
    return CHECK(state, numbers_of(state), last, now_ns=state.stamp_ns)


@pytest.mark.parametrize("field", BOUNDS)
def test_each_number_is_believed_up_to_its_bounds(
    state_of: Callable[..., RobotState], field: str
) -> None:
    good = getattr(state_of(), field)
    for index, bounds in enumerate(BOUNDS[field]):
        for bound in bounds:
            for slack, expected in ((-1e-9, None), (1e-9, Check.STATE_INVALID)):
                array = good.copy()
                array[index] = bound * (1 + slack)
                assert refusal(state_of(**{field: array})) is expected, (index, bound)


def test_gravity_has_to_be_felt(state_of: Callable[..., RobotState]) -> None:
    for way in np.vstack([np.eye(3), -np.eye(3), np.full((1, 3), 3**-0.5)]):
        felt = state_of(gravity=way * np.sqrt(0.5 + 1e-9))
        assert refusal(felt) is None
        lost = state_of(gravity=way * np.sqrt(0.5 - 1e-9))
        assert refusal(lost) is Check.STATE_INVALID


@pytest.mark.parametrize("joint", range(29))
def test_each_encoder_may_jump_as_far_as_twice_its_motor_turns(
    state_of: Callable[..., RobotState], joint: int
) -> None:
    last = state_of(1_000_000_000)
    most = 2.0 * JOINTS[joint].speed * 0.002 + 0.05
    for way in (-1.0, 1.0):
        for slack, expected in ((-1e-9, None), (1e-9, Check.STATE_JUMP)):
            q = last.q.copy()
            q[joint] += way * (most + slack)
            assert refusal(state_of(1_002_000_000, q=q), last) is expected


def test_the_same_stamp_twice_is_no_disorder(
    state_of: Callable[..., RobotState],
) -> None:
    last = state_of(1_000_000_000)
    assert refusal(state_of(1_000_000_000), last) is None
    assert refusal(state_of(999_999_999), last) is Check.STATE_STAMP


@pytest.mark.parametrize("up", [1.0 + 1e-12, -1.0 - 1e-12])
def test_rounding_of_an_upright_body_is_no_failure(
    state_of: Callable[..., RobotState], up: float
) -> None:
    kinematics, state = Kinematics(), state_of()
    X_PL = kinematics.link_poses(state.q)
    X_BP = kinematics.ground(X_PL, state.gravity).copy()
    X_BP[2, 2] = up
    found = BalanceCheck(kinematics)(
        state, X_PL, X_BP=X_BP, limits=Limits(), is_settled=False
    )
    tilted = [(Rung.SETTLE, Check.TILT)] if up < 0 else []
    assert [one for one in found if one[1] is Check.TILT] == tilted
