"""The running system that faults are injected into: every port wrapped, all logged.

The simulated robot, the real loop, shield and orchestrator; only what passes through
the ports is altered, from one moment on. Refused for anything but a simulated body.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import Final, Self

import numpy as np

from bidden.adapters.sim.g1 import SimCamera, SimRobot, cameras
from bidden.adapters.sim.policies import ExpertPolicy
from bidden.adapters.sim.scene import SceneConfig, ThingConfig, known_scene
from bidden.adapters.sim.world import World
from bidden.brain.language import LanguagePipeline
from bidden.brain.planning import plan
from bidden.core.errors import ConfigError
from bidden.core.messages import Command, Health, Image, RobotState, Rung
from bidden.core.ports import Camera, Policy, Robot
from bidden.core.vetted import VettedCommand
from bidden.safety import Limits, Shield
from bidden.system.executor import Executor
from bidden.system.loop import ControlLoop
from bidden.system.orchestrator import Orchestrator
from bidden.system.processes.policy import PolicyWatch, ProcessPolicy
from bidden.system.tape import Tape
from bidden.system.watches import FallLookout, ForesightWatch, SourcesLookout
from bidden.system.watches.camera import CameraWatch

from .link import NEVER_NS, SimulatedLink, Trouble

TICK_S: Final = 0.02
WALK: Final = "walk 3 metres forward"
LEAST_UP: Final = 0.6  # cosine of tilt; beyond it the robot has fallen


@dataclass(slots=True, kw_only=True)
class Injection:
    """What passes the ports is altered by these, from `at_ns` until `until_ns`."""

    at_ns: int = NEVER_NS
    until_ns: int = NEVER_NS
    state: Callable[[RobotState, int], RobotState] | None = None
    image: Callable[[Image, int], Image] | None = None
    command: Callable[[Command, int], Command] | None = None
    health: Callable[[Health, int], Health] | None = None
    each_tick: Callable[[int], None] | None = None  # at every write, while it holds

    def holds(self, now_ns: int) -> bool:
        """Whether it is active."""
        return self.at_ns <= now_ns < self.until_ns


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Logged:
    """One tick as the body saw it."""

    now_ns: int
    state: RobotState  # true
    vetted: VettedCommand

    @property
    def rung(self) -> Rung:
        """Of the verdict."""
        return self.vetted.verdict.rung

    def names(self, checks: str | Collection[str]) -> bool:
        """Whether one of the checks is among the verdict's reasons."""
        wanted = {checks} if isinstance(checks, str) else set(checks)
        return not wanted.isdisjoint(self.vetted.verdict.reasons)

    @property
    def speed(self) -> float:
        """Of the base, as commanded [m/s] or [rad/s], the largest."""
        return float(np.abs(self.vetted.command.base_velocity).max())


def require_simulation(robot: Robot) -> SimRobot:
    """The same robot, if it is a simulated one.

    Raises:
        ConfigError: it is not.
    """
    if type(robot) is not SimRobot:
        raise ConfigError(
            "faults are injected in simulation alone, and this body is a "
            f"{type(robot).__name__}"
        )
    return robot


class TappedRobot:
    """The body, with what it measures altered and what it gets logged."""

    def __init__(self, robot: Robot, injection: Injection) -> None:
        self._robot, self._injection = require_simulation(robot), injection
        self.log: list[Logged] = []

    def read(self) -> RobotState:
        """What the sensors say, or what the fault makes of it."""
        state, i = self._robot.read(), self._injection
        alter = i.state if i.holds(self._robot.now_ns) else None
        return state if alter is None else alter(state, self._robot.now_ns)

    def write(self, command: VettedCommand) -> None:
        """Log it, and pass it on."""
        now_ns, i = self._robot.now_ns, self._injection
        entry = Logged(now_ns=now_ns, state=self._robot.read(), vetted=command)
        self.log.append(entry)
        self._robot.write(command)
        if i.each_tick and i.holds(now_ns):
            i.each_tick(now_ns)


