"""What becomes of pushes after an alarm of the lookout, and from when a fall is sure.

    python benchmarks/falls.py --pushes 400

Each push is played with a lookout that only watches. Where it speaks, the same push is
played again with a lookout that asks for HOLD, and with one that asks for SETTLE. Where
the robot fell, moments before it are played on, `REPLAYS` times each, with slightly
other speeds and with other commands: a fall that comes anyway was sure by then, one
that does not could not have been foreseen by anybody. Moments before the push are left
out, and what is left of a push goes on. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from bidden.adapters.sim.gl import choose_gl
from bidden.core.messages import RobotState, Rung

choose_gl()
from bidden.system.watches import FallLookout  # noqa: E402
from bidden.training.safety.falls import TICK_S, Falls  # noqa: E402  # imports mujoco
from bidden.training.safety.rig import Frozen  # noqa: E402

SEED = 760_000
REPLAYS = 8
MOMENTS = (20, 15, 10, 5)  # ticks before the fall
# How far replays start from what was: about what sensors cannot tell
SPEED, TURN, JOINTS = 0.03, 0.05, 0.05  # [m/s], [rad/s] of the pelvis, [rad/s]
ANSWERS = {"nothing": None, "HOLD": Rung.HOLD, "SETTLE": Rung.SETTLE}
LOW = 0.66  # [m] of the pelvis, under which it crouches


@dataclass
class Push:
    """What became of one push when nothing was done."""

    alarm: int = -1  # tick of the first alarm
    fell: int = -1  # tick of the fall
    begun: int = 0  # first tick with the push
    kept: deque[Frozen] = field(default_factory=lambda: deque(maxlen=MOMENTS[0] + 1))


class Pushes:
    """Plays pushes in every way."""

    def __init__(self) -> None:
        self.falls = Falls()

    def is_push(self, seed: int) -> bool:
        """Whether the run of this seed is one."""
        next(self.falls.ticks(seed))
        return self.falls.cause == "push"

    def watched(self, seed: int) -> Push:
        """The run, with a lookout that says nothing to anybody."""
        push, lookout, tick = Push(), FallLookout(), 0
        for tick, state in enumerate(self.falls.ticks(seed)):
            if push.alarm < 0 and lookout.look(state) is not None:
                push.alarm = tick
            push.begun += int(np.isnan(self.falls.change))
            push.kept.append(self.falls.rig.freeze())
        push.fell = tick if self.falls.rig.has_fallen() else -1
        return push

    def answered(self, seed: int, rung: Rung | None) -> str:
        """How the run ends when the lookout is obeyed, or when nobody looks."""
        states = self.falls.ticks(seed)
        next(states)
        if rung is not None:
            self.falls.rig.loop.lookouts = (FallLookout(rung=rung),)
        exhaust(states)
        exhaust(self.falls.rest(np.random.default_rng((seed, 44))))
        if self.falls.rig.has_fallen():
            return "fell"
        w = self.falls.rig.world
        return "crouches" if w.data.qpos[w.base_q + 2] < LOW else "stands"

    def share(self, moment: Frozen, seed: int) -> float:
        """Share of replays from a moment that end in a fall."""
        rig, r = self.falls.rig, np.random.default_rng((seed, 45))
        fell = 0
        for _ in range(REPLAYS):
            rig.thaw(moment)
            v = rig.world.data.qvel
            base, legs = rig.world.base_v, rig.world.v_adr[:15]
            v[base : base + 3] += r.normal(0, SPEED, 3)
            v[base + 3 : base + 6] += r.normal(0, TURN, 3)
            v[legs] += r.normal(0, JOINTS, len(legs))
            exhaust(self.falls.rest(r))
            fell += rig.has_fallen()
        return fell / REPLAYS


def exhaust(states: Iterator[RobotState]) -> None:
    """Play to the end."""
    deque(states, maxlen=0)


@dataclass
class Counts:
    """What was seen so far."""

    ends: dict[str, Counter[str]] = field(
        default_factory=lambda: {name: Counter() for name in ANSWERS}
    )
    together: Counter[str] = field(default_factory=Counter)
    falls: int = 0
    sure: dict[int, list[float]] = field(
        default_factory=lambda: {k: [] for k in MOMENTS}
    )

    def take(self, pushes: Pushes, seed: int) -> None:
        """One more push, in every way."""
        push = pushes.watched(seed)
        if push.fell >= 0:
            self.falls += 1
            for k in MOMENTS:
                if push.fell - k >= push.begun:
                    self.sure[k].append(pushes.share(push.kept[-1 - k], seed))
        if push.alarm >= 0 and not 0 <= push.fell <= push.alarm:
            came = {name: pushes.answered(seed, r) for name, r in ANSWERS.items()}
            for name, end in came.items():
                self.ends[name][end] += 1
            self.together["/".join(came.values())] += 1

    def figures(self) -> dict[str, object]:
        """For the report."""
        sure = {f"{k * TICK_S:.1f}": np.array(v) for k, v in self.sure.items() if v}
        return {
            "falls": self.falls,
            "after_an_alarm": self.ends,
            "/".join(ANSWERS): self.together,
            "seconds_before_the_fall": {
                name: {
                    "pushes_begun": len(shares),
                    "replays_that_fall": round(float(shares.mean()), 3),
                    "falls_of_which_all_do": round(float((shares == 1).mean()), 3),
                    "of_which_half_do": round(float((shares >= 0.5).mean()), 3),
                }
                for name, shares in sure.items()
            },
        }


def main() -> None:
    """Play, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pushes", type=int, default=400)
    parser.add_argument("--seed", type=int, default=SEED)
    a = parser.parse_args()
    pushes, counts, seed, played = Pushes(), Counts(), a.seed, 0
    while played < a.pushes:
        if pushes.is_push(seed):
            played += 1
            counts.take(pushes, seed)
        seed += 1
    report = {"benchmark": "falls", "seeds": [a.seed, seed - 1], "pushes": played}
    print(json.dumps(report | counts.figures()))


if __name__ == "__main__":
    main()
