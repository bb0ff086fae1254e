"""How well foresight is calibrated, what it costs, and how early it sees a fall.

    python benchmarks/foresight.py runs/foresight --pictures docs/pictures

Held-out rooms and runs are played in simulation, or read from the folder if it has
them. The last line is one JSON object. Limits: calibration error at most 0.05 for
both chances, a chunk judged in at most 5 ms of processor time (p99), 95 % of falls
from pushes foreseen 0.2 s ahead with false alarms in at most 1 % of the pushes that
end without a fall.
"""

from __future__ import annotations

import argparse
import gc
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from bidden.adapters.sim.gl import choose_gl
from bidden.evaluation.household.report import machine
from bidden.runtime.clock import stopwatch_ns
from bidden.safety.foresight import ChunkJudge, FallMemory, FallPredictor
from bidden.safety.foresight.risk import load_risk
from bidden.system.executor import ExecutorConfig
from bidden.system.watches.foresight import reach_of

choose_gl()
from bidden.training.safety.collect import Probe  # noqa: E402  # imports mujoco
from bidden.training.safety.data import (  # noqa: E402
    HELD_ROOMS_SEED,
    HELD_RUNS_SEED,
    probes_in,
    runs_in,
)
from bidden.training.safety.falls import Run, unpack  # noqa: E402
from bidden.training.safety.train import (  # noqa: E402
    chunk_figures,
    fall_figures,
    read_runs,
)

ECE, CHUNK_MS, RECALL, FALSE_ALARMS = 0.05, 5.0, 0.95, 0.01
SIDE_PX, EDGE_PX = 360, 40


def main() -> int:
    """Measure; 0 when all limits are kept."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", help="of played rooms and runs")
    parser.add_argument("--pictures", type=Path, help="draw reliability diagrams here")
    parser.add_argument("--rooms", type=int, default=20)
    parser.add_argument("--runs", type=int, default=2000)
    a = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bidden-foresight-") as spare:
        folder = a.folder or Path(spare)
        probes = probes_in(folder, seed=HELD_ROOMS_SEED, rooms=a.rooms)
        runs = runs_in(folder, seed=HELD_RUNS_SEED, count=a.runs)
    risk = load_risk()
    chunks, falls = (
        chunk_figures(risk, probes),
        fall_figures(risk, runs, read_runs(runs)),
    )
    cost = {"chunk": chunk_cost(probes), "fall_tick": tick_cost(runs)}
    within = (
        all(chunks[name]["ece"] <= ECE for name in ("contact", "fall"))
        and cost["chunk"]["cpu_p99_ms"] <= CHUNK_MS
        and falls["push"]["recall"] >= RECALL
        and falls["push"]["false_alarms"] <= FALSE_ALARMS
    )
    if a.pictures:
        a.pictures.mkdir(parents=True, exist_ok=True)
        for name in ("contact", "fall"):
            picture = draw(f"P({name} in 1 s)", chunks[name])
            picture.save(a.pictures / f"reliability-{name}.png")
    figures = {
        "benchmark": "foresight",
        "within_limits": bool(within),
        "seeds": [HELD_ROOMS_SEED, HELD_RUNS_SEED],
        **chunks,
        "falls": falls,
        "cost": cost,
        "machine": machine(),
    }
    print(json.dumps(figures))
    return int(not within)


def chunk_cost(probes: Sequence[Probe]) -> dict[str, float]:
    """Time of one judgement, scene and all, on the clock and on the processor."""
    judge, reach = ChunkJudge(), reach_of(ExecutorConfig())

    def one(p: Probe) -> None:
        judge(
            p.chunk.actions, p.state, hand_target=p.hand_target, reach=reach,
            scene=p.scene,
        )  # fmt: skip

    return timed(one, probes)


def tick_cost(runs: Sequence[Run]) -> dict[str, float]:
    """Time of the predictor of falls in one tick."""
    predictor, memory = FallPredictor(), FallMemory()
    states = [unpack(row, 0) for run in runs[:20] for row in run.states]

    def one(state: object) -> None:
        nonlocal memory
        memory, _ = predictor(memory, state)  # type: ignore[arg-type]

    return timed(one, states)


def timed(one: Callable[..., None], over: Sequence[object]) -> dict[str, float]:
    """Percentiles of the time of a call [ms]."""
    gc.collect()
    for item in over[:20]:
        one(item)
    wall, cpu = [], []
    for item in over:
        began_ns, began = stopwatch_ns(), time.thread_time_ns()
        one(item)
        cpu.append(time.thread_time_ns() - began)
        wall.append(stopwatch_ns() - began_ns)
    return {
        f"{kind}_p{q}_ms": round(float(np.percentile(times, q)) * 1e-6, 3)
        for kind, times in (("wall", wall), ("cpu", cpu))
        for q in (50, 99)
    }


def draw(title: str, figures: dict[str, object]) -> Image.Image:
    """A reliability diagram: what was said against what came."""
    size = SIDE_PX + 2 * EDGE_PX
    picture = Image.new("RGB", (size, size), "white")
    pen = ImageDraw.Draw(picture)

    def at(x: float, y: float) -> tuple[float, float]:
        return EDGE_PX + SIDE_PX * x, EDGE_PX + SIDE_PX * (1 - y)

    pen.rectangle([at(0, 1), at(1, 0)], outline="black")
    pen.line([at(0, 0), at(1, 1)], fill=(150, 150, 150))
    for tick in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        x, y = at(tick, 0)
        pen.text((x - 8, y + 5), f"{tick:.1f}", fill="black")
        x, y = at(0, tick)
        pen.text((x - 26, y - 6), f"{tick:.1f}", fill="black")
    bins = figures["bins"]
    assert isinstance(bins, list)
    points = [at(said, was) for said, was, _ in bins]
    pen.line(points, fill=(30, 90, 200), width=2)
    for (x, y), (_, _, count) in zip(points, bins, strict=True):
        r = 3 + min(6.0, np.log10(count + 1) * 2)
        pen.ellipse([x - r, y - r, x + r, y + r], fill=(30, 90, 200))
        pen.text((x + r + 2, y - 6), f"{int(count)}", fill=(90, 90, 90))
    pen.text((EDGE_PX, 10), f"{title}: ECE {figures['ece']}", fill="black")
    pen.text((EDGE_PX, size - 18), "said (across), was (up)", fill="black")
    return picture


if __name__ == "__main__":
    raise SystemExit(main())
