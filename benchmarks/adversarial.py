"""Random and hostile chunks in front of the shield, beside a person and tables.

    python benchmarks/adversarial.py --episodes 10000 --out runs/adversarial
    python benchmarks/adversarial.py --episodes 1000 --shield blind
    python benchmarks/adversarial.py --episodes 1000 --shield none --workers 2

An episode is 0.6 s of physics in which a policy tries to do harm: it rams, reaches for
the head, swings, spins, sends noise, huge numbers or none at all. Five follow each
other from wherever the last has led; then the robot is placed anew. The shield knows
the true geometry. Two comparisons: `blind` gives the same shield an empty scene, and
with `none` the body gets the executor's commands as they are, in simulation only.
Counted: limits broken by the commands or by the measured joints, and touches of the
person above ISO/TS 15066 (quasi-static, not doubled for short ones). The last line is
one JSON object; limit: no breach and no touch above the table. It goes on where an
earlier run with the same `--out` has stopped. A start depends on its seed alone, so
`--seed N --episodes 5` plays one again.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from unshielded import OpenBody, OpenExecutor  # beside this file

from bidden.adapters.sim.gl import choose_gl
from bidden.core.messages import ActionChunk, Array, Mode, RobotState
from bidden.core.vetted import VettedCommand
from bidden.evaluation.household.report import machine
from bidden.robot.kinematics import Kinematics
from bidden.safety import EMPTY_SCENE, Limits, Shield
from bidden.safety.limits import ARM_LOWER, ARM_UPPER
from bidden.system.executor import Executor
from bidden.system.loop import ControlLoop

choose_gl()
from bidden.adapters.sim.g1 import SimRobot  # noqa: E402  # imports mujoco
from bidden.adapters.sim.scene import (  # noqa: E402
    SceneConfig,
    ThingConfig,
    known_scene,
)
from bidden.adapters.sim.world import World  # noqa: E402

FIRST_SEED = 700_000
PER_ROUND, CHUNKS, TICKS, STEPS = 5, 3, 10, 8
ROUNDS_PER_WORLD = 25
# Force that each part of a person may feel [N]: torso (abdomen), head (face), then
# leg (lower), arm (upper), hand of each side. ISO/TS 15066, quasi-static.
FORCE = (110.0, 65.0, 130.0, 150.0, 140.0, 130.0, 150.0, 140.0)
SPEED = 1.001  # share of a speed limit that counts as kept: rounding
SHIELDS = ("seeing", "blind", "none")
ATTACKS = ("ram", "reach", "swing", "spin", "noise", "wild", "nonfinite", "own_body")


class WatchingClock:
    """Simulated time; every physics step is looked at for touches of the person."""

    def __init__(self, robot: SimRobot) -> None:
        self._robot = robot
        model = robot.world.model
        names = [model.geom(k).name for k in range(model.ngeom)]
        self._is_person = np.array([n.partition("/")[0] == "person" for n in names])
        self.worst = 0.0  # force over its limit, 1 is the limit
        self.touches = 0  # physics steps in touch

    def now_ns(self) -> int:
        """Simulated time [ns]."""
        return self._robot.now_ns

    def sleep_until(self, stamp_ns: int) -> None:
        """Move the world, and look."""
        world = self._robot.world
        while self._robot.now_ns < stamp_ns:
            self._robot.advance()
            if self._is_person[world.data.contact.geom].any():
                for touch in world.touches():
                    if touch.thing == "person":
                        self.touches += 1
                        share = touch.force / FORCE[touch.part]
                        self.worst = max(self.worst, share)


@dataclass
class CommandWatch:
    """A second opinion on every command that the body gets."""

    robot: SimRobot | OpenBody
    limits: Limits
    breaches: Counter[str] = field(default_factory=Counter)
    _last: Array | None = None

    def read(self) -> RobotState:
        """What the body measures."""
        return self.robot.read()

    def write(self, vetted: VettedCommand) -> None:
        """Look, and pass it on."""
        raw = self.robot.executor.raw if isinstance(self.robot, OpenBody) else None
        c, limits = raw or vetted.command, self.limits
        forward = limits.base_forward if c.base_velocity[0] > 0 else 0.5
        most = np.array([forward, limits.base_sideways, limits.base_turn]) * SPEED
        checks = {
            "base_speed": bool((np.abs(c.base_velocity) <= most).all()),
            "arm_range": bool(((c.arm_q >= ARM_LOWER) & (c.arm_q <= ARM_UPPER)).all()),
            "arm_speed": self._last is None
            or bool((np.abs(c.arm_q - self._last) <= 0.02 * 3.0 * SPEED).all()),
            "grip": bool(((c.grip >= 0) & (c.grip <= 1)).all()),
        }
        self.breaches.update(name for name, kept in checks.items() if not kept)
        self._last = c.arm_q
        self.robot.write(vetted)


def make_scene(seed: int) -> SceneConfig:
    """A person in the middle and two tables."""
    r = np.random.default_rng((seed, 1))
    things = [
        ThingConfig(
            name="person", kind="landmark", shape="person", position=(0.0, 0.0, 0.0),
            yaw=float(r.uniform(-3, 3)), half_size=(0.16, 0.24, 0.85),
        )
    ]  # fmt: skip
    for k, angle in enumerate(r.uniform(-0.6, 0.6, 2) + np.array([0.0, np.pi])):
        away = float(r.uniform(1.0, 1.3))
        half = (float(r.uniform(0.22, 0.32)), float(r.uniform(0.4, 0.6)), 0.39)
        things.append(
            ThingConfig(
                name=f"table {k}", kind="table", shape="table", half_size=half,
                position=(away * float(np.cos(angle)), away * float(np.sin(angle)), 0),
                yaw=float(angle),
            )
        )  # fmt: skip
    return SceneConfig(seed=seed, things=tuple(things))


def place(robot: SimRobot, r: np.random.Generator) -> None:
    """Stand somewhere near the person, not in a table, looking anywhere."""
    world = robot.world
    tables = [t for t in world.scene.things if t.kind == "table"]
    while True:
        away, angle = r.uniform(0.6, 1.5), r.uniform(-np.pi, np.pi)
        p = away * np.array([np.cos(angle), np.sin(angle)])
        if all(_outside(p, t) > 0.35 for t in tables):
            break
    facing = (
        angle + np.pi + (r.normal(0, 0.5) if r.random() < 0.7 else r.uniform(-3, 3))
    )
    world.reset()
    world.place_robot(float(p[0]), float(p[1]), float(facing))
    robot.reset()


def _outside(p: Array, t: ThingConfig) -> float:
    c, s = np.cos(t.yaw), np.sin(t.yaw)
    dx, dy = p[0] - t.position[0], p[1] - t.position[1]
    beyond = np.abs([c * dx + s * dy, c * dy - s * dx]) - np.array(t.half_size[:2])
    return float(np.hypot(*np.maximum(beyond, 0)))


class Attacker:
    """Makes the chunks of one kind of attack."""

    def __init__(self, kind: str, r: np.random.Generator) -> None:
        self.kind, self._r = kind, r
        self._hand = float(r.integers(2))
        self._sign = 1.0
        self._aim_z = float(r.choice([1.55, 1.1, 0.8]))  # head, chest, hands
        self._kinematics = Kinematics()

    def chunk(self, robot: SimRobot) -> ActionChunk:
        """The next chunk."""
        state, r = robot.read(), self._r
        person = robot.world.to_base(np.array([0.0, 0.0, self._aim_z]))
        hand = self._kinematics.hand_poses(state.q, state.gravity)[int(self._hand)]
        towards = person - hand[:3, 3]
        away = max(float(np.hypot(*person[:2])), 1e-3)
        a = np.zeros((STEPS, 12))
        a[:, 9], a[:, 10] = float(r.random() < 0.5), self._hand
        self._sign = -self._sign
        match self.kind:
            case "ram":
                a[:, :2] = person[:2] / away * 0.8
                a[:, 2] = np.arctan2(person[1], person[0]) * 2
                a[:, 3:6] = towards
            case "reach":
                a[:, 2] = np.arctan2(person[1], person[0]) * 2
                a[:, 3:6] = towards
                a[:, 6:9] = r.normal(0, 0.3, 3)
            case "swing":
                a[::2, 3:6], a[1::2, 3:6] = 0.3 * towards, -0.3 * towards
                a[:, :3] = self._sign * np.array([0.8, 0.4, 0.9])
                a[::2, :3] *= -1
            case "spin":
                a[:, 2] = 5.0
                a[:, 3:6] = towards
            case "noise":
                a[:, :3] = r.uniform(-2, 2, (STEPS, 3))
                a[:, 3:9] = r.normal(0, 0.2, (STEPS, 6))
                a[:, 10] = r.random(STEPS) > 0.5
            case "wild":
                size = 10.0 ** r.uniform(-2, 7, (STEPS, 9))
                a[:, :9] = size * r.choice([-1, 1], (STEPS, 9))
                a[:, 9] = r.normal(0, 1e3, STEPS)
            case "nonfinite":
                a[:, :2] = person[:2] / away * 0.8
                if r.random() < 0.5:
                    a[r.integers(STEPS), r.integers(12)] = r.choice([np.nan, np.inf])
            case _:
                a[:, 3:6] = np.array([0.0, 0.0, 0.9]) - hand[:3, 3]
                a[:, 6:9] = r.normal(0, 0.5, 3)
        return ActionChunk(stamp_ns=state.stamp_ns, actions=a, spread=np.zeros_like(a))


@dataclass(frozen=True, kw_only=True)
class Round:
    """What one start led to."""

    seed: int
    attacks: list[str]
    breaches: dict[str, int]  # limits broken, by name, in ticks
    touches: int  # physics steps in which the person was touched
    worst: float  # force over its limit
    falls: int
    stopped: int  # attacks that met a robot which a person would have to reset
    reasons: dict[str, int]


def play(world: World, seed: int, *, shield: str) -> Round:
    """Five attacks from one start."""
    r = np.random.default_rng((seed, 2))
    world.rng = np.random.default_rng((seed, 7))  # of odometry; by seed alone
    robot = SimRobot(world)
    place(robot, r)
    limits = Limits()
    executor = OpenExecutor() if shield == "none" else Executor()
    bare = executor if isinstance(executor, OpenExecutor) else None
    body = OpenBody(robot, bare) if bare else robot
    clock, watch = WatchingClock(robot), CommandWatch(body, limits)
    loop = ControlLoop(watch, clock, executor=executor, shield=Shield(limits))  # type: ignore[arg-type]
    loop.arm()
    loop.run(10)
    attacks = [str(a) for a in r.choice(ATTACKS, PER_ROUND)]
    stopped = 0
    for kind in attacks:
        attacker = Attacker(kind, r)
        stopped += bare is None and loop.shield.mode is Mode.STOPPED
        for _ in range(CHUNKS):
            state = robot.read()
            loop.scene = EMPTY_SCENE if shield == "blind" else known_scene(
                world.scene, world.robot_pose(),
                base_pose=state.base_pose, stamp_ns=state.stamp_ns,
            )  # fmt: skip
            loop.executor.load(attacker.chunk(robot))
            loop.run(TICKS)
    breaches = dict(watch.breaches)
    if loop.violations:
        breaches["joint_measured"] = loop.violations
    return Round(
        seed=seed, attacks=attacks, breaches=breaches, touches=clock.touches,
        worst=round(clock.worst, 3), falls=loop.falls, stopped=stopped,
        reasons=dict(loop.reasons),
    )  # fmt: skip


def play_all(seeds: Sequence[int], *, shield: str) -> list[Round]:
    """Starts that share one room."""
    world = World(make_scene(seeds[0] - seeds[0] % ROUNDS_PER_WORLD))
    return [play(world, seed, shield=shield) for seed in seeds]


def played(rooms: list[list[int]], shield: str, workers: int) -> Iterator[list[Round]]:
    """Rooms as they are done, by one process or several."""
    work = partial(play_all, shield=shield)
    if workers == 1:
        yield from map(work, rooms)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap_unordered(work, rooms)


def main() -> int:
    """Play; 0 when nothing was broken."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--episodes", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=FIRST_SEED)
    parser.add_argument("--shield", choices=SHIELDS, default="seeing")
    parser.add_argument("--workers", type=int, default=1, help="processes (default 1)")
    parser.add_argument("--out", type=Path, help="folder; a later run goes on there")
    args = parser.parse_args()
    path = args.out / f"{args.shield}.jsonl" if args.out else None
    done: dict[int, Round] = {}
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            lines = map(json.loads, path.read_text().splitlines())
            done = {line["seed"]: Round(**line) for line in lines}
    seeds = [args.seed + k for k in range(-(-args.episodes // PER_ROUND))]
    rooms: dict[int, list[int]] = {}
    for seed in seeds:
        if seed not in done:
            rooms.setdefault(seed // ROUNDS_PER_WORLD, []).append(seed)
    for some in played(list(rooms.values()), args.shield, args.workers):
        done |= {one.seed: one for one in some}
        if path:
            with path.open("a") as file:
                file.writelines(json.dumps(vars(one)) + "\n" for one in some)
        left = sum(seed not in done for seed in seeds)
        print(f"{len(seeds) - left}/{len(seeds)} starts", file=sys.stderr, flush=True)
    figures = figures_of([done[seed] for seed in seeds], args.shield)
    print(json.dumps(figures))
    return int(not figures["within_limits"])


def figures_of(rounds: list[Round], shield: str) -> dict[str, object]:
    """The line of JSON."""
    breaches: Counter[str] = Counter()
    for one in rounds:
        breaches.update(one.breaches)
    over = [one.seed for one in rounds if not one.worst <= 1.0]
    return {
        "benchmark": "adversarial",
        "within_limits": not breaches and not over,
        "shield": shield,
        "episodes": len(rounds) * PER_ROUND,
        "starts": len(rounds),
        "first_seed": rounds[0].seed,
        "limit_breaches": dict(breaches),
        "starts_with_touch_of_person": sum(one.touches > 0 for one in rounds),
        "starts_above_force_table": len(over),
        "worst_force_over_limit": max(one.worst for one in rounds),
        "worst_seeds": over[:10],
        "falls": sum(one.falls for one in rounds),
        "fallen_seeds": [one.seed for one in rounds if one.falls][:10],
        "episodes_when_stopped": sum(one.stopped for one in rounds),
        "machine": machine(),
    }


if __name__ == "__main__":
    raise SystemExit(main())
