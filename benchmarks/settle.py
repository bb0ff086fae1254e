"""Emergency stops of the simulated G1: does it ever fall, and how low does it get?

    python benchmarks/settle.py --runs 60 --seed 700300

Each run stands, walks, turns, carries up to 0.9 kg, walks with it, or walks and is
pushed just before; then the stop is pressed. 7 s later it is reset, armed, rises, and
walks on. All of it goes through the shield.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass

import numpy as np

from bidden.adapters.sim.g1 import TICK_NS, SimRobot
from bidden.adapters.sim.scene import random_scene
from bidden.adapters.sim.world import World
from bidden.core.messages import Command
from bidden.core.vetted import VettedCommand
from bidden.robot.g1 import READY_ARMS, SIDES
from bidden.safety import Shield

KINDS = ("stand", "walk", "turn", "carry", "carry_walk", "push")
FAR = 30.0  # [m] from the room: nothing but floor
LOW = 0.63  # [m] of the pelvis: it counts as down


@dataclass
class Run:
    """One robot with its shield."""

    world: World
    seed: int

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.kind = KINDS[self.seed % len(KINDS)]
        self.world.reset()
        self.world.place_robot(FAR, FAR, self.rng.uniform(-3, 3))
        self.robot, self.shield = SimRobot(self.world), Shield()
        self.wish, self.arms = np.zeros(3), READY_ARMS.copy()
        self.robot.write(self._judge())
        assert self.shield.arm() == ()

    def _judge(self) -> VettedCommand:
        now = self.robot.now_ns
        command = Command(
            stamp_ns=now, source_ns=now, base_velocity=self.wish, arm_q=self.arms,
            grip=np.zeros(2),
        )  # fmt: skip
        return self.shield.judge(command, self.robot.read(), now_ns=now)[0]

    @property
    def height(self) -> float:
        """Of the pelvis [m]."""
        return float(self.world.data.qpos[self.world.base_q + 2])

    def go(self, seconds: float) -> bool:
        """Run on; False when it has fallen."""
        for _ in range(round(seconds * 50)):
            self.robot.write(self._judge())
            self.robot.clock.sleep_until(self.robot.now_ns + TICK_NS)
            up = self.world.data.xmat[self.world.pelvis][8]
            if not (up > 0.6 and self.height > 0.3):
                return False
        return True

    def prepare(self) -> None:
        """What it does when the stop is pressed."""
        if self.kind in ("walk", "carry_walk", "push"):
            self.wish = self.rng.uniform([-0.5, -0.4, -0.9], [0.8, 0.4, 0.9])
        if self.kind == "turn":
            self.wish[2] = self.rng.choice([-1, 1]) * self.rng.uniform(0.4, 0.9)
        if self.kind.startswith("carry"):
            self.arms += self.rng.uniform(-0.3, 0.3, 14)
            self.arms[[0, 7]] -= self.rng.uniform(0, 1.2)
            hand = self.world.model.body(f"{SIDES[self.rng.integers(2)]}_gripper").id
            self.world.model.body_mass[hand] += self.rng.uniform(0.2, 0.9)

    def play(self) -> dict[str, object]:
        """What came of it."""
        out: dict[str, object] = {"seed": self.seed, "kind": self.kind, "fell": ""}
        self.prepare()
        if not self.go(self.rng.uniform(2.5, 4.5)):
            return out | {"fell": "before the stop"}
        if self.kind == "push":
            v = self.world.base_v
            self.world.data.qvel[v : v + 2] += self.rng.normal(0, 0.3, 2)
        self.shield.press()
        down = 0.0
        for k in range(350):
            if not self.go(0.02):
                return out | {"fell": "settling", "at_s": k * 0.02}
            if not down and self.height < LOW:
                down = (k + 1) * 0.02
        out |= {"height": round(self.height, 3), "down_s": down}
        if self.shield.reset() or self.shield.arm():
            return out | {"fell": "not armed again"}
        self.wish = np.zeros(3)
        if not self.go(3.5):
            return out | {"fell": "rising"}
        self.wish = np.array([0.4, 0.0, 0.0])
        if not self.go(1.5):
            return out | {"fell": "walking on"}
        return out | {"height_after": round(self.height, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=700_300)
    args = parser.parse_args()
    world = World(random_scene(args.seed))
    mass = world.model.body_mass.copy()
    results = []
    for seed in range(args.seed, args.seed + args.runs):
        world.model.body_mass[:] = mass
        results.append(Run(world, seed).play())
        if results[-1]["fell"]:
            print(json.dumps(results[-1]), flush=True)
    height = [float(str(r["height"])) for r in results if "height" in r]
    down = [float(str(r["down_s"])) for r in results if "down_s" in r]
    report = {
        "runs": len(results),
        "falls": sum(bool(r["fell"]) for r in results),
        "height_m": [round(float(np.quantile(height, x)), 3) for x in (0, 0.5, 1)],
        "down_s": [round(float(np.quantile(down, x)), 2) for x in (0, 0.5, 1)],
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
