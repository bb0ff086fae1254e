"""Battery, temperatures, e-stop channel, operator link."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bidden.core.messages import Health, Mode, Rung

MS = 1_000_000
WALK = np.array([0.04, 0.0, 0.0])


def report(bench: Any, **changes: Any) -> Health:
    """A report of the next tick; the operator's heartbeat is as fresh."""
    now = bench.now_ns + 20 * MS
    health = Health(
        stamp_ns=now, battery=0.9, motor_temperature=np.full(29, 40.0), operator_ns=now
    )
    return replace(health, **changes)


def test_a_body_without_health_is_judged_without(bench: Any) -> None:
    for _ in range(100):
        assert bench.tick(base_velocity=WALK)[1].rung is Rung.PASS


def test_a_body_that_is_well_passes(bench: Any) -> None:
    for _ in range(60):
        _, verdict = bench.tick(base_velocity=WALK, health=report(bench))
        assert verdict.rung is Rung.PASS


def test_a_body_may_lack_a_gauge_and_a_link(bench: Any) -> None:
    for _ in range(60):
        health = report(bench, battery=float("nan"), operator_ns=None)
        assert bench.tick(base_velocity=WALK, health=health)[1].rung is Rung.PASS


@pytest.mark.parametrize(
    "change",
    [
        {"battery": float("nan")},
        {"battery": float("inf")},
        {"battery": -0.01},
        {"battery": 1.01},
        {"battery": "full"},
        {"battery": None},
        {"motor_temperature": np.full(29, np.nan)},
        {"motor_temperature": np.full(29, 251.0)},
        {"motor_temperature": np.full(29, -51.0)},
        {"motor_temperature": np.full(28, 40.0)},
        {"motor_temperature": np.array(["x"] * 29)},
        {"motor_temperature": None},
        {"estop": "open"},
        {"estop": None},
        {"operator_ns": None},
        {"operator_ns": 1.5},
        {"operator_ns": 2**62},
        {"stamp_ns": 2**62},
        {"stamp_ns": 0},
        {"stamp_ns": None},
    ],
)
def test_a_report_that_cannot_be_believed_holds_and_then_settles(
    bench: Any, change: dict[str, Any]
) -> None:
    bench.tick(health=report(bench))
    for k in range(1, 30):
        vetted, verdict = bench.tick(base_velocity=WALK, health=report(bench, **change))
        late = k * 20 > 500
        assert verdict.rung is (Rung.SETTLE if late else Rung.HOLD), k
        assert "health_invalid" in verdict.reasons
        assert ("health_stale" in verdict.reasons) == late
        assert np.all(vetted.command.base_velocity == 0)


@pytest.mark.parametrize("field", ["stamp_ns", "operator_ns"])
@pytest.mark.parametrize("lead_ns", [MS, MS + 1])
def test_stamps_of_a_report_may_lead_by_a_millisecond(
    bench: Any, field: str, lead_ns: int
) -> None:
    bench.tick()
    now = bench.now_ns + 20 * MS
    health = report(bench, **{field: now + lead_ns})
    _, verdict = bench.tick(base_velocity=WALK, health=health)
    assert ("health_invalid" in verdict.reasons) == (lead_ns > MS)


def test_the_same_report_twice_and_the_ends_of_its_ranges_are_believed(
    bench: Any,
) -> None:
    same = report(bench)
    for _ in range(3):
        assert bench.tick(base_velocity=WALK, health=same)[1].rung is Rung.PASS
    for battery, celsius in ((0.0, -50.0), (1.0, 250.0)):
        temperature = np.full(29, celsius)
        health = report(bench, battery=battery, motor_temperature=temperature)
        _, verdict = bench.tick(base_velocity=WALK, health=health)
        assert "health_invalid" not in verdict.reasons


@pytest.mark.parametrize("junk", [None, "well", 0, object()])
def test_a_source_that_gives_something_else_is_silent(bench: Any, junk: Any) -> None:
    bench.tick(health=report(bench))
    for k in range(1, 30):
        _, verdict = bench.tick(base_velocity=WALK, health=junk)
        assert verdict.rung is (Rung.SETTLE if k > 25 else Rung.HOLD), k


def test_junk_from_the_start_holds(make_bench: Any) -> None:
    bench = make_bench(arm=False)
    _, verdict = bench.tick(health="well")
    assert "health_invalid" in verdict.reasons
    assert bench.shield.arm() == ("health_invalid",)


@pytest.mark.parametrize(("age_ms", "stale"), [(499, False), (500, False), (501, True)])
def test_health_ages(bench: Any, age_ms: int, stale: bool) -> None:
    health = report(bench, stamp_ns=bench.now_ns + (20 - age_ms) * MS)
    _, verdict = bench.tick(health=health)
    assert (verdict.rung is Rung.SETTLE) == stale
    assert ("health_stale" in verdict.reasons) == stale


