"""Stuck sensors, disordered samples, loads, contacts, and the retreat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bidden.core.messages import Advice, Mode, RobotState, Rung
from bidden.robot import g1
from bidden.safety import Check, Limits, Scene
from bidden.safety.body import ArmEffort, Retreat, check_effort, smoothed

MS = 1_000_000
TICK_NS = 20 * MS
WALK = np.array([0.1, 0.0, 0.0])
SENSORS = {
    "q": 29, "dq": 29, "gyro": 3, "gravity": 3, "base_pose": 3, "base_velocity": 3
}  # fmt: skip


def lively(bench: Any, state_of: Callable[..., RobotState]) -> RobotState:
    """A state of the next tick in which every sensor trembles."""
    rng = np.random.default_rng(bench.now_ns // TICK_NS)
    state = state_of(bench.now_ns + TICK_NS)
    noise = {
        n: getattr(state, n) + 1e-6 * rng.normal(size=k) for n, k in SENSORS.items()
    }
    return replace(state, **noise)


def freeze(state: RobotState, first: RobotState, field: str, k: int) -> RobotState:
    values = getattr(state, field).copy()
    values[k] = getattr(first, field)[k]
    return replace(state, **{field: values})


# -- stuck sensors ---
@pytest.mark.parametrize("field", SENSORS)
def test_a_stuck_sensor_of_a_walking_robot_settles_within_half_a_second(
    make_bench: Any, state_of: Callable[..., RobotState], field: str
) -> None:
    for k in (0, SENSORS[field] // 3, 14) if SENSORS[field] > 3 else (0, 2):
        bench = make_bench()
        for _ in range(5):
            first = lively(bench, state_of)
            bench.tick(state=first, base_velocity=WALK, track=False)
        took = 0
        while bench.shield.is_armed and took < 60:
            state = freeze(lively(bench, state_of), first, field, k)
            _, verdict = bench.tick(state=state, base_velocity=WALK, track=False)
            took += 1
        assert verdict.rung is Rung.SETTLE
        assert verdict.reasons[0] == "state_stuck"
        assert 19 <= took <= 21, (field, k)


def test_a_stuck_encoder_of_an_arm_that_reaches_settles(
    bench: Any, state_of: Callable[..., RobotState]
) -> None:
    wish, verdict = g1.READY_ARMS.copy(), None
    for _ in range(25):  # half a second
        wish = wish + np.where(np.arange(14) == 3, 0.004, 0.0)  # 0.2 rad/s
        state = lively(bench, state_of)
        q = state.q.copy()
        q[18] = g1.READY_ARMS[3]
        _, verdict = bench.tick(state=replace(state, q=q), arm_q=wish, track=False)
        if verdict.rung is Rung.SETTLE:
            break
    assert verdict.reasons[0] == "state_stuck"


def test_a_robot_that_stands_may_be_still(
    bench: Any, state_of: Callable[..., RobotState]
) -> None:
    for _ in range(60):
        _, verdict = bench.tick(state=state_of(bench.now_ns + TICK_NS), track=False)
        assert verdict.rung is Rung.PASS


def test_a_sensor_that_moves_now_and_then_is_not_stuck(
    bench: Any, state_of: Callable[..., RobotState]
) -> None:
    for _ in range(5):
        first = lively(bench, state_of)
        bench.tick(state=first, base_velocity=WALK, track=False)
        for _ in range(18):
            state = freeze(lively(bench, state_of), first, "gyro", 1)
            _, verdict = bench.tick(state=state, base_velocity=WALK, track=False)
            assert verdict.rung is Rung.PASS


def test_the_same_sample_twice_is_old_not_stuck(
    bench: Any, state_of: Callable[..., RobotState]
) -> None:
    state = lively(bench, state_of)
    bench.tick(state=state, base_velocity=WALK, track=False)
    before = bench.shield._own.stillness
    bench.tick(state=state, base_velocity=WALK, track=False)
    assert bench.shield._own.stillness is before


# -- disordered samples ---
def test_one_disordered_sample_is_dropped_and_more_hold(
    bench: Any, state_of: Callable[..., RobotState]
) -> None:
    def disordered() -> Any:
        early = state_of(bench.now_ns - 60 * MS, base_pose=np.full(3, 7.0))
        return bench.tick(state=early, base_velocity=WALK)

    for _ in range(10):
        bench.tick(base_velocity=WALK)
    for rung in (Rung.WARN, Rung.WARN, Rung.HOLD):
        vetted, verdict = disordered()
        assert verdict.rung is rung
        assert verdict.reasons == ("state_stamp",)
        assert bool(vetted.command.base_velocity.any()) == (rung is Rung.WARN)
        assert np.all(bench.shield._own.state.base_pose < 7), "never used"
        bench.tick(base_velocity=WALK)
    for _ in range(150):  # one a second is forgotten
        bench.tick(base_velocity=WALK)
    assert disordered()[1].rung is Rung.WARN


def test_disordered_samples_do_not_hide_that_the_state_is_old(
    bench: Any, state_of: Callable[..., RobotState]
) -> None:
    bench.tick()
    rungs = []
    for _ in range(4):
        early = state_of(bench.now_ns - 1000 * MS)
        rungs.append(bench.tick(state=early, base_velocity=WALK)[1].rung)
    assert rungs == [Rung.WARN, Rung.WARN, Rung.SETTLE, Rung.SETTLE]


def test_a_disordered_sample_at_boot_moves_nothing(
    make_bench: Any, state_of: Callable[..., RobotState]
) -> None:
    bench = make_bench(arm=False)
    vetted, verdict = bench.tick(state=state_of(bench.now_ns + 10**10))
    assert verdict.reasons == ("disarmed", "state_stamp")
    assert np.all(vetted.command.arm_q == g1.READY_ARMS)


# -- loads and contacts ---
def loaded(
    bench: Any, state_of: Callable[..., RobotState], extra: np.ndarray
) -> RobotState:
    state = lively(bench, state_of)
    X_PL = bench.shield._judge._kinematics.link_poses(state.q)
    torque = np.zeros(29)
    torque[g1.ARMS] = ArmEffort()(X_PL, state.gravity)[0] + extra
    return replace(state, torque=torque)


@pytest.mark.parametrize("joint", range(14))
@pytest.mark.parametrize("past", [-0.01, 0.01])
def test_what_no_load_explains_is_a_contact(
    joint: int, past: float, bench: Any
) -> None:
    X_PL = bench.shield._judge._kinematics.link_poses(bench.q)
    per_kg = ArmEffort()(X_PL, np.array([0.0, 0.0, -1.0]))[1]
    residual = np.zeros(14)
    limit = 2.0 if joint % 7 >= 5 else 6.0
    residual[joint] = -np.copysign(limit + past, per_kg[joint])  # lifts the hand
    found = check_effort(residual, per_kg, Limits())
    assert found == ([(Rung.HOLD, Check.CONTACT)] if past > 0 else [])
    residual = -4.0 * residual  # a load would pull so, but on other joints too
    assert check_effort(residual, per_kg, Limits())


def test_a_contact_holds_until_the_operator(
    bench: Any, state_of: Callable[..., RobotState]
) -> None:
    bench.tick()
    extra = np.zeros(14)
    extra[2] = 7.0  # the left upper arm is turned
    for _ in range(60):  # the smoothed torque arrives
        state = loaded(bench, state_of, extra)
        _, verdict = bench.tick(state=state, base_velocity=WALK, track=False)
    assert verdict.rung >= Rung.HOLD
    assert "contact" in verdict.reasons
    assert bench.shield.mode is Mode.STOPPED
    assert "contact" in bench.shield.reset()


@pytest.mark.parametrize("joint", [2, 3, 9])
def test_a_hard_blow_is_noticed_within_a_tenth_of_a_second(
    bench: Any, state_of: Callable[..., RobotState], joint: int
) -> None:
    bench.tick()
    extra = np.zeros(14)
    extra[joint] = 25.0
    for _ in range(5):
        state = loaded(bench, state_of, extra)
        _, verdict = bench.tick(state=state, track=False)
    assert {"contact", "payload"} & set(verdict.reasons)


@pytest.mark.parametrize(("mass", "found"), [(0.99, False), (1.01, True)])
@pytest.mark.parametrize("arm", [0, 1])
def test_a_load_is_weighed(arm: int, mass: float, found: bool, bench: Any) -> None:
    bench.tick()
    X_PL = bench.shield._judge._kinematics.link_poses(bench.q)
    per_kg = ArmEffort()(X_PL, np.array([0.0, 0.0, -1.0]))[1]
    rows = slice(7 * arm, 7 * arm + 7)
    residual = np.zeros(14)
    residual[rows] = mass * per_kg[rows]
    said = check_effort(residual, per_kg, Limits())
    assert said == ([(Rung.RETREAT, Check.PAYLOAD)] if found else [])


def test_a_torque_that_is_no_number_is_a_contact_and_a_load() -> None:
    found = check_effort(np.full(14, np.nan), np.ones(14), Limits())
    assert [check.value for _, check in found] == ["contact", "payload"]


def test_smoothing() -> None:
    assert smoothed(None, np.ones(14), period=0.02) == pytest.approx(np.ones(14))
    once = smoothed(np.zeros(14), np.ones(14), period=0.02)
    assert once == pytest.approx(np.full(14, 0.08))
    assert smoothed(np.zeros(14), np.ones(14), period=9.0) == pytest.approx(np.ones(14))


# -- retreat ---
def heavy(bench: Any, state_of: Callable[..., RobotState]) -> RobotState:
    """2 kg in the right hand; arms and base are where they were commanded."""
    state = lively(bench, state_of)
    still = state_of(0)
    state = replace(
        state,
        q=state.q - still.q + bench.q,
        base_pose=state.base_pose + bench.pose,
    )
    X_PL = bench.shield._judge._kinematics.link_poses(state.q)
    arms, per_kg = ArmEffort()(X_PL, state.gravity)
    torque = np.zeros(29)
    torque[g1.ARMS] = arms + 2.0 * per_kg * (np.arange(14) >= 7)
    return replace(state, torque=torque)


def carry(bench: Any, state_of: Any, ticks: int, **changes: Any) -> list[Any]:
    seen = []
    for _ in range(ticks):
        vetted, verdict = bench.tick(
            state=heavy(bench, state_of), grip=np.ones(2), **changes
        )
        bench.pose = bench.pose + 0.02 * vetted.command.base_velocity
        seen.append((vetted, verdict))
    return seen


def test_a_heavy_load_is_lowered_and_the_robot_steps_back(
    bench: Any, state_of: Callable[..., RobotState]
) -> None:
    bench.pose = np.zeros(3)
    bench.tick(grip=np.ones(2))
    seen = carry(bench, state_of, 400, base_velocity=WALK)
    rungs = [verdict.rung for _, verdict in seen]
    assert set(rungs[20:]) == {Rung.RETREAT}
    assert "payload" in seen[-1][1].reasons
    assert bench.shield.mode is Mode.STOPPED
    assert seen[-1][0].command.arm_q == pytest.approx(g1.DEFAULT_Q[g1.ARMS], abs=0.05)
    assert -0.33 < bench.pose[0] < -0.28
    assert all(np.all(vetted.command.grip == 1) for vetted, _ in seen)
    assert min(v.command.base_velocity[0] for v, _ in seen) >= -0.15 - 1e-9
    assert seen[-1][0].command.base_velocity[0] == 0


def test_a_retreat_that_is_done_does_not_begin_again(
    bench: Any, state_of: Callable[..., RobotState]
) -> None:
    """A body that stands sways: it had walked back again and again."""
    bench.pose = np.zeros(3)
    bench.tick(grip=np.ones(2))
    carry(bench, state_of, 400, base_velocity=WALK)
    bench.pose = bench.pose + np.array([0.06, 0.0, 0.0])
    seen = carry(bench, state_of, 50, base_velocity=WALK)
    assert not any(vetted.command.base_velocity.any() for vetted, _ in seen)


def test_a_retreat_needs_no_commander(
    bench: Any, state_of: Callable[..., RobotState]
) -> None:
    bench.pose = np.zeros(3)
    bench.tick()
    seen = carry(bench, state_of, 100, command=None)
    assert seen[-1][1].rung is Rung.RETREAT
    assert bench.pose[0] < -0.05


def test_a_retreat_does_not_walk_into_a_box_behind(
    bench: Any, state_of: Callable[..., RobotState], table_of: Callable[..., Scene]
) -> None:
    bench.pose = np.zeros(3)
    behind = table_of(-0.75)  # its near edge at -0.25
    bench.tick()
    for _ in range(300):
        scene = replace(behind, stamp_ns=bench.now_ns + TICK_NS)
        carry(bench, state_of, 1, scene=scene)
    assert -0.25 + 0.12 < bench.pose[0] < -0.02


def test_a_retreat_that_is_not_allowed_becomes_settling(
    bench: Any, state_of: Callable[..., RobotState]
) -> None:
    """The capture point says hold: arms do not move, and time runs out."""
    bench.pose = np.zeros(3)
    bench.tick()
    rungs = []
    for _ in range(350):
        state = heavy(bench, state_of)
        pushed = state.base_velocity + np.array([1.6, 0.0, 0.0])
        before = bench.q.copy()
        vetted, verdict = bench.tick(state=replace(state, base_velocity=pushed))
        rungs.append(verdict.rung)
        assert np.all(vetted.command.base_velocity == 0)
        assert np.all(bench.q == before)
    assert Rung.RETREAT in rungs
    assert rungs[-1] is Rung.SETTLE
    assert "retreat_blocked" in verdict.reasons
    assert rungs.index(Rung.SETTLE) * 0.02 < 6.5


def test_a_disarmed_robot_does_not_retreat(
    make_bench: Any, state_of: Callable[..., RobotState]
) -> None:
    bench = make_bench(arm=False)
    advice = Advice(stamp_ns=0, rung=Rung.RETREAT, reason="foreseen_contact")
    for _ in range(400):
        vetted, verdict = bench.tick(advice=[advice])
        assert verdict.rung is Rung.RETREAT
        assert np.all(vetted.command.base_velocity == 0)
        assert vetted.settle == 0


def test_advice_to_retreat_lasts_as_long_as_it_is_given(bench: Any) -> None:
    advice = Advice(stamp_ns=0, rung=Rung.RETREAT, reason="foreseen_contact")
    for _ in range(10):
        vetted, verdict = bench.tick(advice=[advice], base_velocity=WALK)
    assert verdict.rung is Rung.RETREAT
    assert vetted.command.base_velocity[0] == pytest.approx(-0.15)
    bench.tick(base_velocity=WALK)
    assert bench.tick(base_velocity=WALK)[1].rung < Rung.SLOW


def test_a_late_retreat_is_one_whose_arms_have_not_arrived() -> None:
    retreat = Retreat(since_ns=0, start=np.zeros(3))
    lowered = g1.DEFAULT_Q[g1.ARMS]
    assert not retreat.is_late(g1.READY_ARMS, 6_000_000_000)
    assert retreat.is_late(g1.READY_ARMS, 6_000_000_001)
    assert not retreat.is_late(lowered + 0.049, 10**12)
    assert retreat.is_late(lowered + 0.051, 10**12)
