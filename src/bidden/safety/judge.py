"""One step of the shield, pure and total: bad inputs give a strict verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from bidden.core.messages import (
    Advice,
    Array,
    Command,
    Health,
    Mode,
    RobotState,
    Rung,
    Verdict,
)
from bidden.robot import g1
from bidden.robot.kernels import contiguous
from bidden.robot.kinematics import shared_kinematics

from .body import (
    ArmEffort,
    Retreat,
    bent_inside,
    check_effort,
    check_health,
    slowed_inside,
    smoothed,
    watch,
)
from .checks import (
    ADVISED,
    BalanceCheck,
    Check,
    Finding,
    StateCheck,
    check_advice,
    check_command,
    numbers_of,
)
from .kernels import are_finite, is_same
from .limits import ARM_LOWER, ARM_UPPER, FUTURE_SLACK_NS, Limits
from .memory import Outcome, ShieldState, Tick, start
from .modes import ARMED, Faults, in_the_way, next_mode, standing_faults
from .motion import ArmMotion, Obstacles, Step, Sweep, limit_base, limit_joints
from .scene import EMPTY_SCENE, Scene, carried_along, is_sound

# What brings the base to reduced speed. A share of the wish would stop it: the gait
# hardly answers to less than 0.12 m/s, so hands never came near what was to be picked.
SLOWING: Final = ADVISED | {Check.CAPTURE_POINT, Check.SCENE_STALE}
LINGERING: Final = frozenset({Check.PERSON_DISTANCE})  # slow until the fault clears
# Reasons to hold that speak of the commander: they do not keep from retreating
OF_COMMANDER: Final = ADVISED | {
    Check.COMMAND_MISSING,
    Check.COMMAND_INVALID,
    Check.COMMAND_STAMP,
    Check.COMMAND_STALE,
    Check.SOURCE_STALE,
    Check.OPERATOR_LINK,
}
STILL: Final[Array] = np.zeros(3)
SQUEEZE: Final = 1.0  # [N] of finger force that says something is held


class Judge:
    """The checks of the G1 and the order in which they speak; constants only."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._kinematics = shared_kinematics()
        self._check_state = StateCheck()
        self._check_balance = BalanceCheck(self._kinematics)
        self._move_arms = ArmMotion(self._kinematics)
        self._arm_effort, self._sweep = ArmEffort(), Sweep(self._move_arms.gaps)

    def step(
        self,
        own: ShieldState,
        command: Command | None,
        *,
        state: RobotState,
        scene: Scene,
        now_ns: int,
        advice: Sequence[Advice] = (),
        health: Health | None = None,
        is_pressed: bool = False,
    ) -> Outcome:
        """Judge one command; never raises."""
        own, tick = own.fork(), start(own, now_ns)
        if is_pressed:
            tick.found.append((Rung.SETTLE, Check.ESTOP))
        try:
            self._feel(own, health, tick)
            tick.found += check_advice(advice)
            self._believe(own, state, tick)
            command = self._accept(own, command, tick)
            if own.retreat is not None:
                command = self._retreat(own, own.retreat, tick)
            if tick.can_judge:
                self._bend(own, command, scene, tick)
        except Exception:  # noqa: BLE001 a check that fails is an unsafe verdict
            tick.found.append((Rung.HOLD, Check.INTERNAL))
        return self._close(own, tick)

    def in_the_way(self, own: ShieldState) -> tuple[str, ...]:
        """Why commands must not be let through now; empty when they may."""
        reasons = in_the_way(own.mode, own.faults, own.found)
        if own.state is None:
            reasons += ("state_missing",)
        if own.health is not None and own.health.battery < self._limits.battery_arm:
            reasons += (Check.BATTERY.value,)
        return tuple(dict.fromkeys(reasons))

    def _feel(self, own: ShieldState, health: Health | None, tick: Tick) -> None:
        """Take over the health report, if it can be believed."""
        condition = check_health(
            health, own.health, now_ns=tick.now_ns, limits=self._limits
        )
        tick.found += condition.found
        tick.share, own.health = condition.share, condition.believed

    def _believe(self, own: ShieldState, state: RobotState, tick: Tick) -> None:
        """Take over the measured state, if it can be believed."""
        numbers = numbers_of(state)
        bad = self._check_state(state, numbers, own.state, now_ns=tick.now_ns)
        if bad is Check.STATE_STAMP:
            self._drop(own, tick)
            return
        if bad is not None or numbers is None:
            tick.found.append((Rung.HOLD, bad or Check.STATE_INVALID))
            return
        tick.can_judge = True
        if own.posture is None:
            own.posture, own.grip = _first_posture(state)
        own.stillness = watch(
            own.stillness,
            numbers,
            stamp_ns=state.stamp_ns,
            posture=own.posture,
            base=own.base,
        )
        if own.stillness.is_stuck(self._limits.stuck_s):
            tick.found.append((Rung.SETTLE, Check.STATE_STUCK))
        own.state, own.drops = state, max(0.0, own.drops - tick.period)

    def _drop(self, own: ShieldState, tick: Tick) -> None:
        """Leave out a disordered sample; one now and then is no reason to hold."""
        own.drops += 1.0
        few = own.drops <= self._limits.stamp_drops
        tick.found.append((Rung.WARN if few else Rung.HOLD, Check.STATE_STAMP))
        if own.state is not None:
            age_ns = tick.now_ns - own.state.stamp_ns
            tick.can_judge = 0 <= age_ns <= self._limits.state_age_s * 1e9

    def _accept(
        self, own: ShieldState, command: Command | None, tick: Tick
    ) -> Command | None:
        """The command, if it can be heeded."""
        bad = check_command(
            command, own.command_ns, now_ns=tick.now_ns, limits=self._limits
        )
        if bad is not None or command is None:
            tick.found.append((Rung.HOLD, bad or Check.COMMAND_MISSING))
            return None
        own.command_ns = command.stamp_ns
        return command

    def _retreat(self, own: ShieldState, retreat: Retreat, tick: Tick) -> Command:
        """The wish of a retreat, instead of what was commanded."""
        assert own.state is not None
        assert own.posture is not None
        assert own.grip is not None
        if retreat.is_late(own.posture, tick.now_ns):
            tick.found.append((Rung.SETTLE, Check.RETREAT_BLOCKED))
        own.retreat = retreat = retreat.seen(own.state.base_pose)
        return retreat.wish(own.posture, own.grip, period=tick.period)

    def _bend(
        self, own: ShieldState, command: Command | None, scene: Scene, tick: Tick
    ) -> None:
        """Fill in what of the command is allowed; add findings."""
        state, posture, limits = own.state, own.posture, self._limits
        assert state is not None
        assert posture is not None
        X_PL = self._kinematics.link_poses(state.q)
        X_BP = self._kinematics.ground(X_PL, state.gravity)
        tick.found += self._check_balance(
            state, X_PL, X_BP=X_BP, limits=limits, is_settled=own.settle > 0.0
        )
        self._weigh(own, X_PL, tick)
        scene = self._see(scene, state, tick)
        near = self._sweep.near(X_PL, X_BP, scene)
        target, fleeing = posture, (0.0, 0.0)
        if command is not None:
            way, fleeing = self._sweep.give_way(
                command.arm_q,
                posture,
                near,
                velocity=state.base_velocity,
                period=tick.period,
                limits=limits,
            )
            joints = limit_joints(
                way.value, posture, state, period=tick.period, limits=limits
            )
            target = posture + tick.share * (joints.value - posture)
            tick.found += way.found + joints.found
        arms = self._move_arms(
            posture,
            target,
            q=state.q,
            X_BP=X_BP,
            scene=scene,
            period=tick.period,
            limits=limits,
            fleeing=fleeing,
        )
        tick.arms, tick.margin = arms.value, arms.margin
        tick.found += arms.found
        if command is None:
            return
        base = self._bend_base(command.base_velocity, own, scene, tick)
        swept = self._sweep.slowed(base.value, near, limits=limits)
        tick.found += swept.found
        tick.base = swept.value
        tick.margin = min(tick.margin, base.margin, swept.margin)
        tick.grip = np.minimum(np.maximum(contiguous(command.grip), 0.0), 1.0)

    def _weigh(self, own: ShieldState, X_PL: Array, tick: Tick) -> None:
        """Look for loads and contacts in the torques of the arms."""
        state = own.state
        assert state is not None
        arms, per_kg = self._arm_effort(X_PL, state.gravity)
        residual = state.torque[g1.ARMS] - arms
        own.effort = smoothed(own.effort, residual, period=tick.period)
        tick.found += check_effort(own.effort, per_kg, self._limits)

    def _bend_base(
        self, wish: Array, own: ShieldState, scene: Scene, tick: Tick
    ) -> Step:
        """The base velocity that is allowed; reduced speed where a check says so."""
        assert own.state is not None
        pose = own.state.base_pose
        inside = bent_inside(wish, pose, self._limits)
        if inside is not wish:
            tick.found.append((Rung.SLOW, Check.GEOFENCE))

        near = Obstacles(scene, self._limits)

        def limited(share: float) -> Step:
            return limit_base(
                share * inside,
                own.base,
                near=near,
                period=tick.period,
                limits=self._limits,
            )

        step = limited(tick.share)
        tick.found += step.found
        if _is_slow(
            tick.found, standing_faults(own.faults, tick.found, tick.now_ns), tick
        ):
            step = limited(min(tick.share, _reduced_share(inside, self._limits)))
        slowed = slowed_inside(step.value, pose, self._limits)
        return step if slowed is step.value else replace(step, value=slowed)

    def _see(self, scene: Scene, state: RobotState, tick: Tick) -> Scene:
        """The scene in the base frame of now, or an empty one with a finding."""
        if scene is EMPTY_SCENE:
            return scene
        if not (is_sound(scene) and scene.stamp_ns <= tick.now_ns + FUTURE_SLACK_NS):
            tick.found.append((Rung.HOLD, Check.SCENE_INVALID))
            return EMPTY_SCENE
        if scene.is_empty:
            return EMPTY_SCENE
        age = tick.now_ns - scene.stamp_ns
        if not (age <= self._limits.scene_hold_age_s * 1e9):
            tick.found.append((Rung.HOLD, Check.SCENE_STALE))
        elif not (age <= self._limits.scene_slow_age_s * 1e9):
            tick.found.append((Rung.SLOW, Check.SCENE_STALE))
        return carried_along(scene, state.base_pose)

    def _close(self, own: ShieldState, tick: Tick) -> Outcome:
        """Let the worst rung win and write down what is vetted."""
        now_ns, found = tick.now_ns, tick.found
        if own.mode is Mode.DISARMED:
            found.append((Rung.HOLD, Check.DISARMED))
        if own.settle > 0.0:
            found.append((Rung.HOLD, Check.RISING))
        if own.state is not None and not (
            now_ns - own.state.stamp_ns <= self._limits.state_age_s * 1e9
        ):
            found.append((Rung.SETTLE, Check.STATE_STALE))
        if tick.base is not None and not are_finite(tick.base, tick.arms, tick.grip):
            found.append((Rung.HOLD, Check.INTERNAL))
        fresh = tuple(found)
        faults = standing_faults(own.faults, found, now_ns)
        found += [(fault.rung, check) for check, fault in faults]
        found.sort(key=lambda finding: -finding[0])
        rung = found[0][0] if found else Rung.PASS
        posture, grip, base = own.posture, own.grip, STILL
        if tick.base is not None and _may_move(own, found, rung):
            posture, grip, base = tick.arms, tick.grip, tick.base
        ramp = tick.period / self._limits.settle_s
        if rung >= Rung.SETTLE:
            own.settle = min(1.0, own.settle + ramp)
        elif own.mode in ARMED:
            own.settle = max(0.0, own.settle - ramp)
        command = _frozen_command(
            base, posture, grip, now_ns=now_ns, source_ns=own.command_ns
        )
        verdict = Verdict(
            stamp_ns=now_ns,
            rung=rung,
            reasons=tuple(dict.fromkeys(check.value for _, check in found)),
            margin_m=tick.margin,
        )
        own.retreat = _next_retreat(own, rung, now_ns)
        is_moving = _is_moving(command, own)
        own.mode = next_mode(own.mode, faults, rung=rung, is_moving=is_moving)
        own.posture, own.grip, own.base = posture, grip, base
        own.now_ns, own.faults, own.found = now_ns, faults, fresh
        return Outcome(command=command, verdict=verdict, own=own)


