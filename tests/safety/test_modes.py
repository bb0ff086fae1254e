"""Modes: what leads where, what a person must do, and what clears what."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bidden.core.messages import Advice, Health, Mode, RobotState, Rung
from bidden.safety import Check, Shield
from bidden.safety.modes import (
    ARMED,
    CLEARS_AFTER,
    Fault,
    in_the_way,
    needs_operator,
    next_mode,
    standing_faults,
)

MS = 1_000_000
OPERATOR = math.inf
# The tests' own copy [s]
CLEARS = {
    "state_stale": OPERATOR,
    "state_jump": OPERATOR,
    "state_stuck": OPERATOR,
    "pelvis_height": OPERATOR,
    "estop": OPERATOR,
    "health_stale": OPERATOR,
    "operator_link": OPERATOR,
    "contact": OPERATOR,
    "payload": OPERATOR,
    "retreat_blocked": OPERATOR,
    "monitor_lost": OPERATOR,
    "sources_disagree": 0.5,
    "scene_stale": 0.2,
    "person_distance": 1.0,
    "tilt": 0.5,
    "capture_point": 0.5,
    "battery": 5.0,
}
WALK = np.array([0.04, 0.0, 0.0])


def test_every_check_has_a_rule_and_the_rules_are_the_reviewed_ones() -> None:
    assert {check.value: s for check, s in CLEARS_AFTER.items()} == {
        check.value: CLEARS.get(check.value, 0.0) for check in Check
    }


def test_armed_modes() -> None:
    assert {Mode.READY, Mode.ACTIVE, Mode.DEGRADED} == ARMED


def test_ready_active_degraded_and_back(bench: Any) -> None:
    bench.tick()
    assert bench.shield.mode is Mode.READY
    bench.tick(base_velocity=WALK)
    assert bench.shield.mode is Mode.ACTIVE
    bench.tick(command=None)
    assert bench.shield.mode is Mode.DEGRADED
    bench.tick(base_velocity=WALK)
    assert bench.shield.mode is Mode.ACTIVE
    bench.tick()
    assert bench.shield.mode is Mode.READY
    assert bench.shield.is_armed


@pytest.mark.parametrize("change", [{"arm_q": None}, {"grip": np.array([0.0, 0.1])}])
def test_moving_an_arm_or_a_finger_is_active(bench: Any, change: Any) -> None:
    bench.tick()
    if change.get("arm_q", 0) is None:
        change = {"arm_q": bench.q[15:] + 0.01}
    bench.tick(**change)
    assert bench.shield.mode is Mode.ACTIVE


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("rung", list(Rung))
@pytest.mark.parametrize("moving", [True, False])
@pytest.mark.parametrize("latched", [True, False])
def test_next_mode_for_every_combination(
    mode: Mode, rung: Rung, moving: bool, latched: bool
) -> None:
    fault = (Check.ESTOP if latched else Check.TILT, Fault(rung=Rung.HOLD, seen_ns=0))
    after = next_mode(mode, (fault,), rung=rung, is_moving=moving)
    if latched or mode is Mode.STOPPED:
        assert after is Mode.STOPPED
    elif mode is Mode.DISARMED:
        assert after is Mode.DISARMED
    elif rung >= Rung.SLOW:
        assert after is Mode.DEGRADED
    else:
        assert after is (Mode.ACTIVE if moving else Mode.READY)


@pytest.mark.parametrize("check", list(Check))
@pytest.mark.parametrize("rung", list(Rung))
def test_settling_and_some_holds_wait_for_the_operator(
    check: Check, rung: Rung
) -> None:
    waits = rung >= Rung.SETTLE or CLEARS.get(check.value) == OPERATOR
    assert needs_operator(check, rung) == waits
    faults = standing_faults((), [(rung, check)], 0)
    much_later = standing_faults(faults, [], 10**15)
    assert [c for c, _ in much_later] == ([check] if waits else [])


@pytest.mark.parametrize("check", [c for c in Check if 0 < CLEARS.get(c, 0) < 9])
def test_a_fault_clears_after_its_time(check: Check) -> None:
    faults = standing_faults((), [(Rung.HOLD, check)], 0)
    after_ns = round(CLEARS[check] * 1e9)
    assert standing_faults(faults, [], after_ns) == faults
    assert standing_faults(faults, [], after_ns + 1) == ()


# -- emergency stop ---
@pytest.mark.parametrize("arm", [True, False])
def test_a_press_settles_at_the_next_tick_and_is_latched(
    make_bench: Any, arm: bool
) -> None:
    bench = make_bench(arm=arm)
    bench.tick(base_velocity=WALK)
    bench.shield.press("red button")
    assert bench.shield.mode is Mode.STOPPED
    assert not bench.shield.is_armed
    vetted, verdict = bench.tick(base_velocity=WALK)
    assert bench.shield.taken == "red button"
    assert verdict.rung is Rung.SETTLE
    assert verdict.reasons[0] == "estop"
    assert np.all(vetted.command.base_velocity == 0)
    settle = [vetted.settle]
    for _ in range(120):
        vetted, verdict = bench.tick(base_velocity=WALK)
        assert bench.shield.taken is None
        assert verdict.rung is Rung.SETTLE
        assert np.all(vetted.command.base_velocity == 0)
        settle.append(vetted.settle)
    assert settle[-1] == 1.0
    assert np.all(np.diff(settle) >= 0)
    assert bench.shield.mode is Mode.STOPPED


def test_reset_alone_moves_nothing_and_arming_rises(bench: Any) -> None:
    bench.tick()
    bench.shield.press()
    for _ in range(110):
        before, _ = bench.tick(base_velocity=WALK, arm_q=bench.q[15:] + 0.02)
    assert bench.shield.arm() == ("stopped: reset first", "estop")
    assert bench.shield.reset() == ()
    assert bench.shield.mode is Mode.DISARMED
    for _ in range(100):
        vetted, verdict = bench.tick(base_velocity=WALK, arm_q=bench.q[15:] + 0.02)
        assert verdict.rung is Rung.HOLD
        assert vetted.settle == 1.0
        assert np.all(vetted.command.base_velocity == 0)
        assert np.all(vetted.command.arm_q == before.command.arm_q)
    assert bench.shield.arm() == ()
    settle = [bench.tick(base_velocity=WALK)[0].settle for _ in range(101)]
    assert np.all(np.diff(settle) <= 0)
    assert settle[-1] == pytest.approx(0)
    bench.tick()
    vetted, verdict = bench.tick(base_velocity=WALK)
    assert verdict.rung is Rung.PASS
    assert vetted.command.base_velocity[0] > 0


def test_a_press_just_before_reset_or_arming_is_not_lost(bench: Any) -> None:
    bench.tick()
    bench.shield.press()
    assert bench.shield.reset() == ("estop",)
    assert bench.shield.arm() == ("estop",)
    bench.tick()
    assert bench.shield.reset() == ("estop",), "the tick that met it"
    bench.tick()
    assert bench.shield.reset() == ()


def test_disarming_does_not_leave_a_stop(bench: Any) -> None:
    bench.tick()
    bench.shield.press()
    bench.tick()
    bench.shield.disarm()
    assert bench.shield.mode is Mode.STOPPED


def test_reset_of_an_armed_shield_disarms_it(bench: Any) -> None:
    bench.tick(base_velocity=WALK)
    assert bench.shield.reset() == ()
    assert bench.shield.mode is Mode.DISARMED
    vetted, verdict = bench.tick(base_velocity=WALK)
    assert verdict.reasons == ("disarmed",)
    assert np.all(vetted.command.base_velocity == 0)


def test_a_press_from_another_thread_counts_and_waits_for_nothing(bench: Any) -> None:
    bench.tick()
    thread = threading.Thread(target=bench.shield.press)
    thread.start()
    thread.join(timeout=1.0)
    assert not thread.is_alive()
    assert bench.tick()[1].rung is Rung.SETTLE


def test_reset_is_refused_while_the_cause_is_there(
    bench: Any, state_of: Callable[..., RobotState]
) -> None:
    gravity = np.array([0.0, np.sin(0.7), -np.cos(0.7)])
    for _ in range(3):
        bench.tick(state=state_of(bench.now_ns + 20 * MS, gravity=gravity))
        assert bench.shield.reset() == ("tilt",)
        assert bench.shield.mode is Mode.STOPPED
    bench.tick()
    assert bench.shield.reset() == ()


def test_reset_keeps_what_clears_by_itself(
    bench: Any, state_of: Callable[..., RobotState]
) -> None:
    gravity = np.array([0.0, np.sin(0.4), -np.cos(0.4)])
    bench.tick(state=state_of(bench.now_ns + 20 * MS, gravity=gravity))
    bench.shield.press()
    bench.tick()
    bench.tick()
    assert bench.shield.reset() == ()
    assert bench.shield.arm() == ("tilt",), "half a second after it"
    for _ in range(30):
        bench.tick()
    assert bench.shield.arm() == ()


def test_a_cause_that_has_become_mild_lets_reset_pass(bench: Any) -> None:
    def warm(celsius: float) -> Health:
        return Health(
            stamp_ns=bench.now_ns + 20 * MS, motor_temperature=np.full(29, celsius)
        )

    bench.tick(health=warm(95.0))
    assert bench.shield.reset() == ("motor_hot",)
    bench.tick(health=warm(80.0))  # slows, and is no reason to stay stopped
    assert bench.shield.reset() == ()


# -- arming ---
def test_arming_needs_a_state(state_of: Callable[..., RobotState]) -> None:
    shield = Shield()
    assert shield.arm() == ("state_missing",)
    assert shield.mode is Mode.DISARMED
    shield.judge(None, state_of(), now_ns=state_of().stamp_ns)
    assert shield.arm() == ()
    assert shield.mode is Mode.READY
    assert shield.arm() == ()


def test_arming_lists_all_that_stands_in_the_way(
    make_bench: Any, state_of: Callable[..., RobotState]
) -> None:
    bench = make_bench(arm=False)
    gravity = np.array([0.0, np.sin(0.4), -np.cos(0.4)])
    state = state_of(bench.now_ns + 20 * MS, gravity=gravity)
    low = Health(stamp_ns=bench.now_ns + 20 * MS, battery=0.12)
    bench.tick(state=state, health=low)
    assert set(bench.shield.arm()) == {"tilt", "battery"}
    assert bench.shield.mode is Mode.DISARMED


@pytest.mark.parametrize("check", list(Check))
def test_each_hold_stands_in_the_way_but_those_of_commands(check: Check) -> None:
    judged_later = {
        "disarmed", "rising", "command_missing", "command_invalid", "command_stamp",
        "command_stale", "source_stale", "scene_stale", "foreseen_contact",
        "foreseen_fall", "policy_uncertain", "unfamiliar_view",
        "policy_lost", "image_stale", "image_frozen", "image_unusable",
    }  # fmt: skip
    reasons = in_the_way(Mode.DISARMED, (), [(Rung.HOLD, check)])
    assert reasons == (() if check.value in judged_later else (check.value,))
    assert in_the_way(Mode.DISARMED, (), [(Rung.SLOW, check)]) == ()


def test_what_stands_in_the_way_is_told_worst_first() -> None:
    found = [(Rung.HOLD, Check.TILT), (Rung.SETTLE, Check.ESTOP)]
    assert in_the_way(Mode.DISARMED, (), found) == ("estop", "tilt")
    assert in_the_way(Mode.DISARMED, (), found[::-1]) == ("estop", "tilt")


def test_advice_to_settle_stops(bench: Any) -> None:
    advice = Advice(stamp_ns=0, rung=Rung.SETTLE, reason="foreseen_fall")
    bench.tick(advice=[advice])
    assert bench.shield.mode is Mode.STOPPED
    bench.tick()
    assert bench.shield.reset() == ()
