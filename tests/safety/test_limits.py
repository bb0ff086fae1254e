"""The tests' own copy of every limit: changing one takes two edits that agree."""

from __future__ import annotations

import importlib
import math

import numpy as np
import pytest

from bidden.core.errors import ConfigError
from bidden.robot import g1
from bidden.robot.ik import ArmIK
from bidden.robot.model import load_model
from bidden.safety import Limits, limits_from
from bidden.safety.limits import ARM_EFFORT, ARM_JOINTS, ARM_LOWER, ARM_UPPER

MOST = {
    "base_forward": 0.8,
    "base_backward": 0.5,
    "base_sideways": 0.4,
    "base_turn": 0.9,
    "base_reduced": 0.25,
    "base_turn_reduced": 0.45,
    "base_acceleration": 3.0,
    "base_turn_acceleration": 6.0,
    "arm_speed": 3.0,
    "hand_speed": 1.0,
    "hand_speed_near_person": 0.25,
    "state_age_s": 0.04,
    "command_age_s": 0.1,
    "source_age_s": 1.0,
    "scene_slow_age_s": 0.6,
    "scene_hold_age_s": 1.0,
    "approach_gain": 0.25,
    "body_gain": 1.5,
    "person_gain": 0.8,
    "person_slow_speed": 0.4,
    "tilt_hold": 0.35,
    "tilt_settle": 0.6,
    "fence_radius": 1e4,
    "fence_gain": 1.5,
    "fence_deceleration": 1.0,
    "stuck_s": 0.4,
    "stamp_drops": 2.0,
    "contact_torque": 6.0,
    "contact_torque_wrist": 2.0,
    "payload_mass": 1.0,
    "health_age_s": 0.5,
    "link_hold_s": 1.0,
    "link_settle_s": 5.0,
    "motor_warm_celsius": 75.0,
    "motor_hot_celsius": 90.0,
}
LEAST = {
    "self_clearance": 0.010,
    "arm_clearance": 0.010,
    "hand_clearance": 0.002,
    "body_radius": 0.12,
    "body_clearance": 0.02,
    "person_clearance": 0.10,
    "person_stop": 0.45,
    "person_slow": 1.31,
    "person_hand": 0.67,
    "capture_slow": -0.12,
    "capture_hold": -0.25,
    "pelvis_settle": 0.45,
    "settle_s": 2.0,
    "fence_clearance": 0.15,
    "battery_warn": 0.25,
    "battery_arm": 0.20,
    "battery_hold": 0.15,
    "battery_settle": 0.08,
}

# Numbers beside their code that bound a motion or say what is believed
BESIDE = {
    "limits": {
        "ARM_KP": 40.0, "ARM_KD": 3.0, "ENCODER_SLACK": 0.3, "GYRO_MAX": 35.0,
        "ODOMETRY_MAX": 1e4, "BASE_SPEED_MAX": 10.0, "TORQUE_MAX": 500.0,
        "WIDTH_MAX": 0.2, "FORCE_MAX": 1e3, "JUMP_SLACK": 0.05,
        "FUTURE_SLACK_NS": 1_000_000,
    },
    "judge": {"SQUEEZE": 1.0},
    "memory": {"CONTROL_PERIOD": 0.02},
    "scene": {"BOXES_MAX": 32, "PERSON_MAX": 16},
    "body.effort": {"SMOOTHING_S": 0.25},
    "body.fence": {"BEYOND": 1.0},
    "body.health": {"COLDEST": -50.0, "HOTTEST": 250.0},
    "body.retreat": {
        "STEP_BACK": 0.3, "SPEED": 0.15, "ARM_SPEED": 0.5, "REACHED": 0.05,
        "LIMIT_S": 6.0,
    },
    "body.stuck": {"WALKING": 0.05, "REACHING": 0.1},
    "motion.base": {"BODY_SPAN": (0.05, 1.3)},
    "motion.gaps": {"ARM_REACH": 0.9, "PERSON_REACH": 1.7},
    "motion.step": {"CHORD": 0.95},
    "motion.sweep": {"REACH": 1.2, "SWAY": 0.15, "STUMBLE_S": 0.3},
    "foresight.people": {
        "WALKING": 1.6, "REACTION_S": 0.1, "BRAKING": 2.0, "TRANSIENT": 2.0,
    },
    "foresight.judgement": {
        "CLOSING": 0.01, "HAND_SPAN": 0.15, "BODY_SPAN": (0.1, 1.3),
    },
}  # fmt: skip


@pytest.mark.parametrize("room", BESIDE)
def test_numbers_beside_the_code_are_the_ones_that_were_reviewed(room: str) -> None:
    module = importlib.import_module(f"bidden.safety.{room}")
    assert {name: getattr(module, name) for name in BESIDE[room]} == BESIDE[room]


def test_the_table_is_the_one_that_was_reviewed() -> None:
    limits = Limits()
    table = {name: getattr(limits, name) for name in Limits.__dataclass_fields__}
    assert table == MOST | LEAST


@pytest.mark.parametrize("name", MOST)
def test_a_limit_from_above_may_only_be_lowered(name: str) -> None:
    value = MOST[name]
    assert getattr(limits_from({name: value / 2}), name) == value / 2
    with pytest.raises(ConfigError, match=f"limit {name} must be at most"):
        limits_from({name: np.nextafter(value, math.inf)})
    with pytest.raises(ConfigError, match=f"limit {name} must not be negative"):
        limits_from({name: -1e-9})


@pytest.mark.parametrize("name", LEAST)
def test_a_limit_from_below_may_only_be_raised(name: str) -> None:
    value = LEAST[name]
    assert getattr(limits_from({name: value + 0.1}), name) == value + 0.1
    with pytest.raises(ConfigError, match=f"limit {name} must be at least"):
        limits_from({name: np.nextafter(value, -math.inf)})


@pytest.mark.parametrize("name", [*MOST, *LEAST])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "fast"])
def test_a_limit_is_a_finite_number(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"limit {name} must be a finite number"):
        limits_from({name: value})


def test_an_unknown_limit_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'hand_speed'"):
        limits_from({"hand_sped": 1.0})


def test_arm_rows_are_the_range_of_the_body_less_the_margin() -> None:
    links = {link.joint: link for link in load_model().links}
    assert [row.name for row in ARM_JOINTS] == list(g1.JOINTS[g1.ARMS])
    for row in ARM_JOINTS:
        link = links[row.name]
        assert row.lower == pytest.approx(link.lower + 0.05, abs=1e-9)
        assert row.upper == pytest.approx(link.upper - 0.05, abs=1e-9)
        assert row.effort == link.effort
    assert list(ARM_EFFORT) == [25, 25, 25, 25, 25, 5, 5] * 2


def test_inverse_kinematics_keeps_to_the_same_limits() -> None:
    for hand in (0, 1):
        ik, rows = ArmIK(hand), g1.ARM_IN_COMMAND[hand]
        assert ik.lower == pytest.approx(ARM_LOWER[rows])
        assert ik.upper == pytest.approx(ARM_UPPER[rows])
        assert ik.max_step == pytest.approx(MOST["arm_speed"] * 0.02)
        assert np.all((ik.ready > ik.lower) & (ik.ready < ik.upper))
