"""Opens a whole session in simulation: world, robot, brain, shield, recording."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bidden.brain.language import LanguagePipeline
from bidden.brain.planning import plan
from bidden.core.errors import RobotError
from bidden.core.messages import Grounding
from bidden.core.ports import Camera, Clock, Policy, Watch
from bidden.safety import Limits, Shield
from bidden.system.compact import CompactPolicy
from bidden.system.events import Fanout, FrameReady, Listener
from bidden.system.executor import Executor
from bidden.system.loop import ControlLoop
from bidden.system.orchestrator import Orchestrator
from bidden.system.outcome import Outcome
from bidden.system.reporting.film import Film
from bidden.system.tape import Tape
from bidden.system.watches import (
    DoubtWatch,
    FallLookout,
    ForesightWatch,
    SourcesLookout,
)
from bidden.system.watches.camera import CameraWatch

from .g1 import SimRobot, cameras
from .policies import ExpertPolicy, RandomPolicy
from .scene import Pairs, load_scene, random_scene
from .scene.catalog import COLOURS, LANDMARKS, RECEPTACLES, all_pairs
from .world import World

KNOWN_PHRASES = (
    *(f"{colour} {shape}" for colour, shape in all_pairs()),
    *(f"{colour} {shape}" for colour in COLOURS for shape in RECEPTACLES),
    *LANDMARKS,
    "table",
)
SEEN = 0.6  # confidence from which a thing is reported as seen
VIDEO_TICKS = 4  # control ticks per picture: 12.5 a second
PolicyName = Literal["compact", "expert", "random"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionConfig:
    """What `bidden run` and the evaluation open."""

    seed: int = 0
    pairs: Pairs = "all"
    scene: Path | None = None  # a scene file instead of a random scene
    policy: PolicyName = "compact"
    precision: Literal["int8", "fp32"] = "int8"
    record: Path | None = None  # MCAP file to make
    video: Path | None = None  # MP4 file to make
    looking: bool = False  # the shield sees the room also when the policy needs no eyes
    # Evaluation only, to count what foresight costs and saves; the shield itself stays.
    compared_without_foresight: bool = False
    doubt: bool = True  # the policy is watched for signs that it will fail
    calibration: Path | None = None  # for that; None: what is shipped for `compact`


@dataclass(frozen=True, slots=True, kw_only=True)
class Fittings:
    """What a study puts between the parts of a session."""

    policy: Callable[[Policy], Policy] = lambda policy: policy
    camera: Callable[[Camera], Camera] = lambda camera: camera
    watches: tuple[Watch, ...] = ()  # beside those of the session


class HouseSession:
    """A robot in its room that takes one instruction after another."""

    def __init__(
        self,
        config: SessionConfig,
        on_event: Listener,
        fittings: Fittings | None = None,
    ) -> None:
        self.config, self._fittings = config, fittings or Fittings()
        scene = load_scene(config.scene) if config.scene else None
        self._parts = ExitStack()
        try:
            self.world = World(scene or random_scene(config.seed, pairs=config.pairs))
            self._parts.callback(self.world.close)
            self.robot = SimRobot(self.world)
            self.orchestrator = self._assemble(on_event)
        except BaseException:
            self._parts.close()  # nothing half-open is left behind
            raise

    def _assemble(self, on_event: Listener) -> Orchestrator:
        config, limits = self.config, Limits()
        self._policy = self._make_policy()
        language = LanguagePipeline.load(plan)
        self._events = Fanout([on_event])
        tape: Tape | None = None
        clock: Clock = self.robot.clock
        if config.record:
            tape = Tape(config.record, effective=config, limits=limits)
            self._parts.callback(tape.close)
            self._events.listeners.append(tape)
        if config.video:
            film = Film(config.video, fps=50 / VIDEO_TICKS)
            self._parts.callback(film.close)
            self._events.listeners.append(film)
            clock = _FilmingClock(self)
        loop = ControlLoop(
            self.robot, clock, executor=Executor(), shield=Shield(limits), tape=tape
        )
        loop.lookouts = (SourcesLookout(),)
        policy = self._fittings.policy(self._policy)
        orchestrator = Orchestrator(
            loop,
            self._eyes(),
            language=language,
            policy=policy,
            on_event=self._events,
            facts={"seed": self.world.scene.seed, "policy": config.policy},
            watches=(
                CameraWatch(),
                *self._watches(policy, loop),
                *self._fittings.watches,
            ),
        )
        if reasons := loop.arm():
            raise RobotError("the shield cannot be armed: " + ", ".join(reasons))
        loop.run(25)  # settle into balance
        return orchestrator

    def _watches(self, policy: Policy, loop: ControlLoop) -> Iterator[Watch]:
        """Foresight, and doubt; scripted policies are calibrated only on wish."""
        config = self.config
        if not config.compared_without_foresight:
            loop.lookouts = (*loop.lookouts, FallLookout())
            yield ForesightWatch(lambda: loop.scene)
        if config.doubt and (config.policy == "compact" or config.calibration):
            yield DoubtWatch.of(policy, config.calibration)

    def _make_policy(self) -> Policy:
        if self.config.policy == "expert":
            return ExpertPolicy(self.world)
        if self.config.policy == "random":
            return RandomPolicy(self.config.seed)
        return CompactPolicy.load(self.config.precision)

    def _eyes(self) -> dict[str, Camera]:
        found = cameras(self.robot)
        if self.config.policy == "compact" or self.config.looking:
            return {"head": self._fittings.camera(found["head"])}
        return {}

    def ask(self, text: str) -> Outcome:
        """Do what the words say."""
        return self.orchestrator.ask(text)

    def interrupt(self) -> None:
        """Make the running `ask` end soon, the robot standing; from any thread."""
        self.orchestrator.interrupt()

    def look(self) -> list[Grounding]:
        """What the robot sees right now of the kinds of things it knows."""
        policy = self._policy
        if not isinstance(policy, CompactPolicy):
            policy = CompactPolicy.load(self.config.precision)
        image = cameras(self.robot)["head"].read()
        found = policy.find(image, KNOWN_PHRASES)
        return [g for g in found if g.confidence >= SEEN]

    def frame(self) -> None:
        """Send one picture of the spectator's camera to the film."""
        self._events(
            FrameReady(stamp_ns=self.robot.now_ns, rgb=self.world.render_third())
        )

    def close(self) -> None:
        """Finish the recording and the video; safe to repeat."""
        self._parts.close()


class _FilmingClock:
    """The simulated clock, with a picture every few ticks."""

    def __init__(self, session: HouseSession) -> None:
        self._session, self._clock = session, session.robot.clock
        self._ticks = 0

    def now_ns(self) -> int:
        return self._clock.now_ns()

    def sleep_until(self, stamp_ns: int) -> None:
        self._clock.sleep_until(stamp_ns)
        if self._ticks % VIDEO_TICKS == 0:
            self._session.frame()
        self._ticks += 1


def open_session(
    config: SessionConfig,
    *,
    on_event: Listener = lambda event: None,
    fittings: Fittings | None = None,
) -> HouseSession:
    """Open a session; use it as a context with `contextlib.closing`."""
    return HouseSession(config, on_event, fittings)
