"""Speeds and distances near people: the second copy of the table."""

from __future__ import annotations

import numpy as np
import pytest

from bidden.safety.foresight.people import (
    BODY_PARTS,
    arm_mass,
    body_mass,
    separation,
    speed_at_touch,
    speed_within,
    touch_speed,
)

# force [N], stiffness [N/mm], mass [kg], factor of a short touch
TABLE = {
    "skull": (130, 150, 4.4, 1),
    "face": (65, 75, 4.4, 1),
    "neck": (150, 50, 1.2, 2),
    "back": (210, 35, 40, 2),
    "chest": (140, 25, 40, 2),
    "abdomen": (110, 10, 40, 2),
    "pelvis": (180, 25, 40, 2),
    "upper_arm": (150, 30, 3, 2),
    "lower_arm": (160, 40, 2, 2),
    "hand": (140, 75, 0.6, 2),
    "thigh": (220, 50, 75, 2),
    "lower_leg": (130, 60, 75, 2),
}
PARTS = {part.name: part for part in BODY_PARTS}


def test_the_table_is_the_published_one() -> None:
    assert {
        name: (p.force, p.stiffness / 1e3, p.mass, p.transient)
        for name, p in PARTS.items()
    } == TABLE
    assert all(p.low < p.high for p in BODY_PARTS)


@pytest.mark.parametrize(
    ("name", "speed"),
    [("chest", 0.84), ("abdomen", 1.04), ("hand", 1.40), ("thigh", 0.91)],
)
def test_speed_at_a_touch_with_5_kg(name: str, speed: float) -> None:
    assert speed_at_touch(PARTS[name], 5.0) == pytest.approx(speed, abs=0.005)


def test_a_face_allows_least() -> None:
    assert speed_at_touch(PARTS["face"], 5.0) == pytest.approx(0.155, abs=0.001)


def test_the_force_at_that_speed_is_the_table_s() -> None:
    for part in BODY_PARTS:
        mu = part.mass * 5.0 / (part.mass + 5.0)
        v = speed_at_touch(part, 5.0)
        # energy of the touch = energy of the spring at the largest force
        force = np.sqrt(2 * part.stiffness * 0.5 * mu * v * v)
        assert force == pytest.approx(part.transient * part.force)


def test_heavier_must_be_slower() -> None:
    for part in BODY_PARTS:
        assert speed_at_touch(part, 34.0) < speed_at_touch(part, 2.0)


def test_the_weakest_part_at_a_height_counts() -> None:
    high = touch_speed(1.5, 1.6, robot_mass=2.0)
    assert high == pytest.approx(speed_at_touch(PARTS["face"], 2.0))
    low = touch_speed(0.7, 0.9, robot_mass=2.0)
    assert low > 3 * high
    assert touch_speed(0.1, 1.3, robot_mass=34.0) == pytest.approx(
        min(speed_at_touch(p, 34.0) for p in BODY_PARTS)
    )


@pytest.mark.parametrize(("speed", "distance"), [(1.0, 1.31), (0.5, 0.6725)])
def test_distance_to_keep(speed: float, distance: float) -> None:
    assert separation(speed) == pytest.approx(distance)


def test_the_speed_within_a_distance_keeps_it() -> None:
    for gap in (0.17, 0.3, 0.67, 1.31, 2.0):
        assert separation(speed_within(gap)) == pytest.approx(gap)
    for gap in (0.16, 0.1, 0.0, -0.2, float("nan")):
        assert speed_within(gap) == 0.0


def test_masses_come_from_the_body() -> None:
    assert 1.5 < arm_mass() < 2.5
    assert arm_mass(0.5) == pytest.approx(arm_mass() + 0.5)
    assert 33.0 < body_mass() < 35.0
