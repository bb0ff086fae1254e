"""Rows 18 to 23, 41, 44: checks that fail, bad limits, links, stops, arming."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from bidden.adapters.sim.scene import ThingConfig
from bidden.core.errors import ConfigError
from bidden.core.messages import Health, Mode, RobotState, Rung
from bidden.evaluation.faults.row import TICK, Case, Row, swapped
from bidden.evaluation.faults.stage import WALK, Stage
from bidden.safety import Limits, judge, limits_from

# What the judge calls, by the name that it knows it by
CHECKS: Final = (
    "check_advice", "check_command", "check_health", "limit_joints", "limit_base",
    "is_sound", "carried_along",
)  # fmt: skip
PARTS: Final = ("_check_state", "_check_balance", "_move_arms", "_arm_effort")
SHELF: Final = ThingConfig(
    name="shelf", kind="landmark", shape="shelf", position=(-0.55, 0.0, 0.0),
    yaw=np.pi, half_size=(0.14, 0.4, 0.75),
)  # fmt: skip


def _start(seed: int) -> float:
    return float(np.random.default_rng((seed, 18)).uniform(1.0, 2.0))


def _broken(*_: object, **__: object) -> None:
    raise ZeroDivisionError("injected: a check fails inside")


def check_raises(seed: int) -> Case:
    """Row 18: one part of the shield raises; each in turn."""
    name = (*CHECKS, *PARTS)[seed % (len(CHECKS) + len(PARTS))]
    with Stage(seed, things=(SHELF,), sees="truth") as stage:
        owner: object = judge if name in CHECKS else stage.shield._judge
        stage.ask(WALK, _start(seed))
        at_ns = stage.body.now_ns
        with swapped(owner, name, _broken):
            stage.ask(WALK, 2.0)
        after = stage.since(at_ns)
        stage.loop.run(5)
        return Case(
            detected_s=stage.first("internal_error", at_ns, rung=Rung.HOLD),
            claims={
                f"{name}: nothing moves": all(e.speed == 0.0 for e in after),
                "it is automatic": not stage.log[-1].names("internal_error"),
                "the robot stands or settles": stage.is_up,
            },
        )


def limits_are_bad(seed: int) -> Case:
    """Row 19: a limit that is missing, not a number, negative, or looser."""
    bad: tuple[dict[str, float], ...] = (
        {"base_forward": float("nan")}, {"hand_speed": float("inf")},
        {"tilt_hold": -0.1}, {"base_turn": 99.0}, {"person_stop": 0.0},
        {"base_foward": 0.5}, {"capture_slow": float("-inf")},
    )  # fmt: skip
    table = bad[seed % len(bad)]
    try:
        limits_from(table)
        refused = ""
    except ConfigError as error:
        refused = str(error)
    return Case(
        claims={
            "it is refused": bool(refused),
            "and named": next(iter(table)) in refused,
            "the table itself is sound": Limits() is not None,
        }
    )


def _health(seed: int, alter: Callable[[Health, int], Health], seconds: float) -> Stage:
    stage = Stage(seed)
    stage.injection.health = alter
    stage.inject(_start(seed))
    stage.ask(WALK, seconds)
    return stage


def operator_is_gone(seed: int) -> Case:
    """Row 20: the link's last heartbeat gets old."""

    def alter(health: Health, now_ns: int) -> Health:
        return replace(health, operator_ns=stage.injection.at_ns)

    with Stage(seed) as stage:
        stage.injection.health = alter
        at_ns = stage.inject(_start(seed))
        stage.ask(WALK, 9.0)
        settles = stage.first("operator_link", at_ns, rung=Rung.SETTLE)
        held = [e for e in stage.since(at_ns) if e.names("operator_link")]
        refused = stage.loop.reset() or stage.loop.arm()
        return Case(
            detected_s=stage.first("operator_link", at_ns, rung=Rung.HOLD),
            claims={
                "not before a second": held[0].now_ns - at_ns >= 1.0e9,
                "it stops": all(e.speed == 0.0 for e in held),
                "it settles after 5 s": 5.0 <= settles <= 5.0 + 2 * TICK,
                "no way back without the link": "operator_link" in refused,
                "the robot has not fallen": stage.is_up,
            },
        )


def _stop(seed: int, press: Callable[[Stage], None]) -> Case:
    """An emergency stop: within a tick, latched, and reset alone moves nothing."""
    with Stage(seed) as stage:

        def begin(now_ns: int) -> None:
            press(stage)
            stage.injection.each_tick = None

        stage.injection.each_tick = begin
        at_ns = stage.inject(_start(seed))
        stage.ask(WALK, 5.0)
        after = stage.since(at_ns + 20_000_000)
        claims = {
            "nothing moves": all(e.speed == 0.0 for e in after),
            "it is latched": all(e.rung is Rung.SETTLE for e in after),
            "it ends settled": stage.settle == 1.0,
            "arming is refused": bool(stage.loop.arm()),
        }
        stage.injection.health = None
        stage.loop.run(2)
        stage.policy.use(stage._make_link())
        claims["a reset is taken"] = not stage.loop.reset()
        before = stage.body.now_ns
        stage.ask(WALK, 1.0)
        alone = stage.since(before)
        claims["reset alone moves nothing"] = all(
            e.speed == 0.0 and e.vetted.settle == 1.0 for e in alone
        )
        claims["it is disarmed then"] = stage.shield.mode is Mode.DISARMED
        claims["armed, it rises"] = not stage.loop.arm() and _rises(stage)
        claims["the robot has not fallen"] = stage.is_up
        return Case(
            detected_s=stage.first("estop", at_ns, rung=Rung.SETTLE), claims=claims
        )


