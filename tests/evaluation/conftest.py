"""A world of points, for tests of the judge: things are where we say they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from bidden.core.messages import Array
from bidden.evaluation.household.watch import Snapshot, take_snapshot


@dataclass(frozen=True, kw_only=True)
class FakeThing:
    name: str
    kind: str
    p_W: Array
    half_size: tuple[float, float, float] = (0.02, 0.02, 0.02)
    yaw: float = 0.0

    @property
    def shape(self) -> str:
        return self.name.split()[-1]

    @property
    def colour(self) -> str:
        return self.name.split()[0] if " " in self.name else ""


def _thing(name: str, kind: str, *p: float, size: tuple[float, ...] = ()) -> FakeThing:
    half = size or (0.02, 0.02, 0.02)
    return FakeThing(
        name=name, kind=kind, p_W=np.array(p), half_size=(half[0], half[1], half[2])
    )


def _room() -> dict[str, FakeThing]:
    things = (
        _thing("red cube", "object", 1.4, 0.0, 0.80),
        _thing("blue ball", "object", 1.4, 0.3, 0.80),
        _thing("green cube", "object", 1.4, -0.3, 0.80),
        _thing("blue bowl", "receptacle", 1.5, -0.6, 0.83, size=(0.08, 0.08, 0.028)),
        _thing("red bin", "receptacle", -1.5, 0.0, 0.45, size=(0.15, 0.15, 0.225)),
        _thing("door", "landmark", 0.0, 2.0, 0.50, size=(0.40, 0.04, 1.0)),
        _thing("table 1", "table", 1.6, 0.0, 0.78, size=(0.3, 0.6, 0.39)),
    )
    return {thing.name: thing for thing in things}


@dataclass
class PointWorld:
    """Nothing moves but by a test."""

    things: dict[str, FakeThing] = field(default_factory=_room)
    pose: Array = field(default_factory=lambda: np.zeros(3))
    hands: Array = field(default_factory=lambda: np.array([[0.3, -0.2, 0.9]] * 2))
    grasped: list[str | None] = field(default_factory=lambda: [None, None])
    lies: bool = False

    def truth(self) -> Mapping[str, FakeThing]:
        return self.things

    def robot_pose(self) -> Array:
        return self.pose

    def hand_position(self, hand: int) -> Array:
        return np.asarray(self.hands[hand])

    def held(self, hand: int) -> str | None:
        return self.grasped[hand]

    def fallen(self) -> bool:
        return self.lies

    def move(self, name: str, *p: float) -> None:
        self.things[name] = replace(self.things[name], p_W=np.array(p))

    def grasp(self, name: str | None, hand: int = 0) -> None:
        self.grasped[hand] = name

    def snapshot(self, stamp_ns: int = 0) -> Snapshot:
        return take_snapshot(self, stamp_ns)


@pytest.fixture
def world() -> PointWorld:
    return PointWorld()


@pytest.fixture
def make_world() -> Callable[[], PointWorld]:
    return PointWorld