@pytest.mark.parametrize("estop", ["pressed", "missing"])
@pytest.mark.parametrize("arm", [True, False])
def test_a_pressed_or_missing_estop_stops_until_released_reset_and_armed(
    make_bench: Any, arm: bool, estop: str
) -> None:
    bench = make_bench(arm=arm)
    bench.tick(base_velocity=WALK, health=report(bench))
    vetted, verdict = bench.tick(base_velocity=WALK, health=report(bench, estop=estop))
    assert verdict.rung is Rung.SETTLE
    assert verdict.reasons[0] == "estop"
    assert vetted.settle > 0
    assert bench.shield.reset() == ("estop",)
    assert bench.shield.arm()[:2] == ("stopped: reset first", "estop")
    vetted, verdict = bench.tick(base_velocity=WALK, health=report(bench))
    assert verdict.rung is Rung.SETTLE, "released is not reset"
    assert bench.shield.reset() == ()
    _, verdict = bench.tick(base_velocity=WALK, health=report(bench))
    assert verdict.rung is Rung.HOLD
    assert bench.shield.arm() == ()


def test_without_an_estop_channel_nothing_is_armed(make_bench: Any) -> None:
    bench = make_bench(arm=False)
    bench.tick(health=report(bench, estop="missing"))
    assert "estop" in bench.shield.arm()
    assert bench.shield.mode is Mode.STOPPED


@pytest.mark.parametrize(
    ("charge", "rung"),
    [
        (1.0, Rung.PASS), (0.25, Rung.PASS), (0.2499, Rung.WARN), (0.15, Rung.WARN),
        (0.1499, Rung.HOLD), (0.08, Rung.HOLD), (0.0799, Rung.SETTLE),
        (0.0, Rung.SETTLE),
    ],
)  # fmt: skip
def test_battery_warns_then_holds_then_settles(
    bench: Any, charge: float, rung: Rung
) -> None:
    vetted, verdict = bench.tick(
        base_velocity=WALK, health=report(bench, battery=charge)
    )
    assert verdict.rung is rung
    assert (verdict.reasons == ("battery",)) == (rung > Rung.PASS)
    assert bool(vetted.command.base_velocity.any()) == (rung < Rung.HOLD)


def test_a_falling_charge_keeps_the_order(bench: Any) -> None:
    rungs = [
        bench.tick(health=report(bench, battery=charge))[1].rung
        for charge in np.linspace(0.4, 0.0, 81)
    ]
    assert rungs == sorted(rungs)
    assert set(rungs) == {Rung.PASS, Rung.WARN, Rung.HOLD, Rung.SETTLE}


def test_a_low_battery_clears_when_charged_for_five_seconds(bench: Any) -> None:
    bench.tick(health=report(bench, battery=0.1))
    for k in range(1, 260):
        _, verdict = bench.tick(health=report(bench, battery=0.9))
        assert (verdict.rung is Rung.HOLD) == (k <= 250), k


@pytest.mark.parametrize(("charge", "arms"), [(0.1999, False), (0.2, True)])
def test_arming_needs_a_minimum_of_charge(
    make_bench: Any, charge: float, arms: bool
) -> None:
    bench = make_bench(arm=False)
    bench.tick(health=report(bench, battery=charge))
    assert bench.shield.arm() == (() if arms else ("battery",))
    assert bench.shield.is_armed == arms


def test_warm_motors_derate_monotonely_and_hot_ones_settle(bench: Any) -> None:
    base, arm = [], []
    wish = np.array([0.04, 0.0, 0.0])
    heat = np.full(29, 40.0)
    for celsius in (40, 75, 78, 82, 86, 89, 89.9, 90):
        heat[17] = celsius
        health = report(bench, motor_temperature=heat.copy())
        before = bench.q[15:].copy()
        vetted, verdict = bench.tick(
            base_velocity=wish, arm_q=before + 0.01, health=health
        )
        base.append(vetted.command.base_velocity[0])
        arm.append((vetted.command.arm_q - before).max())
        expected = Rung.PASS if celsius <= 75 else Rung.SLOW
        assert verdict.rung is (Rung.SETTLE if celsius >= 90 else expected)
    assert base[:2] == pytest.approx([0.04, 0.04])
    assert base[3] == pytest.approx(0.04 * 8 / 15)
    assert arm[3] == pytest.approx(0.01 * 8 / 15)
    for values in (base, arm):
        assert np.all(np.diff(values[1:]) < 0)
        assert values[-1] == 0.0


def test_motors_that_cool_are_given_back(bench: Any) -> None:
    bench.tick(health=report(bench, motor_temperature=np.full(29, 80.0)))
    assert bench.tick(health=report(bench))[1].rung is Rung.PASS


@pytest.mark.parametrize(
    ("age_ms", "rung"),
    [
        (0, Rung.PASS), (1000, Rung.PASS), (1001, Rung.HOLD), (5000, Rung.HOLD),
        (5001, Rung.SETTLE), (10**7, Rung.SETTLE),
    ],
)  # fmt: skip
def test_a_lost_operator_holds_then_settles(
    bench: Any, age_ms: int, rung: Rung
) -> None:
    now = bench.now_ns + 20 * MS
    vetted, verdict = bench.tick(
        base_velocity=WALK, health=report(bench, operator_ns=now - age_ms * MS)
    )
    assert verdict.rung is rung
    assert bool(vetted.command.base_velocity.any()) == (rung < Rung.HOLD)
    for _ in range(100):
        _, verdict = bench.tick(health=report(bench))
        assert verdict.rung is rung, "waits for the operator"
    if rung > Rung.PASS:
        assert bench.shield.mode is Mode.STOPPED
        assert bench.shield.reset() == bench.shield.arm() == ()
