"""The signs of a fall, against what they should be in known states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from bidden.core.messages import RobotState
from bidden.robot import g1
from bidden.robot.kinematics import Kinematics
from bidden.safety.foresight.falls import (
    FALLING_INPUTS,
    MEMORY,
    SIGNS,
    FallMemory,
    FallPredictor,
    FallSigns,
    falling_inputs,
)
from bidden.safety.foresight.risk import RiskData

Make = Callable[..., RobotState]
READ = FallSigns()


def signs_of(state: RobotState) -> dict[str, float]:
    row = READ(FallMemory(), state).rows[-1][: len(SIGNS)]
    return dict(zip(SIGNS, row.tolist(), strict=True))


def leaning(angle: float, axis: int = 0) -> np.ndarray:
    """Gravity in a pelvis that leans forward (axis 0) or to the left (1)."""
    g = np.array([0.0, 0.0, -np.cos(angle)])
    g[axis] = np.sin(angle)
    return g


def test_standing_shows_no_sign(standing: RobotState) -> None:
    s = signs_of(standing)
    assert s["tilt"] == s["roll_rate"] == s["speed"] == s["sinking"] == 0.0
    assert s["height"] == pytest.approx(
        Kinematics().pelvis_in_base(standing.q, standing.gravity)[2, 3]
    )
    assert s["height_soon"] == s["height"]
    assert s["off_line"] < 0.08
    assert 0.2 < s["stride"] < 0.3


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("angle", [0.3, -0.3])
def test_tilt_and_its_rate(state_of: Make, axis: int, angle: float) -> None:
    # forward lean turns about +y, a lean to the left about -x
    rate = np.array([0.0, 1.0, 0.0]) if axis == 0 else np.array([-1.0, 0.0, 0.0])
    falling = signs_of(
        state_of(gravity=leaning(angle, axis), gyro=np.sign(angle) * rate)
    )
    rising = signs_of(
        state_of(gravity=leaning(angle, axis), gyro=-np.sign(angle) * rate)
    )
    assert falling["tilt"] == pytest.approx(0.3)
    assert falling["tilt_rate"] == pytest.approx(np.cos(0.3), abs=1e-6)
    assert rising["tilt_rate"] == pytest.approx(-np.cos(0.3), abs=1e-6)
    assert falling["tilt_soon"] > 0.45 > rising["tilt_soon"]
    assert falling["roll_rate"] == pytest.approx(1.0)


def test_vectors_are_those_of_the_base_frame(state_of: Make) -> None:
    s = signs_of(
        state_of(
            gravity=leaning(0.2, 1),
            gyro=np.array([-1.0, 0.0, 0.0]),
            base_velocity=np.array([0.3, 0.0, 0.0]),
        )
    )
    assert s["lean_y"] == pytest.approx(np.sin(0.2), abs=1e-6)
    assert s["lean_x"] == pytest.approx(0.0, abs=1e-9)
    assert s["leaning_y"] > 0.9
    assert s["speed_x"] == pytest.approx(0.3, abs=0.02)
    assert s["right_y"] < s["left_y"]
    assert min(s["right_z"], s["left_z"]) == pytest.approx(0.0, abs=0.03)
    assert max(s["right_z"], s["left_z"]) > 0.03


def test_turning_on_the_spot_is_no_fall(state_of: Make) -> None:
    s = signs_of(state_of(gyro=np.array([0.0, 0.0, 2.0])))
    assert s["tilt_rate"] == s["roll_rate"] == 0.0


def test_speed_takes_the_capture_point_off_the_feet(state_of: Make) -> None:
    still = signs_of(state_of())
    fast = signs_of(state_of(base_velocity=np.array([1.0, 0.0, 0.0])))
    assert fast["off_line"] == pytest.approx(still["off_line"] + 0.27, abs=0.1)
    assert fast["off_line_soon"] > fast["off_line"] > still["off_line"]
    assert fast["off_foot"] >= fast["off_line"]


def test_beside_both_feet_the_nearer_foot_counts(state_of: Make) -> None:
    aside = signs_of(state_of(base_velocity=np.array([0.0, 2.0, 0.0])))
    assert aside["off_line"] == pytest.approx(aside["off_foot"], abs=1e-9)


def test_sinking_shows_after_three_ticks(state_of: Make) -> None:
    memory, knees = FallMemory(), g1.DEFAULT_Q.copy()
    heights = []
    for k in range(6):
        q = knees.copy()
        for side in ("left", "right"):
            q[g1.JOINTS.index(f"{side}_knee_joint")] += 0.05 * k
            q[g1.JOINTS.index(f"{side}_hip_pitch_joint")] -= 0.025 * k
            q[g1.JOINTS.index(f"{side}_ankle_pitch_joint")] -= 0.025 * k
        memory = READ(memory, state_of(q=q))
        heights.append(memory.rows[-1][SIGNS.index("height")])
    sinking = memory.rows[-1][SIGNS.index("sinking")]
    assert sinking == pytest.approx((heights[2] - heights[5]) / 0.06)
    assert sinking > 0.05
    assert memory.rows[1][SIGNS.index("sinking")] == 0.0


def test_memory_is_bounded_and_gives_changes(state_of: Make) -> None:
    memory = FallMemory()
    for k in range(40):
        pull = np.arange(29) + 0.5 * k
        memory = READ(
            memory, state_of(base_velocity=np.array([0.01 * k, 0.0, 0.0]), torque=pull)
        )
    assert len(memory.rows) == MEMORY
    x = dict(zip(FALLING_INPUTS, falling_inputs(memory), strict=True))
    assert x["speed"] == pytest.approx(0.39)
    assert x["speed_in_0.04"] == pytest.approx(0.02)
    assert x["speed_in_0.10"] == pytest.approx(0.05)
    assert x["speed_in_0.20"] == pytest.approx(0.10)
    assert x["speed_in_0.30"] == pytest.approx(0.15)
    assert x["left_knee_joint_torque_in_0.04"] == pytest.approx(1.0)
    assert x["left_knee_joint_torque_in_0.10"] == pytest.approx(2.5)


def test_a_fresh_memory_knows_no_change(standing: RobotState) -> None:
    x = falling_inputs(READ(FallMemory(), standing))
    changes = [k for k, name in enumerate(FALLING_INPUTS) if "_in_0." in name]
    assert len(changes) == len(SIGNS) * 4 + 12 * 2
    assert np.all(x[changes] == 0.0)


def test_legs_are_read_as_they_are(state_of: Make) -> None:
    q, dq, torque = (r.normal(size=29) for r in (np.random.default_rng(5),) * 3)
    x = falling_inputs(READ(FallMemory(), state_of(q=q, dq=dq, torque=torque)))
    read = dict(zip(FALLING_INPUTS, x, strict=True))
    for k, joint in enumerate(g1.JOINTS[:12]):
        assert "hip" in joint or "knee" in joint or "ankle" in joint
        assert read[f"{joint}_q"] == q[k]
        assert read[f"{joint}_dq"] == dq[k]
        assert read[f"{joint}_torque"] == torque[k]


def test_it_counts_ticks_over_the_alarm(standing: RobotState, risk: RiskData) -> None:
    sure = FallPredictor(msgspec.structs.replace(risk, alarm=-11.0))
    memory, height = FallMemory(), signs_of(standing)["height"]
    for ticks in (1, 2, 3):
        memory, score = sure(memory, standing)
        assert memory.above == ticks
        assert score == pytest.approx(10 * np.tanh((0.6 - height) / 0.1))
    never = FallPredictor(risk)
    memory, score = never(replace(memory, above=7), standing)
    assert memory.above == 0
    assert score < never.alarm


def test_what_is_not_a_number_counts_as_falling(state_of: Make, risk: RiskData) -> None:
    memory, score = FallPredictor(risk)(
        FallMemory(), state_of(gyro=np.array([np.nan, 0, 0]))
    )
    assert np.isnan(score)
    assert memory.above == 1


def test_the_shipped_predictor_is_calm_when_standing(standing: RobotState) -> None:
    predictor, memory = FallPredictor(), FallMemory()
    for _ in range(15):
        memory, score = predictor(memory, standing)
    assert memory.above == 0
    assert score < predictor.alarm
