"""What an episode leaves behind for its judge: the truth, sampled at 5 Hz."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bidden.core.messages import Array, Goal, Grounding, Rung
from bidden.system.events import ChunkMade, Event, GoalEnded, GoalStarted, Ticked

SIDES = (0, 1)


class Thing(Protocol):
    """The truth about one thing, in W."""

    @property
    def name(self) -> str:
        """Its phrase, unique in the scene: "red cube", "door"."""
        ...

    @property
    def kind(self) -> str:
        """object, receptacle, landmark or table."""
        ...

    @property
    def shape(self) -> str:
        """A name of the catalog."""
        ...

    @property
    def colour(self) -> str:
        """A name of the catalog, or "" for landmarks and tables."""
        ...

    @property
    def p_W(self) -> Array:
        """Known point: an object's centre, a receptacle's rim, a table's top [m]."""
        ...

    @property
    def yaw(self) -> float:
        """Heading [rad]."""
        ...

    @property
    def half_size(self) -> tuple[float, float, float]:
        """Half extents of its bounding box, in its own frame [m]."""
        ...


class Truth(Protocol):
    """A world that tells what is really there."""

    def truth(self) -> Mapping[str, Thing]:
        """Every thing by name."""
        ...

    def robot_pose(self) -> Array:
        """x, y [m], yaw [rad], (3,)."""
        ...

    def hand_position(self, hand: int) -> Array:
        """Grip point [m], (3,)."""
        ...

    def held(self, hand: int) -> str | None:
        """Name of the object in a hand."""
        ...

    def fallen(self) -> bool:
        """Whether the robot lies."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Snapshot:
    """The truth at one moment, in W."""

    stamp_ns: int
    things: Mapping[str, Thing]
    robot: Array  # x, y [m], yaw [rad], (3,)
    hands: Array  # grip points right, left [m], (2, 3)
    held: tuple[str | None, str | None]  # right, left
    fallen: bool

    def holds(self, name: str) -> bool:
        """Whether an object is in a hand."""
        return name in self.held


def take_snapshot(world: Truth, stamp_ns: int) -> Snapshot:
    """The truth now."""
    return Snapshot(
        stamp_ns=stamp_ns,
        things=dict(world.truth()),
        robot=np.array(world.robot_pose(), dtype=float),
        hands=np.array([world.hand_position(hand) for hand in SIDES], dtype=float),
        held=(world.held(0), world.held(1)),
        fallen=world.fallen(),
    )


def to_base(robot: Array, p_W: Array) -> Array:
    """A point of W in the base frame of a robot that stands at x, y, yaw."""
    dx, dy = float(p_W[0] - robot[0]), float(p_W[1] - robot[1])
    c, s = np.cos(robot[2]), np.sin(robot[2])
    return np.array([c * dx + s * dy, -s * dx + c * dy, p_W[2]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """How far one grounding was from the truth."""

    role: str
    error_m: float  # horizontal distance; infinite when no such thing exists
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GoalTrace:
    """One goal with the truth at its begin and its end."""

    goal: Goal
    claimed: str  # the robot's own opinion
    start: Snapshot
    trace: tuple[Snapshot, ...]  # at 5 Hz, the end is the last


class Watch:
    """Listens to a session and samples the truth beside it."""

    def __init__(self) -> None:
        self._world: Truth | None = None
        self.trace: list[Snapshot] = []
        self.sights: list[Sight] = []
        self.goals: list[GoalTrace] = []
        self.rungs: list[Rung] = []
        self._goal: Goal | None = None
        self._goal_began = 0

    def begin(self, world: Truth) -> Snapshot:
        """Start watching a world; its first snapshot."""
        self._world = world
        return self._sample(0)

    def end(self) -> Snapshot:
        """The truth when everything is over."""
        return self._sample(self.trace[-1].stamp_ns if self.trace else 0)

    def __call__(self, event: Event) -> None:
        """Take one event."""
        match event:
            case Ticked():
                self._sample(event.stamp_ns)
                self.rungs.append(event.rung)
            case GoalStarted():
                self._goal, self._goal_began = event.goal, len(self.trace)
                self._sample(event.stamp_ns)
            case GoalEnded():
                self._sample(event.stamp_ns)
                self._end_goal(event)
            case ChunkMade():
                self._judge_sight(event.groundings)

    def _sample(self, stamp_ns: int) -> Snapshot:
        assert self._world is not None, "begin() comes first"
        self.trace.append(take_snapshot(self._world, stamp_ns))
        return self.trace[-1]

    def _end_goal(self, event: GoalEnded) -> None:
        if self._goal is None:
            return
        trace = tuple(self.trace[self._goal_began :])
        self.goals.append(
            GoalTrace(
                goal=self._goal,
                claimed=event.result.status,
                start=trace[0],
                trace=trace,
            )
        )
        self._goal = None

    def _judge_sight(self, groundings: tuple[Grounding, ...]) -> None:
        if self._world is None or not groundings:
            return
        robot, things = self._world.robot_pose(), self._world.truth()
        for g in groundings:
            error_m = float("inf")
            if g.phrase in things:
                p_B = to_base(robot, things[g.phrase].p_W)
                error_m = float(np.hypot(*(g.p_B[:2] - p_B[:2])))
            self.sights.append(
                Sight(role=g.role, error_m=error_m, confidence=g.confidence)
            )
