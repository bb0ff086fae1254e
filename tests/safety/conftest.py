"""Believable inputs for the shield, and a bench that keeps time for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bidden.core.messages import Advice, Command, RobotState, Verdict
from bidden.core.vetted import VettedCommand
from bidden.robot import g1
from bidden.robot.kinematics import Kinematics
from bidden.safety import EMPTY_SCENE, Limits, Scene, Shield
from bidden.safety.body import ArmEffort

TICK_NS = 20_000_000
START_NS = 5_000_000_000


def ready_q() -> np.ndarray:
    q = g1.DEFAULT_Q.copy()
    q[g1.ARMS] = g1.READY_ARMS
    return q


def make_state(stamp_ns: int = START_NS, **changes: Any) -> RobotState:
    state = RobotState(
        stamp_ns=stamp_ns,
        q=ready_q(),
        dq=np.zeros(29),
        torque=np.zeros(29),
        gyro=np.zeros(3),
        gravity=np.array([0.0, 0.0, -1.0]),
        base_pose=np.zeros(3),
        base_velocity=np.zeros(3),
        grip_width=np.full(2, 0.09),
        grip_force=np.zeros(2),
    )
    return replace(state, **changes)


KINEMATICS, EFFORT = Kinematics(), ArmEffort()


def arm_weight(q: np.ndarray) -> np.ndarray:
    """Joint torques of an upright robot that carries its arms only, (29,)."""
    torque = np.zeros(29)
    upright = np.array([0.0, 0.0, -1.0])
    torque[g1.ARMS] = EFFORT(KINEMATICS.link_poses(q), upright)[0]
    return torque


def alive(state: RobotState) -> RobotState:
    """The same state with the trembling of sensors that work."""
    tremble = 1e-13 * (1 + state.stamp_ns // TICK_NS % 7)
    return replace(
        state,
        **{
            name: getattr(state, name) + tremble
            for name in ("q", "dq", "gyro", "gravity", "base_pose", "base_velocity")
        },
    )


def make_command(stamp_ns: int = START_NS, **changes: Any) -> Command:
    command = Command(
        stamp_ns=stamp_ns,
        source_ns=stamp_ns,
        base_velocity=np.zeros(3),
        arm_q=g1.READY_ARMS.copy(),
        grip=np.zeros(2),
    )
    return replace(command, **changes)


def table_scene(x: float = 1.0, top: float = 0.75, **changes: Any) -> Scene:
    """One table whose edge towards the robot is at `x`."""
    scene = Scene(
        stamp_ns=START_NS,
        box_centre=np.array([[x + 0.25, 0.0, top / 2]]),
        box_half=np.array([[0.25, 0.5, top / 2]]),
        box_yaw=np.zeros(1),
    )
    return replace(scene, **changes)


def person_scene(x: float, y: float = 0.0) -> Scene:
    return Scene(
        stamp_ns=START_NS,
        person_ends=np.array([[[x, x], [y, y], [0.1, 1.6]]]),
        person_radius=np.array([0.2]),
    )


class Bench:
    """A shield with a clock: each call is one control tick later."""

    def __init__(self, limits: Limits | None = None, *, arm: bool = True) -> None:
        self.shield = Shield(limits)
        self.now_ns = START_NS
        self.q = ready_q()
        self._arm = arm

    def arm(self) -> None:
        """Show the shield where it stands, then arm it."""
        torque = arm_weight(self.q)
        first = make_state(self.now_ns, q=self.q.copy(), torque=torque)
        self.shield.judge(None, first, now_ns=self.now_ns)
        assert self.shield.arm() == ()

    def tick(
        self,
        *,
        command: Command | str | None = "default",
        state: Any = None,
        scene: Scene = EMPTY_SCENE,
        track: bool = True,
        advice: Sequence[Advice] = (),
        health: Any = None,
        **wish: Any,
    ) -> tuple[VettedCommand, Verdict]:
        """One tick; `wish` changes fields of a fresh command."""
        if self._arm:
            self._arm = False
            self.arm()
        self.now_ns += TICK_NS
        if command == "default":
            command = make_command(self.now_ns, **wish)
        if state is None:
            torque = arm_weight(self.q)
            state = alive(make_state(self.now_ns, q=self.q.copy(), torque=torque))
        if isinstance(scene, Scene) and scene.stamp_ns == START_NS:
            scene = replace(scene, stamp_ns=self.now_ns)
        vetted, verdict = self.shield.judge(
            command, state, now_ns=self.now_ns, scene=scene, advice=advice,
            health=health,
        )  # fmt: skip
        if track:  # the arms follow at once
            self.q[g1.ARMS] = vetted.command.arm_q
        return vetted, verdict


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def make_bench() -> Callable[..., Bench]:
    return Bench


@pytest.fixture
def state_of() -> Callable[..., RobotState]:
    return make_state


@pytest.fixture
def command_of() -> Callable[..., Command]:
    return make_command


@pytest.fixture
def table_of() -> Callable[..., Scene]:
    return table_scene


@pytest.fixture
def person_at() -> Callable[..., Scene]:
    return person_scene
