"""The base's answer to commands, against what was measured of the gait."""

from __future__ import annotations

import numpy as np
import pytest

from bidden.safety import Limits
from bidden.safety.foresight import base
from bidden.safety.foresight.base import answer_to, limit_wish, predict_base


def steady(vx: float = 0.0, vy: float = 0.0, wz: float = 0.0) -> np.ndarray:
    wish = np.tile([vx, vy, wz], (60, 1))
    _, speeds = predict_base(wish, np.zeros(3))
    return speeds[-1]


# Measured over 10 s: command, achieved (fastsac, docs of the prototype)
@pytest.mark.parametrize(
    ("command", "axis", "achieved"),
    [
        ((0.5, 0.0, 0.0), 0, 0.413),
        ((-0.4, 0.0, 0.0), 0, -0.325),
        ((0.0, 0.4, 0.0), 1, 0.209),
        ((0.0, -0.4, 0.0), 1, -0.198),
        ((0.0, 0.0, 0.6), 2, 0.558),
        ((0.0, 0.0, -0.6), 2, -0.530),
    ],
)
def test_the_gait_under_tracks_as_measured(
    command: tuple[float, float, float], axis: int, achieved: float
) -> None:
    assert steady(*command)[axis] == pytest.approx(achieved, abs=0.05)


def test_the_model_is_the_one_that_was_fitted() -> None:
    assert base.GAIN == {
        "forward": 0.82, "backward": 0.80, "sideways": 0.52, "turn": 0.93
    }  # fmt: skip
    assert list(base.AIMING) == [0.30, 0.15, 0.70]
    assert list(base.ANSWER) == [0.20, 0.70, 1.00]
    assert list(base.AIM_TRUST) == [0.6, 0.0, 0.8]
    assert list(base.TRUST) == [1.0, 0.8, 1.0]
    assert (base.STEP_S, base.STILL) == (0.1, 0.01)


def test_a_command_too_small_to_walk_is_standing() -> None:
    assert np.all(answer_to(np.array([0.009, -0.009, 0.009])) == 0.0)
    assert np.all(answer_to(np.array([[0.02, 0.0, 0.009]])) != 0.0, axis=0)[0]


def test_wishes_end_at_the_table_of_speeds() -> None:
    inside = limit_wish(np.array([[9.0, 9.0, 9.0], [-9.0, -9.0, -9.0]]), Limits())
    assert inside.tolist() == [[0.8, 0.4, 0.9], [-0.5, -0.4, -0.9]]


@pytest.mark.parametrize("sideways", [0.0, 0.3, -0.4])
def test_a_turning_walk_is_an_arc(sideways: float) -> None:
    wish = np.tile([0.4, sideways, 0.8], (300, 1))
    poses, speeds = predict_base(wish, np.zeros(3))
    vx, vy, wz = speeds[-1]
    c, s = np.cos(poses[-1, 2]), np.sin(poses[-1, 2])
    centre = poses[-1, :2] + np.array([[c, -s], [s, c]]) @ [-vy / wz, vx / wz]
    radius = np.linalg.norm(poses[-100:, :2] - centre, axis=1)
    assert radius == pytest.approx(np.full(100, np.hypot(vx, vy) / wz), rel=0.01)


def test_it_starts_from_the_measured_velocity_and_stops() -> None:
    poses, speeds = predict_base(np.zeros((10, 3)), np.array([0.4, 0.0, 0.5]))
    assert 0.03 < poses[-1, 0] < 0.3
    assert 0.0 < poses[-1, 2] < 0.3
    assert np.abs(speeds[-1]).max() < 0.1
