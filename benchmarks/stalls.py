"""Falls when the policy stalls, dies or talks nonsense while it walks or carries.

    python benchmarks/stalls.py --runs 300

Every run is one order that is being carried out while, at a random moment, the policy's
process hangs, is slow, crashes, ends, or answers NaN, wrong shapes or garbage; for part
of a second, or for good. The answer passes the same code as one from a real process, in
simulated time. After a run a person starts the policy again, resets and arms. Half of
the sessions first pick up a cube and carry it. The last line is one JSON object; limit:
no fall.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter

import numpy as np

from bidden.adapters.sim.gl import choose_gl
from bidden.evaluation.household.report import machine

choose_gl()
from bidden.adapters.sim.scene import ThingConfig  # noqa: E402
from bidden.evaluation.faults.link import NEVER_NS  # noqa: E402
from bidden.evaluation.faults.stage import Stage  # noqa: E402  # imports mujoco

FIRST_SEED = 710_000
RUNS_PER_SESSION = 5
WRONG = (
    "hang", "hang", "slow", "crash", "exit", "nan", "nan", "inf", "shape", "empty",
    "garbage", "frame", "replay",
)  # fmt: skip
ORDERS = (
    "walk 3 metres forward",
    "walk 1 metre backward",
    "walk 1 metre to the left",
    "turn right by 170 degrees",
    "turn left by 90 degrees",
)
TABLE = ThingConfig(
    name="table 1", kind="table", shape="table",
    position=(0.75, 0.0, 0.0), half_size=(0.3, 0.5, 0.39),
)  # fmt: skip
CUBE = ThingConfig(
    name="red cube", kind="object", shape="cube", colour="red",
    position=(0.62, 0.1, 0.78), half_size=(0.0225, 0.0225, 0.0225),
)  # fmt: skip


def play(seed: int, counts: Counter[str], wrongs: Counter[str]) -> None:
    """One session: runs one after the other, until the robot falls."""
    r = np.random.default_rng((seed, 4))
    carrying = seed % 2 == 1
    with Stage(seed, things=(TABLE, CUBE) if carrying else ()) as stage:
        if carrying:
            if stage.ask("pick up the red cube", 25.0) != "done":
                counts["not_picked"] += 1
            stage.ask("turn right by 180 degrees", 10.0)
        for _ in range(RUNS_PER_SESSION):
            before = stage.world.held(0)
            stage.trouble.wrong = str(r.choice(WRONG))  # type: ignore[assignment]
            at_ns = stage.inject(float(r.uniform(0.2, 2.5)))
            if r.random() < 0.4:
                stage.trouble.until_ns = at_ns + int(r.uniform(0.1, 1.0) * 1e9)
            stage.ask(str(r.choice(ORDERS)), 5.5)
            counts["runs"] += 1
            wrongs[stage.trouble.wrong] += 1
            counts["carrying"] += before is not None
            counts["dropped"] += before is not None and stage.world.held(0) is None
            counts["settled"] += stage.settle > 0
            if not stage.is_up:
                counts["falls"] += 1
                print(f"fall: seed {seed}, {stage.trouble.wrong}", file=sys.stderr)
                return
            stage.trouble.until_ns = NEVER_NS
            refused = stage.recover()
            counts["recovery_refused"] += bool(refused)
            if refused:
                print(f"refused: seed {seed}, {', '.join(refused)}", file=sys.stderr)
            stage.loop.run(130)  # rise, and come to rest
        counts["policy_missed"] += sum(stage.policy.counts.values())


def main() -> int:
    """Play; 0 when nothing fell."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=FIRST_SEED)
    args = parser.parse_args()
    counts: Counter[str] = Counter(falls=0)
    wrongs: Counter[str] = Counter()
    seed = args.seed
    while counts["runs"] < args.runs:
        play(seed, counts, wrongs)
        seed += 1
        print(f"{counts['runs']}/{args.runs} runs", file=sys.stderr, flush=True)
    figures = {
        "benchmark": "stalls",
        "within_limits": counts["falls"] == 0,
        **counts,
        "wrong": dict(sorted(wrongs.items())),
        "first_seed": args.seed,
        "sessions": seed - args.seed,
        "machine": machine(),
    }
    print(json.dumps(figures))
    return int(not figures["within_limits"])


if __name__ == "__main__":
    raise SystemExit(main())
