"""Arming, the ladder, and the limits of one joint and one speed at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bidden.core.messages import Mode, RobotState, Rung
from bidden.robot import g1
from bidden.safety import Judge, Limits, ShieldState

MS = 1_000_000
RANGE = {  # the tests' own copy, left arm then right [rad]
    "lower": (-3.0392, -1.5382, -2.568, -0.9972, -1.92222, -1.56443, -1.56443,
              -3.0392, -2.2015, -2.568, -0.9972, -1.92222, -1.56443, -1.56443),
    "upper": (2.6204, 2.2015, 2.568, 2.0444, 1.92222, 1.56443, 1.56443,
              2.6204, 1.5382, 2.568, 2.0444, 1.92222, 1.56443, 1.56443),
}  # fmt: skip
BASE = {"lower": (-0.5, -0.4, -0.9), "upper": (0.8, 0.4, 0.9)}
ARMED = pytest.mark.parametrize("arm", [True, False])


@ARMED
@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("share", [-2, -1.001, -1, -0.5, 0, 0.5, 1, 1.001, 2, 1e12])
def test_base_speed(make_bench: Any, arm: bool, axis: int, share: float) -> None:
    bench = make_bench(arm=arm)
    wish = np.zeros(3)
    bound = BASE["upper"][axis] if share > 0 else -BASE["lower"][axis]
    wish[axis] = share * bound
    for _ in range(20):
        vetted, verdict = bench.tick(base_velocity=wish)
    expected = np.clip(wish, BASE["lower"], BASE["upper"]) if arm else np.zeros(3)
    assert vetted.command.base_velocity == pytest.approx(expected)
    assert ("base_speed" in verdict.reasons) == (abs(share) > 1)
    assert (verdict.rung is Rung.HOLD) == (not arm)


@pytest.mark.parametrize(("axis", "most"), [(0, 3.0), (1, 3.0), (2, 6.0)])
def test_base_acceleration(bench: Any, axis: int, most: float) -> None:
    wish = np.zeros(3)
    wish[axis] = 0.4
    last = 0.0
    for k in range(12):
        vetted, verdict = bench.tick(base_velocity=wish if k < 8 else -wish)
        now = vetted.command.base_velocity[axis]
        assert abs(now - last) <= most * 0.02 + 1e-9
        assert verdict.rung is Rung.PASS
        last = now
    assert bench.tick(command=None)[0].command.base_velocity[axis] == 0


@ARMED
@pytest.mark.parametrize("joint", range(14))
@pytest.mark.parametrize("end", ["lower", "upper"])
@pytest.mark.parametrize("past", [-0.01, 0.0, 1e-5, 0.5, 1e6])
def test_joint_range(
    make_bench: Any, arm: bool, joint: int, end: str, past: float
) -> None:
    bench = make_bench(arm=arm)
    limit, sign = RANGE[end][joint], 1 if end == "upper" else -1
    start = g1.READY_ARMS.copy()
    start[joint] = limit - sign * 0.02
    bench.q[g1.ARMS] = start
    wish = start.copy()
    wish[joint] = limit + sign * past
    vetted, verdict = bench.tick(arm_q=wish)
    given = vetted.command.arm_q[joint]
    assert sign * given <= sign * limit + 1e-9
    assert ("joint_range" in verdict.reasons) == (past > 0)
    if not arm:
        assert given == pytest.approx(start[joint])
    elif "self_distance" not in verdict.reasons:
        assert given == pytest.approx(limit + sign * min(past, 0))


@pytest.mark.parametrize("joint", range(14))
@pytest.mark.parametrize("speed", [-4.0, -3.0001, -2.999, 2.999, 3.0001, 4.0])
def test_joint_speed_keeps_direction(bench: Any, joint: int, speed: float) -> None:
    limits_only = 0.02 * speed
    step = np.zeros(14)
    step[joint] = limits_only
    step[joint // 7 * 7 + (joint + 1) % 7] = limits_only / 2
    start = g1.READY_ARMS * 0.8
    bench.q[g1.ARMS] = start
    vetted, verdict = bench.tick(arm_q=start + step)
    given = vetted.command.arm_q - start
    assert np.abs(given).max() <= 3.0 * 0.02 + 1e-9
    assert ("joint_speed" in verdict.reasons) == (abs(speed) > 3)
    if not {"hand_speed", "self_distance"} & set(verdict.reasons):
        share = min(1, 3.0 / abs(speed))
        assert given == pytest.approx(share * step, abs=1e-9)


def test_a_blocked_wrist_is_not_pushed_with_all_torque(bench: Any) -> None:
    stuck = bench.q.copy()
    wish = g1.READY_ARMS.copy()
    reasons: set[str] = set()
    for _ in range(60):
        wish[5] += 0.01
        vetted, verdict = bench.tick(arm_q=wish, track=False)
        bench.q = stuck
        reasons |= set(verdict.reasons)
    assert "joint_torque" in reasons
    assert vetted.command.arm_q[5] - stuck[20] <= 5.0 / 40.0 + 1e-9


@pytest.mark.parametrize("grip", [-5.0, 0.0, 0.4, 1.0, 7.0])
def test_grip_stays_in_range(bench: Any, grip: float) -> None:
    vetted, _ = bench.tick(grip=np.full(2, grip))
    assert np.all(vetted.command.grip == np.clip(grip, 0, 1))


def test_boots_disarmed_and_holds_where_it_is(make_bench: Any) -> None:
    bench = make_bench(arm=False)
    bench.q[g1.ARMS] = g1.READY_ARMS * 0.9
    for _ in range(5):
        vetted, verdict = bench.tick(
            base_velocity=np.full(3, 0.3), arm_q=g1.READY_ARMS * 0.5, grip=np.ones(2)
        )
        assert not bench.shield.is_armed
        assert verdict.rung is Rung.HOLD
        assert "disarmed" in verdict.reasons
        assert np.all(vetted.command.base_velocity == 0)
        assert vetted.command.arm_q == pytest.approx(g1.READY_ARMS * 0.9)
        assert np.all(vetted.command.grip == 0)
        assert vetted.settle == 0


def test_disarming_stops_at_the_next_tick(bench: Any) -> None:
    bench.tick(base_velocity=np.full(3, 0.05), grip=np.ones(2))
    bench.shield.disarm()
    vetted, verdict = bench.tick(base_velocity=np.full(3, 0.05))
    assert verdict.reasons == ("disarmed",)
    assert np.all(vetted.command.base_velocity == 0)
    assert np.all(vetted.command.grip == 1), "what is held is not dropped"


@pytest.mark.parametrize(
    ("width", "force", "grip"), [(0.09, 0.0, 0.0), (0.045, 0.0, 0.5), (0.04, 5.0, 1.0)]
)
def test_a_hand_that_holds_something_at_boot_keeps_it(
    make_bench: Any, state_of: Callable[..., RobotState], width: float, force: float,
    grip: float,
) -> None:  # fmt: skip
    bench = make_bench(arm=False)
    state = state_of(
        bench.now_ns + 20 * MS, grip_width=np.full(2, width),
        grip_force=np.full(2, force),
    )  # fmt: skip
    vetted, _ = bench.tick(state=state)
    assert vetted.command.grip == pytest.approx([grip, grip])


@pytest.mark.parametrize(
    ("tilt", "rung"),
    [(0.349, Rung.PASS), (0.351, Rung.HOLD), (0.599, Rung.HOLD), (0.601, Rung.SETTLE)],
)
def test_tilt_holds_then_settles(
    bench: Any, state_of: Callable[..., RobotState], tilt: float, rung: Rung
) -> None:
    gravity = np.array([0.0, np.sin(tilt), -np.cos(tilt)])
    state = state_of(bench.now_ns + 20 * MS, gravity=gravity)
    vetted, verdict = bench.tick(state=state)
    tilted = verdict.reasons[:1] == ("tilt",)
    assert tilted == (rung > Rung.PASS)
    if tilted:
        assert verdict.rung is rung
    assert (vetted.settle > 0) == (rung is Rung.SETTLE)


def test_settling_takes_two_seconds_and_outlives_disarming(
    bench: Any, state_of: Callable[..., RobotState]
) -> None:
    gravity = np.array([0.0, np.sin(0.7), -np.cos(0.7)])
    settle = [
        bench.tick(state=state_of(bench.now_ns + 20 * MS, gravity=gravity))[0].settle
    ]
    for _ in range(99):
        settle.append(bench.tick()[0].settle)
    assert np.diff(settle) == pytest.approx(np.full(99, 0.01))
    assert settle[-1] == pytest.approx(1.0)
    bench.shield.disarm()
    vetted, verdict = bench.tick()
    assert vetted.settle == 1.0
    assert verdict.reasons[0] == "tilt"


def test_a_collapsing_body_settles_but_a_rising_one_does_not(
    bench: Any, state_of: Callable[..., RobotState]
) -> None:
    q = bench.q.copy()
    q[[0, 6]], q[[3, 9]], q[[4, 10]] = -1.9, 2.7, -0.8
    bench.tick(state=state_of(bench.now_ns + 20 * MS))
    bench.now_ns += 200 * MS
    squat = lambda: state_of(bench.now_ns + 20 * MS, q=q.copy())  # noqa: E731
    _, verdict = bench.tick(state=squat(), track=False)
    assert verdict.rung is Rung.SETTLE
    assert "pelvis_height" in verdict.reasons
    assert bench.shield.reset() == ("pelvis_height",), "not while it collapses"
    bench.tick(state=squat(), track=False)
    assert bench.shield.reset() == ()
    assert bench.shield.arm() == ()
    vetted, verdict = bench.tick(state=squat(), track=False)
    assert "pelvis_height" not in verdict.reasons
    assert "rising" in verdict.reasons
    assert np.all(vetted.command.base_velocity == 0)


@pytest.mark.parametrize(
    ("speed", "rung"), [(0.0, Rung.PASS), (1.0, Rung.SLOW), (1.6, Rung.HOLD)]
)
def test_capture_point_slows_then_holds(
    bench: Any, state_of: Callable[..., RobotState], speed: float, rung: Rung
) -> None:
    wish = np.array([0.4, 0.0, 0.0])
    push = np.array([speed, 0.0, 0.0])
    for _ in range(12):
        bench.tick(base_velocity=wish)
    state = state_of(bench.now_ns + 20 * MS, base_velocity=push)
    vetted, verdict = bench.tick(state=state, base_velocity=wish)
    assert verdict.rung is rung
    braking = {Rung.PASS: 0.4, Rung.SLOW: 0.34, Rung.HOLD: 0.0}[rung]
    assert vetted.command.base_velocity == pytest.approx([braking, 0, 0])
    for _ in range(25):  # clears after half a second
        vetted, verdict = bench.tick(base_velocity=wish)
        assert verdict.rung is rung
    end = {Rung.PASS: 0.4, Rung.SLOW: 0.25, Rung.HOLD: 0.0}[rung]
    assert vetted.command.base_velocity == pytest.approx([end, 0, 0])
    assert bench.tick(base_velocity=wish)[1].rung is Rung.PASS


def test_a_worse_finding_raises_a_standing_fault_and_a_milder_does_not_lower_it(
    bench: Any, state_of: Callable[..., RobotState]
) -> None:
    def pushed(speed: float) -> Rung:
        state = state_of(bench.now_ns + 20 * MS, base_velocity=np.array([speed, 0, 0]))
        return bench.tick(state=state)[1].rung

    assert pushed(1.0) is Rung.SLOW
    assert pushed(1.6) is Rung.HOLD
    assert pushed(1.0) is Rung.HOLD


def test_a_latched_fault_stays_when_its_check_gets_milder(
    bench: Any, state_of: Callable[..., RobotState]
) -> None:
    for tilt in (0.7, 0.4, 0.0):
        gravity = np.array([0.0, np.sin(tilt), -np.cos(tilt)])
        state = state_of(bench.now_ns + 20 * MS, gravity=gravity)
        assert bench.tick(state=state)[1].rung is Rung.SETTLE


def test_a_clock_that_steps_back_does_not_keep_faults_for_longer(
    bench: Any, state_of: Callable[..., RobotState]
) -> None:
    gravity = np.array([0.0, np.sin(0.4), -np.cos(0.4)])
    state = state_of(bench.now_ns + 20 * MS, gravity=gravity)
    assert bench.tick(state=state)[1].rung is Rung.HOLD
    bench.now_ns -= 30 * MS
    assert "clock_backwards" in bench.tick()[1].reasons
    for _ in range(30):
        _, verdict = bench.tick()
    assert verdict.rung is Rung.PASS


def test_the_worst_rung_wins_and_comes_first(
    bench: Any, state_of: Callable[..., RobotState]
) -> None:
    gravity = np.array([0.0, np.sin(0.7), -np.cos(0.7)])
    state = state_of(bench.now_ns + 20 * MS, gravity=gravity)
    _, verdict = bench.tick(
        state=state, base_velocity=np.full(3, 9.0), arm_q=np.full(14, np.nan)
    )
    assert verdict.rung is Rung.SETTLE
    assert verdict.reasons[0] == "tilt"
    assert "command_invalid" in verdict.reasons


@pytest.mark.parametrize(
    "check", ["_check_state", "_check_balance", "_move_arms", "_kinematics"]
)
def test_a_check_that_raises_is_an_unsafe_verdict(
    bench: Any, monkeypatch: pytest.MonkeyPatch, check: str
) -> None:
    before, _ = bench.tick(grip=np.ones(2))
    monkeypatch.setattr(bench.shield._judge, check, None)
    vetted, verdict = bench.tick(base_velocity=np.full(3, 0.05), arm_q=np.zeros(14))
    assert verdict.rung is Rung.HOLD
    assert "internal_error" in verdict.reasons
    assert np.all(vetted.command.base_velocity == 0)
    assert np.all(vetted.command.arm_q == before.command.arm_q)
    assert np.all(vetted.command.grip == 1)


def test_a_step_is_pure(
    state_of: Callable[..., RobotState], command_of: Callable[..., Any]
) -> None:
    judge, own = Judge(Limits()), ShieldState(mode=Mode.ACTIVE)
    from bidden.safety import EMPTY_SCENE

    wish = command_of(base_velocity=np.array([0.3, 0, 0]), arm_q=g1.READY_ARMS + 0.1)
    same = [
        judge.step(own, wish, state=state_of(), scene=EMPTY_SCENE, now_ns=wish.stamp_ns)
        for _ in range(2)
    ]
    assert np.all(same[0].command.arm_q == same[1].command.arm_q)
    assert same[0].verdict.reasons == same[1].verdict.reasons
    assert own.state is None
    assert own.posture is None


def test_two_calls_at_one_time_do_not_move_twice(
    bench: Any, state_of: Callable[..., RobotState], command_of: Callable[..., Any]
) -> None:
    vetted, _ = bench.tick(arm_q=g1.READY_ARMS + 0.05)
    for _ in range(100):
        again, _ = bench.shield.judge(
            command_of(bench.now_ns, arm_q=g1.READY_ARMS + 1.0),
            state_of(bench.now_ns, q=bench.q),
            now_ns=bench.now_ns,
        )
    assert again.command.arm_q == pytest.approx(vetted.command.arm_q, abs=1e-5)


def test_a_rehearsal_is_forgotten(bench: Any) -> None:
    bench.tick()
    shield, own = bench.shield, bench.shield._own
    state = own.state
    now_ns = bench.now_ns + 20_000_000
    broken = replace(state, stamp_ns=now_ns, q=np.full(29, np.nan))
    for seen in (replace(state, stamp_ns=now_ns), broken):
        shield.press("kept")  # waits for the next real command
        shield.rehearse(None, seen, now_ns=now_ns)
        assert shield._own is own
        assert shield.mode is Mode.STOPPED
    _, verdict = shield.judge(None, replace(state, stamp_ns=now_ns), now_ns=now_ns)
    assert "estop" in verdict.reasons
