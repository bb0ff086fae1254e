"""Two sources of one quantity: agreement says nothing, a lie slows and holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from bidden.core.messages import Advice, RobotState, Rung
from bidden.system.watches import SourcesLookout

DT = 0.02
Alter = Callable[[RobotState, float], RobotState]


def sample(k: int) -> RobotState:
    """A robot on a curve at 0.5 m/s and 0.3 rad/s, one arm joint swinging."""
    t = k * DT
    q, dq = np.zeros(29), np.zeros(29)
    q[20], dq[20] = 0.5 * np.sin(t), 0.5 * np.cos(t)
    yaw = 0.3 * t
    pose = np.array([np.sin(yaw) / 0.6, (1 - np.cos(yaw)) / 0.6, yaw])
    return RobotState(
        stamp_ns=round(t * 1e9), q=q, dq=dq, torque=np.zeros(29),
        gyro=np.array([0, 0, 0.3]), gravity=np.array([0, 0, -1.0]), base_pose=pose,
        base_velocity=np.array([0.5, 0.0, 0.3]), grip_width=np.zeros(2),
        grip_force=np.zeros(2),
    )  # fmt: skip


def run(alter: Alter, *, ticks: int = 100) -> list[Advice | None]:
    lookout = SourcesLookout()
    states = [sample(k) for k in range(ticks)]
    return [
        lookout.look(alter(state, k * DT - 1.0) if k >= 50 else state)
        for k, state in enumerate(states)
    ]


def test_sources_that_agree_say_nothing() -> None:
    assert run(lambda state, _: state) == [None] * 100


def drift(state: RobotState, t: float) -> RobotState:
    return replace(state, base_pose=state.base_pose + np.array([0.6 * t, 0, 0]))


def lie(state: RobotState, t: float) -> RobotState:
    return replace(state, gyro=state.gyro + np.array([0, 0, 1.0]))


def slip(state: RobotState, t: float) -> RobotState:
    q = state.q.copy()
    q[20] += 0.3
    return replace(state, q=q)


@pytest.mark.parametrize(("alter", "within"), [(drift, 0.30), (lie, 0.40), (slip, 0.0)])
def test_a_lie_slows_and_then_holds(alter: Alter, within: float) -> None:
    said = run(alter)
    assert said[:50] == [None] * 50
    rungs = [advice.rung for advice in said[50:] if advice is not None]
    held = next(k for k, a in enumerate(said) if a is not None and a.rung is Rung.HOLD)
    assert (held - 50) * DT <= within + 1e-9
    assert set(rungs) <= {Rung.SLOW, Rung.HOLD}
    assert all(a.reason == "sources_disagree" for a in said if a is not None)


def test_a_slipped_encoder_agrees_again_with_the_next_sample() -> None:
    assert run(slip)[51:] == [None] * 49


def test_what_the_shield_refuses_anyway_is_left_to_it() -> None:
    lookout = SourcesLookout()
    for k in range(10):
        lookout.look(sample(k))
    for bad in (
        replace(sample(10), q=np.full(29, np.nan)),
        replace(sample(10), q=np.zeros(3)),
        replace(sample(10), stamp_ns=0),
        replace(sample(10), base_pose=np.full(3, np.inf)),
    ):
        assert lookout.look(bad) is None
    assert lookout.look(sample(11)) is None  # and nothing of them is remembered


def test_after_a_gap_it_starts_anew() -> None:
    lookout = SourcesLookout()
    for k in range(30):
        lookout.look(sample(k))
    far = replace(sample(90), base_pose=np.array([9.0, 9.0, 1.0]))
    assert lookout.look(far) is None
