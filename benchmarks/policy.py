"""One policy step on one core: preprocessing, vision, fusion; language cached.

Prints one JSON line. Beside the times stands what the core can do at best (a matrix
product in numpy), so that figures of different machines can be compared.

    .venv/bin/python benchmarks/policy.py
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from typing import get_args

import numpy as np

from bidden.brain.models import Precision
from bidden.brain.models.contract import weights_path
from bidden.brain.models.session import Session
from bidden.brain.perception import VisionPipeline
from bidden.core.messages import Array, Image
from bidden.runtime.clock import stopwatch_ns

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
PHRASES = {"object": "red cube", "receptacle": "blue bowl", "landmark": "door"}


def peak_gflops(n: int = 1024, *, repeats: int = 12) -> float:
    """Best rate of a float32 matrix product on one core [GFLOP/s]."""
    r = np.random.default_rng(0)
    a, b = r.random((2, n, n), dtype=np.float32)
    best = min(_time_ms(lambda: a @ b) for _ in range(repeats))
    return 2e-6 * n**3 / best


def _time_ms(call: Callable[[], object]) -> float:
    began = stopwatch_ns()
    call()
    return (stopwatch_ns() - began) * 1e-6


def example_image() -> Image:
    """A noisy table in front of the camera."""
    r = np.random.default_rng(0)
    pitch = np.deg2rad(40)
    s, c = np.sin(pitch), np.cos(pitch)
    X_BC = np.eye(4)
    X_BC[:3, :3] = np.array([[0, -s, c], [-1, 0, 0], [0, -c, -s]])
    X_BC[:3, 3] = [0.07, 0, 1.2]
    f = 160 / np.tan(np.deg2rad(37.5))
    return Image(
        stamp_ns=0,
        camera="head",
        rgb=r.integers(0, 255, (320, 320, 3), dtype=np.uint8),
        depth=r.uniform(0.6, 0.9, (320, 320)).astype(np.float32),
        K=np.array([[f, 0, 160], [0, f, 160], [0, 0, 1]]),
        X_BC=X_BC,
    )


def measure(precision: Precision, *, phrases: int, steps: int) -> Array:
    """Wall time of each step [ms], after ten to warm up."""
    r = np.random.default_rng(1)
    tokens = r.standard_normal((16, 384)).astype(np.float32)
    mask = np.ones(16, np.float32)
    pipeline = VisionPipeline(
        Session.load(weights_path("vision", precision)),
        Session.load(weights_path("fusion", precision)),
        lambda phrase: (tokens, mask),
    )
    image, asked = example_image(), dict(list(PHRASES.items())[:phrases])
    times = [_time_ms(lambda: pipeline.look(image, asked)) for _ in range(steps + 10)]
    return np.array(times[10:])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=300)
    steps = parser.parse_args().steps
    result: dict[str, float | str] = {"benchmark": "policy", "core_gflops": 0.0}
    for precision in get_args(Precision):
        for phrases in (1, 2, 3):
            ms = measure(precision, phrases=phrases, steps=steps)
            name = f"{precision}_{phrases}"
            result[f"{name}_p50_ms"] = round(float(np.median(ms)), 2)
            result[f"{name}_p99_ms"] = round(float(np.quantile(ms, 0.99)), 2)
    result["core_gflops"] = round(peak_gflops(), 1)
    print(json.dumps(result))


if __name__ == "__main__":
    if os.environ.get("OMP_NUM_THREADS") != "1":  # numpy reads it when it is loaded
        os.environ |= dict.fromkeys(_THREADS, "1")
        os.execv(sys.executable, [sys.executable, *sys.argv])
    main()