def _first_posture(state: RobotState) -> tuple[Array, Array]:
    """The arms' posture and the grip that the first believed state shows."""
    opening = state.grip_width / (2 * g1.GRIP_TRAVEL)
    grip = np.where(state.grip_force > SQUEEZE, 1.0, np.clip(1 - opening, 0, 1))
    posture = np.clip(state.q[g1.ARMS], ARM_LOWER, ARM_UPPER)
    return contiguous(posture), contiguous(grip)


def _reduced_share(wish: Array, limits: Limits) -> float:
    """Share of a velocity that is no faster than reduced speed; slow ones stay."""
    vx, vy, turn = (float(v) for v in wish)
    speed, turning = max(math.hypot(vx, vy), 1e-9), max(abs(turn), 1e-9)
    return min(1.0, limits.base_reduced / speed, limits.base_turn_reduced / turning)


def _is_slow(found: list[Finding], faults: Faults, tick: Tick) -> bool:
    """Whether the base must slow down beyond what its own checks cut already."""
    asked = [*found, *((fault.rung, check) for check, fault in faults)]
    return any(rung is Rung.SLOW and check in SLOWING for rung, check in asked) or any(
        check in LINGERING and fault.seen_ns != tick.now_ns for check, fault in faults
    )


def _may_move(own: ShieldState, found: list[Finding], rung: Rung) -> bool:
    """Whether what was judged may be done; a retreat does not heed who commanded."""
    if rung is Rung.RETREAT and own.retreat is not None:
        return all(r is not Rung.HOLD or check in OF_COMMANDER for r, check in found)
    return rung < Rung.HOLD


def _next_retreat(own: ShieldState, rung: Rung, now_ns: int) -> Retreat | None:
    if rung is not Rung.RETREAT or own.state is None or own.mode is Mode.DISARMED:
        return None
    return own.retreat or Retreat(since_ns=now_ns, start=own.state.base_pose)


def _is_moving(command: Command, own: ShieldState) -> bool:
    """Whether a vetted command asks for more than standing as before."""
    if own.posture is None or own.grip is None:
        return False
    return not (
        is_same(command.base_velocity, STILL)
        and is_same(command.arm_q, own.posture)
        and is_same(command.grip, own.grip)
    )


def _frozen_command(
    base: Array,
    posture: Array | None,
    grip: Array | None,
    *,
    now_ns: int,
    source_ns: int,
) -> Command:
    """A command that nobody can change; before any state, the ready posture."""
    command = Command(
        stamp_ns=now_ns,
        source_ns=source_ns,
        base_velocity=np.array(base),
        arm_q=np.array(g1.READY_ARMS if posture is None else posture),
        grip=np.array((0.0, 0.0) if grip is None else grip),
    )
    for array in (command.base_velocity, command.arm_q, command.grip):
        array.flags.writeable = False
    return command