def _rises(stage: Stage) -> bool:
    stage.loop.run(200)
    return stage.settle == 0.0


def stop_is_pressed(seed: int) -> Case:
    """Row 21: by the program, or by the button of the body."""

    def press(stage: Stage) -> None:
        if seed % 2:
            stage.shield.press("a person pressed it")
        else:
            stage.injection.health = lambda h, _: replace(h, estop="pressed")

    return _stop(seed, press)


def stop_is_missing(seed: int) -> Case:
    """Row 22: the channel of the emergency stop is cut, or silent."""

    def press(stage: Stage) -> None:
        stage.injection.health = lambda h, _: replace(h, estop="missing")

    return _stop(seed, press)


def reset_too_early(seed: int) -> Case:
    """Row 23: a reset while the cause persists."""

    def pressed(health: Health, now_ns: int) -> Health:
        return replace(health, estop="pressed")

    def flat(health: Health, now_ns: int) -> Health:
        return replace(health, battery=0.05)

    def hot(health: Health, now_ns: int) -> Health:
        return replace(health, motor_temperature=np.full(29, 95.0))

    alter, name = ((pressed, "estop"), (flat, "battery"), (hot, "motor_hot"))[seed % 3]
    with _health(seed, alter, 4.0) as stage:
        refused = stage.loop.reset()
        claims = {
            "the reset is refused, by name": name in refused,
            "it stays stopped": stage.shield.mode is Mode.STOPPED,
            "arming too": name in stage.loop.arm(),
        }
        stage.injection.health = None
        claims["when the cause is gone it is taken"] = not stage.loop.reset()
        claims["the robot has not fallen"] = stage.is_up
        return Case(claims=claims)


def armed_in_a_fault(seed: int) -> Case:
    """Row 41: arming while something is wrong, each flag in turn."""

    def stale(state: RobotState, now_ns: int) -> RobotState:
        return replace(state, stamp_ns=now_ns - 200_000_000)

    def not_finite(state: RobotState, now_ns: int) -> RobotState:
        return replace(state, q=np.full(29, np.nan))

    healths: tuple[tuple[str, Callable[[Health, int], Health]], ...] = (
        ("estop", lambda h, _: replace(h, estop="pressed")),
        ("estop", lambda h, _: replace(h, estop="missing")),
        ("battery", lambda h, _: replace(h, battery=0.18)),
        ("motor_hot", lambda h, _: replace(h, motor_temperature=np.full(29, 99.0))),
        ("operator_link", lambda h, now: replace(h, operator_ns=now - 2 * 10**9)),
        ("health_stale", lambda h, now: replace(h, stamp_ns=now - 10**9)),
    )
    states = (("state_stale", stale), ("state_invalid", not_finite))
    with Stage(seed) as stage:
        stage.loop.disarm()
        kind = seed % (len(healths) + len(states))
        if kind < len(healths):
            name, stage.injection.health = healths[kind]
        else:
            name, stage.injection.state = states[kind - len(healths)]
        stage.inject(0.0)
        stage.loop.run(30)  # health is stale after 0.5 s, not before
        refused = stage.loop.arm()
        before = stage.body.now_ns
        stage.ask(WALK, 1.0)
        still = all(e.speed == 0.0 for e in stage.since(before))
        return Case(
            claims={
                f"refused with {name} in the list": name in refused,
                "it is not armed": not stage.shield.is_armed,
                "nothing moves": still,
            }
        )


def fallback_is_unsafe(seed: int) -> Case:
    """Row 44: a load makes it step back, and a shelf stands right behind it."""
    with Stage(seed, things=(SHELF,), sees="truth") as stage:
        touched: list[float] = []

        def load(now_ns: int) -> None:
            if now_ns == stage.injection.at_ns:
                stage.world.load_hand(seed % 2, 2.5)
            touched.extend(t.force for t in stage.world.touches() if t.thing == "shelf")
            stage._know()

        stage.injection.each_tick = load
        at_ns = stage.inject(0.5)
        stage.loop.run(450)
        names = {r for e in stage.since(at_ns) for r in e.vetted.verdict.reasons}
        return Case(
            detected_s=stage.first("payload", at_ns, rung=Rung.RETREAT),
            claims={
                "the way back is judged too": bool(
                    names & {"scene_distance", "retreat_blocked"}
                ),
                "the shelf is not touched": not touched,
                "the robot stands or settles": stage.is_up,
            },
        )


ROWS = (
    Row(number=18, fault="an exception inside a check", expected="internal_error",
        deadline_s=TICK, play=check_raises),
    Row(number=19, fault="a limit missing, NaN, negative or looser",
        expected="refused at start", play=limits_are_bad),
    Row(number=20, fault="the operator's link is lost", expected="operator_link",
        deadline_s=1.0 + 2 * TICK, play=operator_is_gone),
    Row(number=21, fault="emergency stop pressed", expected="estop",
        deadline_s=TICK, play=stop_is_pressed),
    Row(number=22, fault="emergency stop's channel is cut", expected="estop",
        deadline_s=TICK, play=stop_is_missing),
    Row(number=23, fault="reset while the cause persists", expected="refused",
        play=reset_too_early),
    Row(number=41, fault="arming during a fault", expected="refused with the list",
        play=armed_in_a_fault),
    Row(number=44, fault="the fallback itself is unsafe", expected="payload",
        deadline_s=1.5, play=fallback_is_unsafe),
)  # fmt: skip
