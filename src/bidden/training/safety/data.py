"""Probes and runs by seed, played once and then kept in files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from .collect import Bouts, Probe, load, save
from .falls import Falls, Run, load_runs, save_runs

ROOMS_SEED: Final = 700_100  # of the first room that chunks are rehearsed in
RUNS_SEED: Final = 720_000  # of the first run that may end in a fall
HELD_ROOMS_SEED: Final = 760_000  # of those that nothing is fitted on
HELD_RUNS_SEED: Final = 770_000


def probes_in(folder: Path, *, seed: int, rooms: int) -> list[Probe]:
    """Rehearsed chunks of these rooms; played if the folder has not got them."""
    path = folder / f"probes-{seed}-{rooms}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        save([p for k in range(rooms) for p in Bouts(seed + k).play()], path)
    return load(path)


def runs_in(folder: Path, *, seed: int, count: int) -> list[Run]:
    """Runs with these seeds; played if the folder has not got them."""
    path = folder / f"runs-{seed}-{count}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        falls = Falls()
        save_runs([falls.play(seed + k) for k in range(count)], path)
    return load_runs(path)
