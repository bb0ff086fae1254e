"""What comes in broken never moves anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bidden.core.messages import Command, RobotState, Rung
from bidden.robot import g1
from bidden.safety import Scene

MS = 1_000_000
STATE_FIELDS = (
    "q", "dq", "torque", "gyro", "gravity", "base_pose", "base_velocity",
    "grip_width", "grip_force",
)  # fmt: skip
COMMAND_FIELDS = ("base_velocity", "arm_q", "grip")
MOVING = np.array([0.3, 0.1, 0.2])


def assert_held(bench: Any, vetted: Any, before: np.ndarray) -> None:
    assert np.all(vetted.command.base_velocity == 0)
    assert np.all(vetted.command.arm_q == before)


def moved_arm() -> np.ndarray:
    return g1.READY_ARMS + 0.02


def test_a_good_command_passes(bench: Any) -> None:
    vetted, verdict = bench.tick(arm_q=moved_arm(), base_velocity=MOVING * 0.1)
    assert verdict.rung is Rung.PASS
    assert verdict.reasons == ()
    assert 0.01 < verdict.margin_m < 0.1
    assert vetted.command.arm_q == pytest.approx(moved_arm())
    assert vetted.command.base_velocity == pytest.approx(MOVING * 0.1)
    assert vetted.settle == 0
    assert vetted.command.stamp_ns == vetted.command.source_ns == bench.now_ns


@pytest.mark.parametrize("field", STATE_FIELDS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_a_broken_number_in_the_state_holds(
    bench: Any, state_of: Callable[..., RobotState], field: str, value: float
) -> None:
    before, _ = bench.tick()
    for index in (0, -1):
        array = np.array(getattr(state_of(), field), dtype=float)
        array[index] = value
        state = state_of(bench.now_ns + 20 * MS, **{field: array})
        vetted, verdict = bench.tick(
            state=state, base_velocity=MOVING, arm_q=moved_arm(), grip=np.ones(2)
        )
        assert verdict.rung >= Rung.HOLD
        assert "state_invalid" in verdict.reasons
        assert_held(bench, vetted, before.command.arm_q)
        assert np.all(vetted.command.grip == before.command.grip)
        bench.tick()


@pytest.mark.parametrize("field", STATE_FIELDS)
@pytest.mark.parametrize(
    "junk",
    [None, "nine", [0.0] * 3, np.zeros(1), np.zeros((29, 1)), np.array(["x"] * 29)],
)
def test_a_state_of_the_wrong_shape_holds(
    bench: Any, state_of: Callable[..., RobotState], field: str, junk: object
) -> None:
    before, _ = bench.tick()
    state = state_of(bench.now_ns + 20 * MS, **{field: junk})
    vetted, verdict = bench.tick(state=state, base_velocity=MOVING)
    assert verdict.reasons == ("state_invalid",)
    assert_held(bench, vetted, before.command.arm_q)


@pytest.mark.parametrize("junk", ["none at all", 0, object()])
def test_something_else_than_a_state_holds(bench: Any, junk: object) -> None:
    bench.tick()
    _, verdict = bench.tick(state=junk)
    assert verdict.rung is Rung.HOLD
    assert verdict.reasons == ("state_invalid",)


def test_no_gravity_is_no_state(
    bench: Any, state_of: Callable[..., RobotState]
) -> None:
    state = state_of(bench.now_ns + 20 * MS, gravity=np.array([0.0, 0.0, -0.5]))
    _, verdict = bench.tick(state=state)
    assert verdict.reasons == ("state_invalid",)


def test_before_any_state_the_ready_posture_is_held(make_bench: Any) -> None:
    bench = make_bench(arm=False)
    vetted, verdict = bench.tick(state=0, track=False, arm_q=np.zeros(14))
    assert verdict.rung is Rung.HOLD
    assert np.all(vetted.command.arm_q == g1.READY_ARMS)
    assert np.all(vetted.command.base_velocity == 0)
    assert np.all(vetted.command.grip == 0)


@pytest.mark.parametrize("stamp", [1.5, float("nan"), None, "now"])
def test_stamps_are_whole_nanoseconds(
    bench: Any, state_of: Callable[..., RobotState], command_of: Callable[..., Command],
    stamp: Any
) -> None:  # fmt: skip
    bench.tick()
    _, verdict = bench.tick(state=state_of(stamp))
    assert verdict.reasons == ("state_invalid",)
    for field in ("stamp_ns", "source_ns"):
        command = replace(command_of(bench.now_ns + 20 * MS), **{field: stamp})
        _, verdict = bench.tick(command=command)
        assert verdict.reasons == ("command_invalid",)


def test_state_stamps_run_forward_and_not_ahead(
    bench: Any, state_of: Callable[..., RobotState]
) -> None:
    bench.tick()
    _, verdict = bench.tick(state=state_of(bench.now_ns - 1))
    assert verdict.reasons == ("state_stamp",)
    _, verdict = bench.tick(state=state_of(bench.now_ns + 20 * MS + MS))
    assert verdict.rung is Rung.PASS
    bench.now_ns += 20 * MS
    _, verdict = bench.tick(state=state_of(bench.now_ns + 20 * MS + MS + 1))
    assert verdict.reasons == ("state_stamp",)


@pytest.mark.parametrize(("age_ms", "stale"), [(39, False), (40, False), (41, True)])
def test_a_stale_state_settles_until_armed_again(
    bench: Any, state_of: Callable[..., RobotState], age_ms: int, stale: bool
) -> None:
    bench.tick()
    bench.now_ns += 100 * MS
    state = state_of(bench.now_ns + 20 * MS - age_ms * MS)
    vetted, verdict = bench.tick(state=state, base_velocity=MOVING)
    assert ("state_stale" in verdict.reasons) == stale
    assert (verdict.rung is Rung.SETTLE) == stale
    assert (vetted.settle > 0) == stale
    if stale:
        for _ in range(200):
            vetted, verdict = bench.tick(base_velocity=MOVING)
            assert verdict.rung is Rung.SETTLE
        assert vetted.settle == 1.0
        assert bench.shield.arm()[:1] == ("stopped: reset first",)
        assert bench.shield.reset() == bench.shield.arm() == ()
        for _ in range(100):
            vetted, verdict = bench.tick(base_velocity=MOVING)
            assert np.all(vetted.command.base_velocity == 0)
        assert vetted.settle == pytest.approx(0, abs=1e-9)
        bench.tick()
        assert bench.tick(base_velocity=MOVING)[1].rung is Rung.PASS


def test_an_encoder_that_jumps_is_not_believed(
    bench: Any, state_of: Callable[..., RobotState]
) -> None:
    bench.tick()
    q = bench.q.copy()
    q[3] += 2 * 20.0 * 0.02 + 0.05 - 1e-6  # the knee's motor, twice its speed, 20 ms
    good = state_of(bench.now_ns + 20 * MS, q=q.copy())
    assert bench.tick(state=good)[1].rung < Rung.HOLD
    q[3] += 2 * 20.0 * 0.02 + 0.05 + 1e-6
    _, verdict = bench.tick(state=state_of(bench.now_ns + 20 * MS, q=q))
    assert verdict.rung is Rung.HOLD
    assert verdict.reasons == ("state_jump",)
    q = bench.q.copy()
    for _ in range(100):  # waits for the operator
        _, verdict = bench.tick(state=state_of(bench.now_ns + 20 * MS, q=q))
        assert verdict.reasons == ("state_jump",)
    assert bench.shield.reset() == bench.shield.arm() == ()
    assert bench.tick()[1].rung is Rung.PASS


@pytest.mark.parametrize("field", COMMAND_FIELDS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_broken_number_in_the_command_holds(
    bench: Any, command_of: Callable[..., Command], field: str, value: float
) -> None:
    before, _ = bench.tick()
    array = getattr(command_of(), field).copy()
    array[-1] = value
    wish = {"base_velocity": MOVING, "arm_q": moved_arm(), field: array}
    vetted, verdict = bench.tick(**wish)
    assert verdict.rung is Rung.HOLD
    assert verdict.reasons == ("command_invalid",)
    assert_held(bench, vetted, before.command.arm_q)


@pytest.mark.parametrize("field", COMMAND_FIELDS)
@pytest.mark.parametrize("junk", [None, "x", np.zeros(1), np.zeros((2, 14))])
def test_a_command_of_the_wrong_shape_holds(
    bench: Any, field: str, junk: object
) -> None:
    before, _ = bench.tick()
    vetted, verdict = bench.tick(**{field: junk})
    assert verdict.reasons == ("command_invalid",)
    assert_held(bench, vetted, before.command.arm_q)


def test_no_command_holds_and_the_next_good_one_moves(bench: Any) -> None:
    bench.tick(base_velocity=MOVING * 0.1)
    vetted, verdict = bench.tick(command=None)
    assert verdict.reasons == ("command_missing",)
    assert np.all(vetted.command.base_velocity == 0)
    vetted, verdict = bench.tick(base_velocity=MOVING * 0.1)
    assert verdict.rung is Rung.PASS
    assert np.any(vetted.command.base_velocity != 0)


@pytest.mark.parametrize(
    ("field", "age_ms", "reason"),
    [
        ("stamp_ns", 100, ""),
        ("stamp_ns", 101, "command_stale"),
        ("source_ns", 1000, ""),
        ("source_ns", 1001, "source_stale"),
        ("stamp_ns", -1, ""),
        ("stamp_ns", -2, "command_stamp"),
        ("source_ns", -1, ""),
        ("source_ns", -2, "command_stamp"),
    ],
)
def test_old_and_future_commands_hold(
    bench: Any, command_of: Callable[..., Command], field: str, age_ms: int, reason: str
) -> None:
    now = bench.now_ns + 20 * MS
    command = command_of(now, base_velocity=MOVING)
    command = replace(command, **{field: now - age_ms * MS})
    vetted, verdict = bench.tick(command=command)
    assert verdict.reasons == ((reason,) if reason else ())
    assert np.any(vetted.command.base_velocity != 0) == (not reason)


def test_a_replayed_command_holds(
    bench: Any, command_of: Callable[..., Command]
) -> None:
    bench.tick()
    bench.tick()
    _, verdict = bench.tick(command=command_of(bench.now_ns - 20 * MS))
    assert verdict.reasons == ("command_stamp",)


@pytest.mark.parametrize("step_ns", [-3_600_000_000_000, 3_600_000_000_000])
def test_a_clock_step_never_moves_anything(bench: Any, step_ns: int) -> None:
    before, _ = bench.tick()
    bench.now_ns += step_ns
    vetted, verdict = bench.tick(base_velocity=MOVING, arm_q=g1.READY_ARMS + 1)
    step = np.abs(vetted.command.arm_q - before.command.arm_q).max()
    assert step <= 3.0 * 0.04 + 1e-9
    if step_ns < 0:
        assert verdict.rung is Rung.HOLD
        assert {"clock_backwards", "state_stamp"} <= set(verdict.reasons)


@pytest.mark.parametrize("now", [None, 1.0, float("nan")])
def test_a_broken_clock_holds(
    bench: Any, state_of: Callable[..., RobotState], command_of: Callable[..., Command],
    now: Any
) -> None:  # fmt: skip
    for _ in range(2):
        vetted, verdict = bench.shield.judge(
            command_of(base_velocity=MOVING), state_of(), now_ns=now
        )
        assert verdict.rung is Rung.HOLD
        assert "clock_backwards" in verdict.reasons
        assert np.all(vetted.command.base_velocity == 0)
        bench.tick()


def test_a_scene_ages(bench: Any, table_of: Callable[..., Scene]) -> None:
    far, wish = table_of(5.0), np.array([0.4, 0.0, 0.0])
    brake = 0.4 - 3.0 * 0.02  # after one tick on the way to reduced speed [m/s]
    expected = {599: 0.4, 600: 0.4, 601: brake, 1000: brake, 1001: 0.0}
    for age_ms, speed in expected.items():
        for _ in range(20):  # clears after 0.2 s of fresh scenes
            bench.tick(base_velocity=wish, scene=far)
        scene = replace(far, stamp_ns=bench.now_ns + (20 - age_ms) * MS)
        vetted, verdict = bench.tick(base_velocity=wish, scene=scene)
        assert vetted.command.base_velocity == pytest.approx([speed, 0, 0])
        assert ("scene_stale" in verdict.reasons) == (speed < 0.4)
    for _ in range(20):
        bench.tick(base_velocity=wish, scene=far)
    scene = replace(far, stamp_ns=bench.now_ns - 600 * MS)
    for _ in range(8):
        vetted, _ = bench.tick(base_velocity=wish, scene=scene)
    assert vetted.command.base_velocity == pytest.approx([0.25, 0, 0])


@pytest.mark.parametrize("junk", [None, "room", 3])
def test_a_broken_scene_holds(bench: Any, junk: Any) -> None:
    vetted, verdict = bench.tick(scene=junk, base_velocity=MOVING)
    assert verdict.rung is Rung.HOLD
    assert np.all(vetted.command.base_velocity == 0)


def test_an_unsound_or_future_scene_holds(
    bench: Any, table_of: Callable[..., Scene]
) -> None:
    for change in ({"box_yaw": np.array([np.nan])}, {"stamp_ns": bench.now_ns + 10**9}):
        _, verdict = bench.tick(scene=table_of(3.0, **change))
        assert verdict.rung is Rung.HOLD
        assert verdict.reasons == ("scene_invalid",)


@pytest.mark.parametrize("lead_ns", [MS, MS + 1])
def test_the_stamp_of_a_scene_may_lead_by_a_millisecond(
    bench: Any, table_of: Callable[..., Scene], lead_ns: int
) -> None:
    bench.tick()
    scene = table_of(3.0, stamp_ns=bench.now_ns + 20 * MS + lead_ns)
    _, verdict = bench.tick(scene=scene)
    assert ("scene_invalid" in verdict.reasons) == (lead_ns > MS)


def test_an_empty_scene_needs_no_stamp(bench: Any) -> None:
    assert bench.tick(scene=Scene())[1].rung is Rung.PASS