class TappedExecutor(Executor):
    """The executor, with its commands altered on the way to the shield."""

    def __init__(self, injection: Injection) -> None:
        super().__init__()
        self._injection = injection

    def tick(self, state: RobotState, now_ns: int) -> Command:
        """The command, or what the fault makes of it."""
        command, i = super().tick(state, now_ns), self._injection
        alter = i.command if i.holds(now_ns) else None
        return command if alter is None else alter(command, now_ns)


class TappedCamera:
    """One camera, with its frames altered."""

    def __init__(self, camera: SimCamera, robot: SimRobot, injection: Injection):
        self._camera, self._robot, self._injection = camera, robot, injection

    @property
    def name(self) -> str:
        """The camera's own."""
        return self._camera.name

    def read(self) -> Image:
        """A frame, or what the fault makes of it."""
        image, i = self._camera.read(), self._injection
        alter = i.image if i.holds(self._robot.now_ns) else None
        return image if alter is None else alter(image, self._robot.now_ns)


class Gauges:
    """A body's health report: all well, unless altered."""

    def __init__(self, robot: SimRobot, injection: Injection) -> None:
        self._robot, self._injection = robot, injection

    def read(self) -> Health:
        """The newest report."""
        now_ns, i = self._robot.now_ns, self._injection
        health = Health(
            stamp_ns=now_ns, battery=0.9, motor_temperature=np.full(29, 40.0),
            operator_ns=now_ns,
        )  # fmt: skip
        alter = i.health if i.holds(now_ns) else None
        return health if alter is None else alter(health, now_ns)


@dataclass
class StageClock:
    """Simulated time that interrupts the running instruction at its end."""

    robot: SimRobot
    end_ns: int = NEVER_NS
    interrupt: Callable[[], None] = field(default=lambda: None)
    each_tick: Callable[[], None] = field(default=lambda: None)

    def now_ns(self) -> int:
        """Simulated time."""
        return self.robot.now_ns

    def sleep_until(self, stamp_ns: int) -> None:
        """Move the world."""
        self.robot.clock.sleep_until(stamp_ns)
        self.each_tick()
        if self.robot.now_ns >= self.end_ns:
            self.interrupt()


@cache
def language() -> LanguagePipeline:
    """The shipped one, loaded once."""
    return LanguagePipeline.load(plan)


