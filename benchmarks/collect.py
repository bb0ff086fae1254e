"""How fast data is collected with the cameras on: simulated seconds per core second.

    python benchmarks/collect.py --seconds 120

The expert plays goals through the whole control loop (executor, shield, body) while
the head camera takes colour and depth at 5 Hz and both wrists a picture at 1 Hz.
Compiling the rooms is counted too. The last line is one JSON object. A core second is
processor time over all threads, so that a busy machine does not look slow; limit: 8.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import sys
import time
from collections import Counter

import numpy as np

from bidden.adapters.sim.gl import choose_gl
from bidden.core.messages import Goal, Image, Observation, Skill
from bidden.core.ports import Camera
from bidden.evaluation.household.report import machine
from bidden.runtime.clock import stopwatch_ns
from bidden.safety import Shield
from bidden.system.executor import Executor
from bidden.system.loop import ControlLoop

GL = choose_gl()
from bidden.adapters.sim.g1 import SimRobot, cameras  # noqa: E402  # imports mujoco
from bidden.adapters.sim.policies import ExpertPolicy  # noqa: E402
from bidden.adapters.sim.scene import random_scene  # noqa: E402
from bidden.adapters.sim.world import World  # noqa: E402

FIRST_SEED = 50_000
TICKS_PER_CHUNK = 10  # 5 Hz
WRISTS_EVERY = 5  # chunks: 1 Hz
GOAL_S = 25.0  # [s] after which a goal is left
LIMIT = 8.0  # simulated seconds per core second


class Collector:
    """Plays scene after scene and counts what it got."""

    def __init__(self) -> None:
        self.sim_s = 0.0
        self.counts: Counter[str] = Counter()

    def play(self, seed: int) -> None:
        """Walk to something, pick something up and put it somewhere."""
        world = World(random_scene(seed))
        robot = SimRobot(world)
        loop = ControlLoop(robot, robot.clock, executor=Executor(), shield=Shield())
        eyes, policy = cameras(robot), ExpertPolicy(world)
        loop.arm()
        loop.run(25)
        for goal in self._goals(world, seed):
            self._pursue(goal, loop, eyes=eyes, policy=policy)
        self.sim_s += robot.now_ns * 1e-9
        self.counts["episodes"] += 1
        self.counts["falls"] += loop.falls
        world.close()

    def _goals(self, world: World, seed: int) -> list[Goal]:
        r, truth = np.random.default_rng(seed), world.truth().values()
        goals = []
        for skill, role in (
            (Skill.WALK_TO, "landmark"),
            (Skill.PICK, "object"),
            (Skill.PUT, "receptacle"),
        ):
            names = [t.name for t in truth if t.kind == role]
            if names:
                name = names[int(r.integers(len(names)))]
                goals.append(Goal(skill=skill, instruction="", phrases={role: name}))
        return goals

    def _pursue(
        self,
        goal: Goal,
        loop: ControlLoop,
        *,
        eyes: dict[str, Camera],
        policy: ExpertPolicy,
    ) -> None:
        policy.reset(goal)
        began, start = loop.clock.now_ns(), loop.robot.read().base_pose
        done = 0
        while done < 3 and loop.clock.now_ns() - began < GOAL_S * 1e9:
            wrists = self.counts["chunks"] % WRISTS_EVERY == 0
            images: dict[str, Image] = {
                name: eye.read() for name, eye in eyes.items()
                if wrists or name == "head"
            }  # fmt: skip
            chunk = policy.act(
                Observation(
                    stamp_ns=loop.clock.now_ns(),
                    state=loop.robot.read(),
                    images=images,
                    goal=goal,
                    started_ns=began,
                    start_pose=start,
                    hand_target=loop.executor.hand_target.copy(),
                    grip_command=loop.executor.grip.copy(),
                )
            )
            done = done + 1 if chunk.actions[0, 11] > 0.5 else 0
            loop.executor.load(chunk)
            loop.run(TICKS_PER_CHUNK)
            self.counts["chunks"] += 1
            self.counts["pictures"] += len(images)
        self.counts["goals"] += 1
        self.counts["done"] += done >= 3


def main() -> int:
    """Collect for a while; 0 when it was fast enough."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seconds", type=float, default=120.0, help="simulated")
    parser.add_argument("--profile", action="store_true", help="where the time goes")
    a = parser.parse_args()
    Collector().play(FIRST_SEED - 1)  # imports, caches
    collector, profile = Collector(), cProfile.Profile(time.process_time)
    wall, core = stopwatch_ns(), time.process_time_ns()
    if a.profile:
        profile.enable()
    while collector.sim_s < a.seconds:
        collector.play(FIRST_SEED + collector.counts["episodes"])
    if a.profile:
        profile.disable()
        pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(30)
    wall_s, core_s = (
        (stopwatch_ns() - wall) * 1e-9,
        (time.process_time_ns() - core) * 1e-9,
    )
    within = collector.sim_s / core_s >= LIMIT
    figures = {
        "benchmark": "collect",
        "within_limits": within,
        "per_core_s": round(collector.sim_s / core_s, 2),
        "per_wall_s": round(collector.sim_s / wall_s, 2),
        "limit_per_core_s": LIMIT,
        "sim_s": round(collector.sim_s, 1),
        **collector.counts,
        "gl": GL,
        "profiled": a.profile,
        "machine": machine(),
    }
    print(json.dumps(figures))
    return int(not within)


if __name__ == "__main__":
    raise SystemExit(main())
