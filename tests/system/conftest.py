"""A body of points, virtual time and a policy that follows a script."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from bidden.brain.language import LanguagePipeline
from bidden.brain.planning import plan
from bidden.core.messages import ActionChunk, Array, Goal, Observation, RobotState
from bidden.core.vetted import VettedCommand
from bidden.robot.g1 import ARMS, DEFAULT_Q, READY_ARMS
from bidden.safety import Shield
from bidden.system.events import Event
from bidden.system.executor import Executor
from bidden.system.loop import ControlLoop
from bidden.system.orchestrator import Orchestrator

TICK_S = 0.02


@dataclass
class VirtualClock:
    """Waiting is what makes time pass."""

    now: int = 1_000_000_000

    def now_ns(self) -> int:
        return self.now

    def sleep_until(self, stamp_ns: int) -> None:
        self.now = max(self.now, stamp_ns)


@dataclass
class PointRobot:
    """Does at once what it is told; keeps everything that was written."""

    clock: VirtualClock
    q: Array = field(default_factory=lambda: DEFAULT_Q.copy())
    pose: Array = field(default_factory=lambda: np.zeros(3))
    velocity: Array = field(default_factory=lambda: np.zeros(3))
    grip: Array = field(default_factory=lambda: np.zeros(2))
    gravity: Array = field(default_factory=lambda: np.array([0.0, 0.0, -1.0]))
    something_between: bool = False  # closed fingers meet on a thing
    written: list[VettedCommand] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.q[ARMS] = READY_ARMS

    def read(self) -> RobotState:
        holds = self.something_between & (self.grip > 0.5)
        tremble = 1e-13 * (1 + self.clock.now // 20_000_000 % 7)  # sensors that work
        return RobotState(
            stamp_ns=self.clock.now,
            q=self.q + tremble,
            dq=np.full(29, tremble),
            torque=np.zeros(29),
            gyro=np.full(3, tremble),
            gravity=self.gravity + tremble,
            base_pose=self.pose + tremble,
            base_velocity=self.velocity + tremble,
            grip_width=np.where(holds, 0.04, 0.09 * (1 - self.grip)),
            grip_force=np.where(holds, 8.0, 0.0),
        )

    def write(self, command: VettedCommand) -> None:
        self.written.append(command)
        wanted = command.command
        self.velocity, self.grip = wanted.base_velocity, wanted.grip
        self.q[ARMS] = wanted.arm_q
        c, s = np.cos(self.pose[2]), np.sin(self.pose[2])
        vx, vy, wz = self.velocity
        self.pose = self.pose + TICK_S * np.array(
            [c * vx - s * vy, s * vx + c * vy, wz]
        )


Script = Callable[[Observation], ActionChunk]


def make_chunk(stamp_ns: int, **numbers: float) -> ActionChunk:
    """Eight equal steps; the numbers that are not named are zero."""
    columns = {"vx": 0, "vy": 1, "wz": 2, "dx": 3, "dz": 5, "grip": 9, "hand": 10}
    columns |= {"dy": 4, "droll": 6, "dyaw": 8, "done": 11}
    actions = np.zeros((8, 12))
    for name, value in numbers.items():
        actions[:, columns[name]] = value
    return ActionChunk(
        stamp_ns=stamp_ns, actions=actions, spread=np.zeros_like(actions)
    )


@dataclass
class ScriptedPolicy:
    """Answers with what the test wrote down for it."""

    script: Script = lambda o: make_chunk(o.stamp_ns, done=1.0)
    goals: list[Goal] = field(default_factory=list)
    calls: int = 0
    name: str = "script"

    def reset(self, goal: Goal) -> None:
        self.goals.append(goal)

    def act(self, observation: Observation) -> ActionChunk:
        self.calls += 1
        return self.script(observation)


@dataclass
class Stage:
    """Everything that a test of the orchestrator looks at."""

    clock: VirtualClock
    robot: PointRobot
    loop: ControlLoop
    policy: ScriptedPolicy
    events: list[Event]
    orchestrator: Orchestrator

    def says(self, script: Script) -> None:
        self.policy.script = script

    def named(self) -> list[str]:
        return [type(event).__name__ for event in self.events]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def robot(clock: VirtualClock) -> PointRobot:
    return PointRobot(clock)


@pytest.fixture
def loop(robot: PointRobot, clock: VirtualClock) -> ControlLoop:
    """Armed, and settled for a few ticks."""
    loop = ControlLoop(robot, clock, executor=Executor(), shield=Shield())
    loop.arm()
    loop.run(5)
    return loop


@pytest.fixture(scope="session")
def language() -> LanguagePipeline:
    """The one that ships; what is asked here, grammar alone can read."""
    return LanguagePipeline.load(plan)


@pytest.fixture
def stage(
    clock: VirtualClock,
    robot: PointRobot,
    loop: ControlLoop,
    language: LanguagePipeline,
) -> Stage:
    events: list[Event] = []
    policy = ScriptedPolicy()
    orchestrator = Orchestrator(
        loop, {}, language=language, policy=policy, on_event=events.append
    )
    return Stage(clock, robot, loop, policy, events, orchestrator)


@pytest.fixture
def chunk_of() -> Callable[..., ActionChunk]:
    return make_chunk