class Stage:
    """One robot in one room, armed and standing. Use as a context manager.

    Args:
        seed: of the room's robot and its odometry.
        things: what stands in the room.
        sees: what the shield knows: nothing, what the camera shows, or the truth.
        trouble: what goes wrong with the policy's process.
        tape: where the run is recorded.
        limits: of the shield.
        inner: makes the policy that answers behind the wire.
    """

    def __init__(
        self,
        seed: int,
        *,
        things: Sequence[ThingConfig] = (),
        sees: str = "nothing",
        trouble: Trouble | None = None,
        tape: Tape | None = None,
        limits: Limits | None = None,
        inner: Callable[[World], Policy] = ExpertPolicy,
    ) -> None:
        rng = np.random.default_rng((seed, 3))
        start = (0.0, 0.0, float(rng.uniform(-0.2, 0.2)))
        scene = SceneConfig(
            seed=seed, things=tuple(things), robot_start=start, room_half=8.0
        )
        self.world = World(scene)
        self.body = SimRobot(self.world)
        self.injection, self.trouble = Injection(), trouble or Trouble()
        self.robot = TappedRobot(self.body, self.injection)
        self.clock = StageClock(self.body)
        self.shield, self._inner = Shield(limits), inner
        self.loop = ControlLoop(
            self.robot,
            self.clock,
            executor=TappedExecutor(self.injection),
            shield=self.shield,
            tape=tape,
        )
        self.loop.lookouts = (SourcesLookout(), FallLookout())
        self.loop.health = Gauges(self.body, self.injection)
        self.sees = sees
        self.policy = self._make_policy()
        self.orchestrator = Orchestrator(
            self.loop,
            self._eyes(),
            language=language(),
            policy=self.policy,
            on_event=lambda event: self._know(),
            watches=(
                CameraWatch(),
                PolicyWatch(self.policy),
                ForesightWatch(lambda: self.loop.scene),
            ),
        )
        self.clock.interrupt = self.orchestrator.interrupt
        self.loop.arm()
        self.loop.run(25)

    def _make_policy(self) -> ProcessPolicy:
        return ProcessPolicy(self.loop, link=self._make_link())

    def _make_link(self) -> SimulatedLink:
        return SimulatedLink(self._inner(self.world), self.clock, self.trouble)

    def _eyes(self) -> dict[str, Camera]:
        if self.sees != "camera":
            return {}
        head = cameras(self.body)["head"]
        return {"head": TappedCamera(head, self.body, self.injection)}

    def _know(self) -> None:
        """Tell the shield the truth about the room, several times a second."""
        if self.sees == "truth":
            state = self.body.read()
            self.loop.scene = known_scene(
                self.world.scene, self.world.robot_pose(),
                base_pose=state.base_pose, stamp_ns=state.stamp_ns,
            )  # fmt: skip

    # -- playing -------------------------------------------------------------------
    @property
    def log(self) -> list[Logged]:
        """Every tick so far."""
        return self.robot.log

    def inject(self, after_s: float, *, for_s: float = 1e6) -> int:
        """Let the fault begin some time from now; when [ns]."""
        at_ns = self.body.now_ns + round(after_s / TICK_S) * 20_000_000
        until_ns = at_ns + int(for_s * 1e9)
        for one in (self.injection, self.trouble):
            one.at_ns, one.until_ns = at_ns, until_ns
        return at_ns

    def ask(self, text: str, seconds: float) -> str:
        """Follow an instruction for so long, and stand when it ends before; status."""
        end_ns = self.body.now_ns + int(seconds * 1e9)
        self.clock.end_ns = end_ns
        outcome = self.orchestrator.ask(text)
        self.clock.end_ns = NEVER_NS
        while self.body.now_ns < end_ns:
            self.loop.tick()
        return outcome.status

    def recover(self) -> tuple[str, ...]:
        """What an operator does: policy started again, reset, armed; why not, or ()."""
        for one in (self.injection, self.trouble):
            one.at_ns = NEVER_NS
        self.policy.use(self._make_link())
        self.loop.advice = ()
        return self.loop.reset() or self.loop.arm()

    # -- what was seen -------------------------------------------------------------
    def since(self, at_ns: int) -> list[Logged]:
        """Ticks from a moment on."""
        return [entry for entry in self.log if entry.now_ns >= at_ns]

    def first(
        self, checks: str | Collection[str], at_ns: int, *, rung: Rung = Rung.WARN
    ) -> float:
        """Seconds until one of the checks speaks and the verdict is at least so bad."""
        for entry in self.since(at_ns):
            if entry.names(checks) and entry.rung >= rung:
                return (entry.now_ns - at_ns) * 1e-9
        return float("inf")

    def stops(self, at_ns: int) -> float:
        """Seconds until the base's command is zero and stays so."""
        after = self.since(at_ns)
        moving = [entry.now_ns for entry in after if entry.speed > 0.0]
        last_ns = moving[-1] + 20_000_000 if moving else at_ns
        return (last_ns - at_ns) * 1e-9

    @property
    def is_up(self) -> bool:
        """The robot has not fallen."""
        return not self.loop.falls and -self.body.read().gravity[2] > LEAST_UP

    @property
    def settle(self) -> float:
        """How far it crouches now, 0 to 1, as commanded."""
        return self.log[-1].vetted.settle

    def close(self) -> None:
        """Give back the room."""
        self.policy.close()
        self.world.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
