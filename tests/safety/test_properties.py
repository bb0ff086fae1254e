"""Whatever comes in, what goes out is finite and inside the limits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bidden.core.messages import Command, RobotState, Rung
from bidden.robot import g1
from bidden.safety import EMPTY_SCENE, Scene, Shield

LOWER = np.array(
    [
        [-3.0392, -1.5382, -2.568, -0.9972, -1.92222, -1.56443, -1.56443],
        [-3.0392, -2.2015, -2.568, -0.9972, -1.92222, -1.56443, -1.56443],
    ]
).ravel()
UPPER = np.array(
    [
        [2.6204, 2.2015, 2.568, 2.0444, 1.92222, 1.56443, 1.56443],
        [2.6204, 1.5382, 2.568, 2.0444, 1.92222, 1.56443, 1.56443],
    ]
).ravel()
TICK_NS = 20_000_000
ANY = st.floats(allow_nan=True, allow_infinity=True, width=64)
SMALL = st.floats(-2, 2)
NUMBER = st.one_of(SMALL, SMALL, SMALL, ANY)
FIELDS = {
    "q": 29, "dq": 29, "torque": 29, "gyro": 3, "gravity": 3, "base_pose": 3,
    "base_velocity": 3, "grip_width": 2, "grip_force": 2,
}  # fmt: skip
JUNK = st.sampled_from([None, 0, "x", (), np.zeros(0), np.zeros((2, 2)), [1.0, 2.0]])


def vector(n: int) -> st.SearchStrategy[np.ndarray]:
    return st.lists(NUMBER, min_size=n, max_size=n).map(np.array)


@st.composite
def broken_state(draw: st.DrawFn, good: RobotState) -> RobotState:
    field = draw(st.sampled_from([*FIELDS, "stamp_ns", "none"]))
    if field == "none":
        return good
    if field == "stamp_ns":
        lag = draw(st.integers(-(2**62), 2**62))
        return replace(good, stamp_ns=good.stamp_ns + lag)
    if draw(st.booleans()):
        return replace(good, **{field: draw(JUNK)})
    return replace(good, **{field: draw(vector(FIELDS[field]))})


@st.composite
def broken_command(draw: st.DrawFn, now_ns: int) -> Command:
    sizes = {"base_velocity": 3, "arm_q": 14, "grip": 2}
    values: dict[str, Any] = {
        name: draw(vector(n) if draw(st.integers(0, 9)) else JUNK)
        for name, n in sizes.items()
    }
    lag = st.one_of(st.just(0), st.integers(-(2**62), 2**62))
    return Command(stamp_ns=now_ns + draw(lag), source_ns=now_ns + draw(lag), **values)


@st.composite
def broken_scene(draw: st.DrawFn, now_ns: int) -> Scene:
    boxes, people = draw(st.integers(0, 3)), draw(st.integers(0, 2))
    rows = lambda n, *shape: draw(vector(n * int(np.prod(shape)))).reshape(n, *shape)  # noqa: E731
    return Scene(
        stamp_ns=now_ns - draw(st.integers(0, 2 * 10**9)),
        base_pose=draw(vector(3)),
        box_centre=rows(boxes, 3),
        box_half=np.abs(rows(boxes, 3)),
        box_yaw=rows(boxes),
        person_ends=rows(people, 3, 2),
        person_radius=np.abs(rows(people)),
    )


@settings(
    max_examples=120, deadline=None, suppress_health_check=list(HealthCheck),
    derandomize=True,
)  # fmt: skip
@given(data=st.data())
def test_anything_in_means_finite_and_limited_out(data: st.DataObject) -> None:
    shield, q, now = Shield(), g1.DEFAULT_Q.copy(), 10**10
    q[g1.ARMS] = g1.READY_ARMS
    arm = data.draw(st.booleans())
    last_arms, last_base = None, np.zeros(3)
    for _ in range(data.draw(st.integers(1, 5))):
        now += TICK_NS
        good = RobotState(
            stamp_ns=now, q=q.copy(), dq=np.zeros(29), torque=np.zeros(29),
            gyro=np.zeros(3), gravity=np.array([0, 0, -1.0]), base_pose=np.zeros(3),
            base_velocity=np.zeros(3), grip_width=np.zeros(2), grip_force=np.zeros(2),
        )  # fmt: skip
        if arm:
            arm = False
            shield.judge(None, good, now_ns=now)
            assert shield.arm() == ()
        state = data.draw(broken_state(good))
        command = data.draw(st.one_of(st.none(), broken_command(now)))
        scene = data.draw(st.one_of(st.just(EMPTY_SCENE), broken_scene(now)))
        vetted, verdict = shield.judge(command, state, now_ns=now, scene=scene)
        out = vetted.command
        assert vetted.verdict is verdict
        assert np.all((out.arm_q >= LOWER) & (out.arm_q <= UPPER))
        assert np.all(out.base_velocity >= (-0.5, -0.4, -0.9))
        assert np.all(out.base_velocity <= (0.8, 0.4, 0.9))
        assert np.all((out.grip >= 0) & (out.grip <= 1))
        assert 0 <= vetted.settle <= 1
        if last_arms is not None:
            assert np.abs(out.arm_q - last_arms).max() <= 3.0 * 0.02 + 1e-9
        if verdict.rung >= Rung.HOLD:
            assert np.all(out.base_velocity == 0)
            assert last_arms is None or np.all(out.arm_q == last_arms)
        step = np.abs(out.base_velocity) - np.abs(last_base)
        assert np.all(step <= (0.06 + 1e-9, 0.06 + 1e-9, 0.12 + 1e-9))
        if shield._own.state is not None:
            last_arms = out.arm_q
        last_base = out.base_velocity
