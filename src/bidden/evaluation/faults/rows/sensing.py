"""Rows 1 to 8: cameras, encoders, stamps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bidden.core.messages import Image, RobotState, Rung
from bidden.evaluation.faults.row import TICK, Case, Row
from bidden.evaluation.faults.stage import WALK, Stage
from bidden.robot.g1 import ARMS


def _start(seed: int) -> float:
    return float(np.random.default_rng((seed, 5)).uniform(1.0, 2.0))


class _Stopped:
    """A camera that goes on giving its last frame, with its stamp or new ones."""

    def __init__(self, stamps: str) -> None:
        self._stamps = stamps
        self._last: Image | None = None

    def __call__(self, image: Image, stage: Stage) -> Image:
        self._last = self._last or image
        old_ns = stage.injection.at_ns  # it stopped then, whenever we look
        stamp_ns = old_ns if self._stamps == "old" else image.stamp_ns
        return replace(self._last, stamp_ns=stamp_ns)


def _camera(seed: int, check: str, alter: Callable[[Image, Stage], Image]) -> Case:
    """Walk; the camera goes wrong for a while; nothing new may begin meanwhile."""
    with Stage(seed, sees="camera") as stage:
        stage.injection.image = lambda image, _: alter(image, stage)
        at_ns = stage.inject(_start(seed), for_s=1.6)
        stage.ask(WALK, 6.0)
        found = stage.first(check, at_ns, rung=Rung.HOLD)
        held = [e for e in stage.since(at_ns) if e.names(check)]
        end_s = (held[-1].now_ns - at_ns) * 1e-9 if held else 0.0
        after = [e for e in stage.since(at_ns) if e.now_ns > at_ns + 4.0e9]
        return Case(
            detected_s=found,
            claims={
                "nothing moves while it holds": all(e.speed == 0.0 for e in held),
                "it holds until a second of good frames": 2.3 < end_s < 3.3,
                "it walks on after that": any(e.speed > 0.05 for e in after),
                "the robot stands": stage.is_up and stage.settle == 0.0,
            },
        )


def frames_stop(seed: int) -> Case:
    """Row 1; the last frame is from the moment of the fault."""
    return _camera(seed, "image_stale", _Stopped("old"))


def frames_freeze(seed: int) -> Case:
    """Row 2."""
    return _camera(seed, "image_frozen", _Stopped("new"))


def picture_is_gone(seed: int) -> Case:
    """Row 3: black, white and noise in turn."""
    rng = np.random.default_rng((seed, 6))
    kind = ("black", "white", "noise")[seed % 3]

    def alter(image: Image, stage: Stage) -> Image:
        rgb = np.zeros_like(image.rgb)
        if kind == "white":
            rgb += 255
        elif kind == "noise":
            rgb = rng.integers(0, 256, rgb.shape, np.uint8)
        return replace(image, rgb=rgb)

    return _camera(seed, "image_unusable", alter)


def _body(
    seed: int,
    checks: str | tuple[str, ...],
    alter: Callable[[RobotState, int], RobotState],
    *,
    rung: Rung,
) -> Case:
    """Walk, spoil the measured state, and look what the verdicts say."""
    with Stage(seed) as stage:
        stage.injection.state = alter
        at_ns = stage.inject(_start(seed))
        stage.ask(WALK, 5.0)
        found = stage.first(checks, at_ns, rung=rung)
        since = stage.since(at_ns + int(found * 1e9) if np.isfinite(found) else at_ns)
        held = [e for e in since if e.names(checks)]
        claims = {
            "the base stops": bool(held) and all(e.speed == 0.0 for e in held),
            "the robot stands or settles": stage.is_up,
        }
        if rung is Rung.SETTLE:
            claims["it stays settled"] = all(e.rung is Rung.SETTLE for e in since)
        return Case(detected_s=found, claims=claims)


def state_goes_stale(seed: int) -> Case:
    """Row 4: IMU and encoders repeat their last sample."""
    last: list[RobotState] = []

    def alter(state: RobotState, now_ns: int) -> RobotState:
        last.append(state)
        return last[0]

    return _body(seed, "state_stale", alter, rung=Rung.SETTLE)


def sensor_sticks(seed: int) -> Case:
    """Row 5: one leg joint goes on giving one value, with fresh stamps."""
    joint = int(np.random.default_rng((seed, 7)).choice([0, 3, 4, 6, 9, 10]))
    first: list[tuple[float, float]] = []

    def alter(state: RobotState, now_ns: int) -> RobotState:
        q, dq = state.q.copy(), state.dq.copy()
        first.append((float(q[joint]), float(dq[joint])))
        q[joint], dq[joint] = first[0]
        return replace(state, q=q, dq=dq)

    return _body(seed, "state_stuck", alter, rung=Rung.SETTLE)


def encoder_jumps(seed: int) -> Case:
    """Row 6: one arm joint jumps faster than any motor, or out of its range."""
    rng = np.random.default_rng((seed, 8))
    joint = int(rng.integers(ARMS.start or 15, 29))
    jump = float(rng.choice([-2.0, 2.0, 9.0]))

    def alter(state: RobotState, now_ns: int) -> RobotState:
        q = state.q.copy()
        q[joint] += jump
        return replace(state, q=q)

    return _body(seed, ("state_jump", "state_invalid"), alter, rung=Rung.HOLD)


def stamps_go_wrong(seed: int) -> Case:
    """Row 7: stamps from the future or the past; the samples are never used."""
    shift_ns = (1_000_000_000, -500_000_000, 60_000_000)[seed % 3]
    samples = (1, 2, 8)[seed // 3 % 3]
    used: list[int] = []

    def alter(state: RobotState, now_ns: int) -> RobotState:
        used.append(now_ns)
        return replace(state, stamp_ns=state.stamp_ns + shift_ns)

    with Stage(seed) as stage:
        stage.injection.state = alter
        at_ns = stage.inject(_start(seed), for_s=0.02 * samples)
        stage.ask(WALK, 4.0)
        named = [e for e in stage.since(at_ns) if e.names("state_stamp")]
        later = [e for e in stage.since(at_ns) if e.now_ns > at_ns + 1.5e9]
        holds = any(e.rung >= Rung.HOLD for e in named)
        claims = {
            "every such sample is named": len(named) >= samples,
            "many of them make it hold": holds == (samples > 2),
            "few of them stop nothing": samples > 2 or any(e.speed > 0 for e in later),
            "the robot stands or settles": stage.is_up,
        }
        return Case(detected_s=stage.first("state_stamp", at_ns), claims=claims)


def sources_disagree(seed: int) -> Case:
    """Row 8: the odometry runs away, the gyroscope lies, or an encoder slips."""
    kind = ("odometry", "gyro", "encoder")[seed % 3]
    began: list[int] = []

    def alter(state: RobotState, now_ns: int) -> RobotState:
        began.append(now_ns)
        passed = (now_ns - began[0]) * 1e-9
        if kind == "odometry":
            pose = state.base_pose + np.array([0.6 * passed, 0.0, 0.0])
            return replace(state, base_pose=pose)
        if kind == "gyro":
            return replace(state, gyro=state.gyro + np.array([0.0, 0.0, 1.0]))
        q = state.q.copy()
        q[20] += 0.3
        return replace(state, q=q)

    with Stage(seed) as stage:
        stage.injection.state = alter
        at_ns = stage.inject(_start(seed), for_s=1.0)
        stage.ask(WALK, 5.0)
        found = stage.first("sources_disagree", at_ns, rung=Rung.SLOW)
        later = [e for e in stage.since(at_ns) if e.now_ns > at_ns + 2.2e9]
        claims = {
            "it holds": stage.first("sources_disagree", at_ns, rung=Rung.HOLD) <= 0.6,
            "it walks on when they agree": any(e.speed > 0.05 for e in later),
            "the robot stands": stage.is_up and stage.settle == 0.0,
        }
        return Case(detected_s=found, claims=claims)


ROWS = (
    Row(number=1, fault="camera frames stop", expected="image_stale",
        deadline_s=0.3, play=frames_stop),
    Row(number=2, fault="camera frozen, new stamps", expected="image_frozen",
        deadline_s=0.5, play=frames_freeze),
    Row(number=3, fault="black, white or noise", expected="image_unusable",
        deadline_s=0.3, play=picture_is_gone),
    Row(number=4, fault="IMU and encoders stale", expected="state_stale",
        deadline_s=0.06 + TICK - 0.02, play=state_goes_stale),
    Row(number=5, fault="an encoder sticks", expected="state_stuck",
        deadline_s=0.5, play=sensor_sticks),
    Row(number=6, fault="an encoder jumps or leaves its range",
        expected="state_jump or state_invalid", deadline_s=TICK, play=encoder_jumps),
    Row(number=7, fault="stamps of the future or the past", expected="state_stamp",
        deadline_s=TICK, play=stamps_go_wrong),
    Row(number=8, fault="two sources disagree", expected="sources_disagree",
        deadline_s=0.5, play=sources_disagree),
)  # fmt: skip
