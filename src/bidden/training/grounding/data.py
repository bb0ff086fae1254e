"""The data that grounding learns from: `python -m bidden.training.grounding.data`.

A shard is one `.npz` of the pictures of `SCENES_PER_SHARD` scenes; N pictures, up to
`MAX_THINGS` things each:

    rgb      (N, 320, 320, 3) uint8
    depth    (N, 320, 320) uint16, tenths of a millimetre, without noise
    X_BC     (N, 4, 4) float32, camera pose as the robot believes it
    near     (N,) bool, taken at a table
    kind     (N, M) int8, index into KINDS, -1 no thing
    colour   (N, M) int8, index into COLOUR_NAMES, NO_COLOUR for landmarks
    p_C      (N, M, 3) float32, point in the true camera frame [m]
    p_B      (N, M, 3) float32, point in the base frame [m]
    visible  (N, M) float32, share of the thing that can be seen
    held     (N, M) bool

Shards that exist are kept, so a killed run goes on where it stopped.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from bidden.adapters.sim.scene import FIRST_EVALUATION_SEED
from bidden.core.errors import ConfigError, RecordingError

from .phrases import KINDS, colour_number

SCENES_PER_SHARD = 8
VIEWS_PER_SCENE = 20
MAX_THINGS = 16
NEAR_SHARE = 0.55


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shard:
    """The arrays of one shard; see the module's text."""

    rgb: NDArray[np.uint8]
    depth: NDArray[np.uint16]
    X_BC: NDArray[np.float32]
    near: NDArray[np.bool_]
    kind: NDArray[np.int8]
    colour: NDArray[np.int8]
    p_C: NDArray[np.float32]
    p_B: NDArray[np.float32]
    visible: NDArray[np.float32]
    held: NDArray[np.bool_]

    def save(self, path: Path) -> None:
        """Write whole or not at all."""
        part = path.with_suffix(f".part{os.getpid()}.npz")
        np.savez(part, **{f.name: getattr(self, f.name) for f in fields(self)})
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read one shard.

        Raises:
            RecordingError: the file is missing, truncated or of another make.
        """
        try:
            with path.open("rb") as raw, np.load(raw) as file:
                return cls(**{f.name: file[f.name] for f in fields(cls)})
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise RecordingError(
                f"shard '{path}': {error}; delete it and rerun"
            ) from error


def make_shard(seeds: list[int], path: Path) -> int:
    """Take and save the pictures of some scenes; how many there are."""
    from bidden.adapters.sim.gl import choose_gl

    choose_gl()
    from bidden.adapters.sim.studio import Studio, View

    views: list[View] = []
    for seed in seeds:
        studio = Studio(seed)
        r = np.random.default_rng((seed, 77))
        views += [
            studio.take(near=bool(r.random() < NEAR_SHARE))
            for _ in range(VIEWS_PER_SCENE)
        ]
        studio.close()
    n, m = len(views), MAX_THINGS
    shard = Shard(
        rgb=np.stack([v.rgb for v in views]),
        depth=np.stack(
            [np.clip(v.depth * 1e4, 0, 65535).astype(np.uint16) for v in views]
        ),
        X_BC=np.stack([v.X_BC for v in views]).astype(np.float32),
        near=np.array([v.near for v in views]),
        kind=np.full((n, m), -1, np.int8),
        colour=np.full((n, m), -1, np.int8),
        p_C=np.zeros((n, m, 3), np.float32),
        p_B=np.zeros((n, m, 3), np.float32),
        visible=np.zeros((n, m), np.float32),
        held=np.zeros((n, m), bool),
    )
    for i, view in enumerate(views):
        for j, label in enumerate(view.labels[:m]):
            shard.kind[i, j] = KINDS.index(label.shape)
            shard.colour[i, j] = colour_number(label.colour)
            shard.p_C[i, j], shard.p_B[i, j] = label.p_C, label.p_B
            shard.visible[i, j], shard.held[i, j] = label.visible, label.held
    shard.save(path)
    return n


def _jobs(out: Path, scenes: int, seed: int) -> Iterator[tuple[list[int], Path]]:
    for first in range(seed, seed + scenes, SCENES_PER_SHARD):
        path = out / f"shard_{first:06d}.npz"
        if not path.exists():
            yield list(range(first, min(first + SCENES_PER_SHARD, seed + scenes))), path


def make(out: Path, *, scenes: int, seed: int, workers: int) -> int:
    """Make what is missing of a data set; how many pictures were taken.

    Raises:
        ConfigError: the seeds reach into those kept for evaluation.
    """
    if not (seed >= 0 and seed + scenes <= FIRST_EVALUATION_SEED):
        raise ConfigError(
            f"seeds {seed}..{seed + scenes} must stay below {FIRST_EVALUATION_SEED}:"
            " the others are kept for evaluation"
        )
    out.mkdir(parents=True, exist_ok=True)
    jobs = list(_jobs(out, scenes, seed))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        running = [pool.submit(make_shard, seeds, path) for seeds, path in jobs]
        done = track(as_completed(running), "grounding data", total=len(running))
        return sum(job.result() for job in done)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("data/grounding"))
    parser.add_argument("--scenes", type=int, default=600)
    parser.add_argument("--seed", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    a = parser.parse_args()
    make(a.out, scenes=a.scenes, seed=a.seed, workers=a.workers)


if __name__ == "__main__":
    main()
