"""Rows 24 to 27 and 30: people, contact, obstacles, fences."""

from __future__ import annotations

from typing import Final

import numpy as np

from bidden.adapters.sim.scene import ThingConfig
from bidden.core.messages import ActionChunk, Array, Goal, Observation
from bidden.evaluation.faults.misbehaving import STEPS
from bidden.evaluation.faults.row import TICK, Case, Row
from bidden.evaluation.faults.stage import WALK, Stage
from bidden.safety import Limits, Scene

CHEST_N: Final = 110.0  # ISO/TS 15066, abdomen, quasi-static: the least of the torso
TORSO_M: Final = 0.17  # of the simulated person, at its widest


def _start(seed: int) -> float:
    return float(np.random.default_rng((seed, 24)).uniform(1.0, 2.0))


def _person(seed: int, near: float, far: float) -> ThingConfig:
    r = np.random.default_rng((seed, 25))
    return ThingConfig(
        name="person", kind="landmark", shape="person",
        position=(float(r.uniform(near, far)), float(r.uniform(-0.15, 0.15)), 0.0),
        yaw=float(r.uniform(-3, 3)), half_size=(0.16, 0.24, 0.85),
    )  # fmt: skip


def person_is_near(seed: int) -> Case:
    """Row 24: the robot is told to walk on, straight through a person."""
    person = _person(seed, 1.8, 2.6)
    with Stage(seed, things=(person,), sees="truth") as stage:
        gaps: list[float] = []
        speeds: list[tuple[float, float]] = []
        touched: list[str] = []

        def look(now_ns: int) -> None:
            away = stage.world.robot_pose()[:2] - np.array(person.position[:2])
            gaps.append(float(np.hypot(*away)) - TORSO_M)
            speeds.append((gaps[-1], stage.log[-1].speed))
            touched.extend(
                t.thing for t in stage.world.touches() if t.thing == "person"
            )

        stage.injection.each_tick = look
        at_ns = stage.inject(0.0)
        stage.ask(WALK, 9.0)
        limits = Limits()
        inside = [v for gap, v in speeds if gap < limits.person_slow - 0.1]
        return Case(
            claims={
                "it is named": stage.first("person_distance", at_ns) < 9.0,
                "it slows inside 1.3 m": max(inside, default=0.0)
                <= limits.person_slow_speed + 0.01,
                "it stops before 0.35 m": min(gaps) >= 0.35,
                "it nears": min(gaps) < 1.0,
                "nobody is touched": not touched,
                "the robot stands": stage.is_up,
            }
        )


class _Reacher:
    """Stretches the right hand forward, and does not stop."""

    def __init__(self, _: object) -> None:
        self.name = "reacher"

    def reset(self, goal: Goal) -> None:
        """Nothing belongs to a goal."""

    def act(self, observation: Observation) -> ActionChunk:
        """Forward, 0.2 m/s."""
        actions: Array = np.zeros((STEPS, 12))
        actions[:, 3] = 0.02
        return ActionChunk(
            stamp_ns=observation.stamp_ns, actions=actions, spread=0 * actions
        )


def unseen_contact(seed: int) -> Case:
    """Row 25: a hand pushes against a person whom nobody has seen."""
    r = np.random.default_rng((seed, 26))
    person = ThingConfig(
        name="person", kind="landmark", shape="person",
        position=(float(r.uniform(0.50, 0.56)), -0.2, 0.0),
        half_size=(0.16, 0.24, 0.85), yaw=float(r.uniform(-0.3, 0.3)),
    )  # fmt: skip
    with Stage(seed, things=(person,), inner=_Reacher) as stage:
        forces: list[float] = []

        def feel(now_ns: int) -> None:
            each = [t.force for t in stage.world.touches() if t.thing == "person"]
            forces.append(sum(each))

        stage.injection.each_tick = feel
        stage.inject(0.0)
        stage.ask(WALK, 6.0)
        return Case(
            claims={
                "there is contact": max(forces) > 1.0,
                "force stays under the table": max(forces) <= CHEST_N,
                "the robot stands": stage.is_up,
            }
        )


def _begin_at(stage: Stage, x: float) -> None:
    """Let the fault begin when the robot has come so far [m]."""
    if stage.world.robot_pose()[0] >= x and not stage.injection.holds(
        stage.body.now_ns
    ):
        stage.inject(0.0)


