"""What the shield costs on household tasks: the same episodes with it and without.

    python benchmarks/shield_cost.py --episodes 200 --workers 2 --out runs/shield_cost

Each episode is played with the whole product, and again with a body that gets the
executor's commands as they are: no check, no foresight, no watch is heeded
(`unshielded.py`; in simulation only). Success is judged by the simulator's truth. With
--out, what was played is kept and a later run goes on. The last line is one JSON
object: success of both with 95 % intervals, the difference with its interval (by
drawing the pairs again), falls, and ticks with a joint out of its range.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import cast

import msgspec
import numpy as np
from unshielded import OpenBody, OpenExecutor, SilentShield  # beside this file

from bidden.evaluation.household.episode import (
    Episode,
    EpisodeRecord,
    HouseSession,
    open_house,
    play,
)
from bidden.evaluation.household.report import machine
from bidden.evaluation.household.suite import SuiteConfig, play_all
from bidden.evaluation.statistics import wilson
from bidden.safety import Shield
from bidden.system.events import Listener

DRAWS = 10_000
MODES = ("on", "off")


def open_unshielded(episode: Episode, on_event: Listener) -> HouseSession:
    """The session of an episode, without a shield."""
    session = open_house(episode, on_event)
    loop = session.orchestrator.loop  # type: ignore[attr-defined]
    loop.executor = OpenExecutor()
    loop.robot = OpenBody(session.robot, loop.executor)  # type: ignore[attr-defined]
    loop.shield = cast(Shield, SilentShield(loop.shield))
    return session


def play_so(episode: Episode, *, mode: str) -> EpisodeRecord:
    """Play with the shield or without."""
    if mode == "on":
        return play(episode)
    return play(episode, open_session=open_unshielded)


def play_both(config: SuiteConfig, out: Path | None) -> dict[str, list[EpisodeRecord]]:
    """All episodes in both ways; those that are filed are read."""
    found = {}
    for mode in MODES:
        path = out / f"{mode}.jsonl" if out else None
        done: dict[int, EpisodeRecord] = {}
        if path and path.exists():
            lines = path.read_bytes().splitlines()
            records = [msgspec.json.decode(line, type=EpisodeRecord) for line in lines]
            done = {record.seed: record for record in records}
        left = [e for e in config.plan() if e.seed not in done]
        work = partial(play_so, mode=mode)
        for record in play_all(left, workers=config.workers, play_one=work):
            done[record.seed] = record
            if path:
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("ab") as file:
                    file.write(msgspec.json.encode(record) + b"\n")
            sys.stderr.write(f"{mode}: {len(done)} of {config.episodes}\n")
        found[mode] = [done[e.seed] for e in config.plan()]
    return found


def figures_of(records: list[EpisodeRecord]) -> dict[str, object]:
    """What came of the episodes in one way."""
    done = sum(r.success for r in records)
    causes = sorted({r.cause for r in records if not r.success})
    return {
        "success": round(done / len(records), 4),
        "interval": [round(v, 4) for v in wilson(done, len(records))],
        "falls": sum(r.falls for r in records),
        "joint_out_of_range_ticks": sum(r.violations for r in records),
        "causes": {
            c: sum(r.cause == c and not r.success for r in records) for c in causes
        },
    }


def main() -> int:
    """Play and compare; 0 when the shield costs no more than 2 points."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--split", default="seen")
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=SuiteConfig().seed)
    parser.add_argument("--workers", type=int, default=1, help="processes (default 1)")
    parser.add_argument("--out", type=Path, help="folder; a later run goes on there")
    args = parser.parse_args()
    config = SuiteConfig(
        split=args.split, episodes=args.episodes, seed=args.seed, workers=args.workers
    )
    found = play_both(config, args.out)
    gained = np.array([r.success for r in found["on"]], float)
    gained -= np.array([r.success for r in found["off"]], float)
    draws = np.random.default_rng(0).choice(gained, (DRAWS, len(gained))).mean(axis=1)
    cost = 0.0 - float(gained.mean())
    print(
        json.dumps(
            {
                "benchmark": "shield_cost",
                "within_limits": cost <= 0.02,
                "split": config.split,
                "episodes": config.episodes,
                "seed": config.seed,
                **{mode: figures_of(found[mode]) for mode in MODES},
                "cost": round(cost, 4),
                "cost_interval": [
                    round(0.0 - float(v), 4) for v in np.quantile(draws, (0.975, 0.025))
                ],
                "done_only_with_it": int((gained > 0).sum()),
                "done_only_without_it": int((gained < 0).sum()),
                "machine": machine(),
            }
        )
    )
    return int(cost > 0.02)


if __name__ == "__main__":
    raise SystemExit(main())
