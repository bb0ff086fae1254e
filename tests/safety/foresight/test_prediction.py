"""A chunk played in the head; MuJoCo is asked in tests/adapters/sim/test_foresight."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bidden.core.messages import RobotState
from bidden.robot import g1
from bidden.robot.balance import Balance
from bidden.robot.capsules import BodyCapsules
from bidden.robot.kinematics import Kinematics
from bidden.safety.foresight.prediction import LOOKS, Prediction, at_tenths

from .conftest import REACH, REST, actions

PREDICT, KINEMATICS = Prediction(), Kinematics()


def predict(chunk: np.ndarray, state: RobotState) -> object:
    return PREDICT(chunk, state, hand_target=REST, reach=REACH)


def test_standing_stays_where_it_is(standing: RobotState) -> None:
    f = predict(actions(), standing)
    assert np.abs(f.base).max() == 0.0
    hands = KINEMATICS.hand_poses(standing.q, standing.gravity)[:, :3, 3]
    assert f.hands[0] == pytest.approx(hands)
    assert np.abs(f.hands - hands).max() < 0.03  # drawn to the rest pose
    X = KINEMATICS.base_link_poses(standing.q, standing.gravity)
    assert f.com == pytest.approx(Balance().com(X))
    assert np.abs(f.com_velocity).max() < 1e-9
    assert f.self_gap[0] == pytest.approx(
        BodyCapsules().self_distances(BodyCapsules().segments(X)).min()
    )


@pytest.mark.parametrize("hand", [0, 1])
def test_a_hand_goes_where_the_chunk_sends_it(standing: RobotState, hand: int) -> None:
    f = predict(actions(dx=0.01, dz=0.005, hand=hand), standing)
    want = REST[hand, :3] + [0.08, 0.0, 0.04]
    assert np.linalg.norm(f.hands[-1, hand] - want) < 0.01
    assert np.abs(f.hands[:, 1 - hand] - f.hands[0, 1 - hand]).max() < 1e-9


def test_a_hand_ends_at_the_reach(standing: RobotState) -> None:
    f = predict(actions(dx=0.2), standing)
    assert f.hands[:, 0, 0].max() < 0.56


def test_both_hands_may_move_in_one_chunk(standing: RobotState) -> None:
    chunk = actions(dx=0.01)
    chunk[4:, 10] = 1.0
    f = predict(chunk, standing)
    moved = f.hands[-1, :, 0] - REST[:, 0]
    assert moved == pytest.approx([0.04, 0.04], abs=0.01)


def test_joints_are_no_faster_than_the_servo(standing: RobotState) -> None:
    f = predict(actions(dx=0.1, dz=0.1), standing)
    assert np.abs(np.diff(f.arm_q, axis=0)).max() <= 3.0 * 0.2 + 1e-9


def test_capsules_travel_with_the_base(standing: RobotState) -> None:
    f = predict(actions(vx=0.5, wz=0.5), standing)
    last = f.base[LOOKS[-1]]
    c, s = np.cos(last[2]), np.sin(last[2])
    torso = PREDICT.body.names.index("torso")
    p = f.points[0, torso]
    want = p @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1.0]])
    want[:, :2] += last[:2]
    assert f.points[-1, torso] == pytest.approx(want)
    assert last[0] > 0.1


def test_the_wish_is_kept_raw_and_the_motion_is_not(standing: RobotState) -> None:
    f, fast = predict(actions(vx=0.8), standing), predict(actions(vx=5.0), standing)
    assert fast.wish[0, 0] == 5.0
    assert fast.base == pytest.approx(f.base)


def test_moving_joints_move_the_centre_of_mass(
    state_of: Callable[..., RobotState],
) -> None:
    dq = np.zeros(29)
    dq[g1.JOINTS.index("waist_pitch_joint")] = 1.0
    f = predict(actions(), state_of(dq=dq))
    assert f.com_velocity[0] > 0.05


def test_chunks_of_other_periods_are_read_in_tenths() -> None:
    chunk = actions(4, dx=0.02, vx=0.3)
    assert at_tenths(chunk, 0.1) is not chunk
    assert np.array_equal(at_tenths(chunk, 0.1), chunk)
    slow = at_tenths(chunk, 0.2)
    assert slow.shape == (8, 12)
    assert slow[:, 3].sum() == pytest.approx(chunk[:, 3].sum())
    assert np.all(slow[:, 0] == 0.3)
    assert at_tenths(np.tile(chunk, (5, 1)), 0.1).shape == (10, 12)