def obstacle_appears(seed: int) -> Case:
    """Row 26: a shelf that nobody knew of is suddenly known, close ahead."""
    shelf = ThingConfig(
        name="shelf", kind="landmark", shape="shelf", position=(1.75, 0.0, 0.0),
        half_size=(0.14, 0.8, 0.75),
    )  # fmt: skip
    gap = float(np.random.default_rng((seed, 28)).uniform(0.35, 0.5))
    with Stage(seed, things=(shelf,)) as stage:
        touched: list[str] = []
        stage.clock.each_tick = lambda: _begin_at(stage, 1.61 - gap)

        def appear(now_ns: int) -> None:
            stage.sees = "truth"
            stage._know()
            touched.extend(t.thing for t in stage.world.touches() if t.thing == "shelf")

        stage.injection.each_tick = appear
        stage.ask(WALK, 7.0)
        at_ns = stage.injection.at_ns
        return Case(
            detected_s=stage.first("scene_distance", at_ns),
            claims={
                "it was on its way": any(e.speed > 0.3 for e in stage.log),
                "nothing is touched": not touched,
                "it comes to rest": max(e.speed for e in stage.log[-25:]) < 0.12,
                "the robot stands": stage.is_up,
            },
        )


def no_way_out(seed: int) -> Case:
    """Row 27: boxes on all sides, nearer than any may be: no step satisfies all."""
    r = np.random.default_rng((seed, 27))
    angles = r.uniform(0, 2 * np.pi) + np.arange(4) * np.pi / 2
    with Stage(seed) as stage:

        def wall_in(now_ns: int) -> None:
            state = stage.body.read()
            away = 0.30  # to the middle of boxes of half 0.2: 0.02 m inside the body
            stage.loop.scene = Scene(
                stamp_ns=state.stamp_ns,
                base_pose=state.base_pose.copy(),
                box_centre=np.stack(
                    [away * np.cos(angles), away * np.sin(angles), np.full(4, 0.8)], 1
                ),
                box_half=np.tile([0.2, 0.2, 0.5], (4, 1)),
                box_yaw=angles,
            )

        stage.injection.each_tick = wall_in
        at_ns = stage.inject(_start(seed))
        stage.ask(WALK, 4.0)
        after = stage.since(at_ns + 300_000_000)  # braking at 3 m/s^2
        forward = [float(np.hypot(*e.vetted.command.base_velocity[:2])) for e in after]
        return Case(
            detected_s=stage.first("scene_distance", at_ns),
            claims={
                "the base stands": max(forward) <= 1e-6,
                "no check failed inside": "internal_error" not in stage.loop.reasons,
                "the robot stands": stage.is_up,
            },
        )


def fence(seed: int) -> Case:
    """Row 30: told to walk out of the fence."""
    radius = float(np.random.default_rng((seed, 30)).uniform(0.8, 1.6))
    with Stage(seed, limits=Limits(fence_radius=radius)) as stage:
        stage.ask(WALK, 7.0)
        out = [float(np.hypot(*e.state.base_pose[:2])) for e in stage.log]
        back = stage.body.now_ns
        stage.ask("walk 1 metre backward", 4.0)
        inward = [e.vetted.command.base_velocity[0] for e in stage.since(back)]
        return Case(
            claims={
                "it is named": stage.loop.reasons["geofence"] > 0
                or any(e.names("geofence") for e in stage.log),
                "no overshoot": max(out) <= radius,
                "it comes near": max(out) > radius - 0.5,
                "inward motion is let through": min(inward) < -0.1,
                "the robot stands": stage.is_up,
            }
        )


ROWS = (
    Row(number=24, fault="a person in the way", expected="person_distance",
        play=person_is_near),
    Row(number=25, fault="contact with a person nobody saw", expected="contact",
        play=unseen_contact),
    Row(number=26, fault="an obstacle appears in the stop zone",
        expected="scene_distance", deadline_s=0.3, play=obstacle_appears),
    Row(number=27, fault="no step satisfies all distances", expected="scene_distance",
        deadline_s=2 * TICK, play=no_way_out),
    Row(number=30, fault="out of the fence", expected="geofence", play=fence),
)  # fmt: skip
