"""Chunks judged: chances against bounds, people, and what cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from bidden.core.messages import RobotState, Rung
from bidden.safety import Check, Scene
from bidden.safety.foresight.features import Foresight
from bidden.safety.foresight.judgement import (
    BODY_SPAN,
    BOUNDS,
    HAND_SPAN,
    ChunkJudge,
    Judgement,
    _findings,
)
from bidden.safety.foresight.people import (
    arm_mass,
    body_mass,
    speed_within,
    touch_speed,
)
from bidden.safety.foresight.prediction import Forecast
from bidden.safety.foresight.risk import RiskData

from .conftest import REACH, REST, actions

Make = Callable[..., RobotState]
BOX = Scene(
    stamp_ns=1,
    box_centre=np.array([[0.9, 0.0, 0.7]]),
    box_half=np.array([[0.2, 0.5, 0.6]]),
    box_yaw=np.zeros(1),
)


@pytest.fixture
def judge(risk: RiskData) -> Callable[..., Judgement]:
    """Chance of contact: 1 at a wall, 0 from 1 m; of a fall: by the capture margin."""
    one = ChunkJudge(data=risk)

    def call(
        chunk: np.ndarray, state: RobotState, scene: Scene | None = None
    ) -> Judgement:
        extra = {} if scene is None else {"scene": scene}
        return one(chunk, state, hand_target=REST, reach=REACH, **extra)

    return call


def test_the_bounds_are_the_promised_ones() -> None:
    table = {(b.check, b.rung): b.chance for b in BOUNDS}
    assert table[Check.FORESEEN_CONTACT, Rung.SLOW] == 0.1
    assert table[Check.FORESEEN_FALL, Rung.SLOW] == 0.2
    assert len(table) == 3
    assert table[Check.FORESEEN_FALL, Rung.HOLD] == 0.5


def test_nothing_is_said_of_standing_in_the_free(
    judge: Callable[..., Judgement], standing: RobotState
) -> None:
    said = judge(actions(), standing)
    assert said.contact == 0.0
    assert said.found == ()


def test_walking_into_a_box_is_foreseen_and_walking_away_is_not(
    judge: Callable[..., Judgement], standing: RobotState
) -> None:
    towards = judge(actions(vx=0.5), standing, BOX)
    assert towards.found[0][:2] == (Rung.SLOW, Check.FORESEEN_CONTACT)
    assert towards.contact > 0.5
    assert towards.closes
    away = judge(actions(vx=-0.4), standing, BOX)
    assert away.contact > 0.1
    assert not away.closes
    assert away.found == ()


def test_a_smaller_chance_slows(
    judge: Callable[..., Judgement], standing: RobotState
) -> None:
    far = replace(BOX, box_centre=np.array([[1.3, 0.0, 0.7]]))
    said = judge(actions(vx=0.4), standing, far)
    assert 0.1 < said.contact < 0.5
    assert said.found == ((Rung.SLOW, Check.FORESEEN_CONTACT, said.contact, 0.1),)


def test_a_chance_of_a_fall_slows_then_holds(
    judge: Callable[..., Judgement], state_of: Make
) -> None:
    rungs = []
    for speed in (0.0, 0.9, 1.7):
        state = state_of(base_velocity=np.array([0.0, speed, 0.0]))
        said = judge(actions(), state)
        rungs.append([one[0] for one in said.found if one[1] is Check.FORESEEN_FALL])
    assert rungs[0] == []
    assert rungs[1] == [Rung.SLOW]
    assert rungs[2] == [Rung.HOLD, Rung.SLOW]


def test_the_scene_moves_with_the_odometry(
    judge: Callable[..., Judgement], state_of: Make
) -> None:
    there = judge(actions(vx=0.3), state_of(), BOX)
    turned = judge(actions(vx=0.3), state_of(base_pose=np.array([0, 0, np.pi])), BOX)
    assert turned.contact < there.contact


# -- people ---------------------------------------------------------------------
def test_fast_towards_a_person_is_too_fast(
    judge: Callable[..., Judgement],
    standing: RobotState,
    person_at: Callable[..., Scene],
) -> None:
    fast = judge(actions(vx=0.8), standing, person_at(1.0))
    slow = judge(actions(vx=0.12), standing, person_at(1.6))
    assert fast.excess > 0.0
    assert slow.excess <= 0.0
    assert (Check.FORESEEN_CONTACT, 0.0) in {(f[1], f[3]) for f in fast.found}


def test_a_fast_touch_holds(
    judge: Callable[..., Judgement],
    standing: RobotState,
    person_at: Callable[..., Scene],
) -> None:
    said = judge(actions(vx=0.8), standing, person_at(0.55))
    assert said.touches
    assert said.found[0][0] is Rung.HOLD


def test_a_hand_at_face_height_may_only_creep(
    judge: Callable[..., Judgement],
    standing: RobotState,
    person_at: Callable[..., Scene],
) -> None:
    near = person_at(0.62, -0.2)
    low = judge(actions(dx=0.03), standing, near)
    high = judge(actions(dx=0.03, dz=0.06), standing, near)
    assert high.excess > low.excess


def test_leaving_a_person_is_fine(
    judge: Callable[..., Judgement],
    standing: RobotState,
    person_at: Callable[..., Scene],
) -> None:
    said = judge(actions(vx=-0.4), standing, person_at(0.6))
    assert said.excess <= 0.0


# -- what cannot be read ----------------------------------------------------------
@pytest.mark.parametrize("field", ["q", "gyro", "base_velocity", "torque"])
def test_a_state_that_is_not_finite_holds(
    judge: Callable[..., Judgement], standing: RobotState, field: str
) -> None:
    broken = replace(standing, **{field: getattr(standing, field) * np.nan})
    said = judge(actions(), broken)
    assert (said.contact, said.fall) == (1.0, 1.0)
    assert {f[0] for f in said.found} == {Rung.HOLD}


def test_a_broken_chunk_or_scene_holds(
    judge: Callable[..., Judgement], standing: RobotState
) -> None:
    assert judge(actions(vx=np.nan), standing).found[0][0] is Rung.HOLD
    scene = replace(BOX, box_yaw=np.array([np.nan]))
    assert judge(actions(), standing, scene).found[0][0] is Rung.HOLD


@pytest.mark.parametrize(
    ("group", "height"), [(0, 0.9), (1, 0.9), (0, 1.5), (1, 0.6), (2, 0.9), (2, 1.5)]
)
def test_a_person_is_neared_slowly_enough_to_stop_or_to_touch(
    group: int, height: float
) -> None:
    one = ChunkJudge()
    low, high = (
        BODY_SPAN if group == 2 else (height - HAND_SPAN - 0.1, height + HAND_SPAN)
    )
    mass = body_mass() if group == 2 else arm_mass()
    felt = touch_speed(low, high, robot_mass=mass)
    hands = np.full((11, 2, 3), height)
    hands[:, 1, 2] -= 0.1
    for start, way in ((1.2, 0.9), (0.3, 0.06), (0.05, 0.08), (0.04, 0.04)):
        gaps = np.full((9, 3), 1.0)
        gaps[:7, group] = start  # its steps are of 0.1 s up to there, then of 0.2 s
        gaps[7:, group] = start - way
        excess, touches = one._near_people(
            cast(Forecast, SimpleNamespace(hands=hands)),
            cast(Foresight, SimpleNamespace(person_gap=gaps)),
        )
        share = way / 0.2 / max(felt, speed_within(start)) - 1.0
        assert excess == pytest.approx(share)
        assert touches == (share > 0.0 and start - way <= 0.0)


def test_nobody_is_neared_by_standing_or_leaving() -> None:
    gaps = np.array([[0.5, 0.5, 0.5 + 0.01 * k] for k in range(9)])
    hands = np.ones((11, 2, 3))
    assert ChunkJudge()._near_people(
        cast(Forecast, SimpleNamespace(hands=hands)),
        cast(Foresight, SimpleNamespace(person_gap=gaps)),
    ) == (-1.0, False)


@pytest.mark.parametrize("touches", [False, True])
def test_a_bound_that_is_met_counts_and_a_chance_that_is_no_number_too(
    touches: bool,
) -> None:
    def said(contact: float, fall: float, excess: float, *, closes: bool = True) -> Any:
        found = _findings(contact, fall, excess=excess, touches=touches, closes=closes)
        return [(rung, check) for rung, check, _, _ in found]

    contact, fall = Check.FORESEEN_CONTACT, Check.FORESEEN_FALL
    assert said(0.1 - 1e-9, 0.2 - 1e-9, 0.0) == []
    assert said(0.1, 0.0, -1.0) == [(Rung.SLOW, contact)]
    assert said(1.0, 0.0, -1.0, closes=False) == []
    assert said(0.0, 0.2, -1.0, closes=False) == [(Rung.SLOW, fall)]
    assert said(0.0, 0.5, -1.0)[0] == (Rung.HOLD, fall)
    felt = (Rung.HOLD if touches else Rung.SLOW, contact)
    assert said(0.0, 0.0, 1e-9, closes=False) == [felt]
    nan = float("nan")
    assert len(said(nan, nan, nan)) == 4


def test_standing_beside_a_box_does_not_near_it(
    judge: Callable[..., Judgement], standing: RobotState
) -> None:
    assert not judge(actions(), standing, BOX).closes
