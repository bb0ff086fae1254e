"""Probes and runs by seed, played once and then kept in files.

Every file holds some rooms or runs. A command that was cut off goes on with the first
file that is not there.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from .collect import Bouts, Probe, load, save
from .falls import Falls, Run, load_runs, save_runs

ROOMS_SEED: Final = 700_100  # of the first room that chunks are rehearsed in
HELD_ROOMS_SEED: Final = 700_143  # of those that nothing is fitted on
RUNS_SEED: Final = 720_000  # of the first run by which the alarm is set
FAMILIES_SEED: Final = 730_000  # of the first family that the lookout learns from
STRONG_SEED: Final = 750_000  # of the first family of hard pushes, for the same
HELD_RUNS_SEED: Final = 780_000  # of runs that nothing is fitted on, nor chosen by
RUNS_A_FILE: Final = 50
Say = Callable[[str], None]


def silent(_: str) -> None:
    """Says nothing."""


def probes_in(folder: Path, *, seed: int, rooms: int, say: Say = silent) -> list[Probe]:
    """Rehearsed chunks of these rooms; played where the folder has not got them."""
    folder.mkdir(parents=True, exist_ok=True)
    found: list[Probe] = []
    for k in range(seed, seed + rooms):
        path = folder / f"room-{k}.npz"
        if not path.exists():
            say(f"room {k - seed + 1} of {rooms}, seed {k}")
            save(Bouts(k).play(), path)
        found += load(path)
    return found


def runs_in(folder: Path, *, seed: int, count: int, say: Say = silent) -> list[Run]:
    """Runs with these seeds; played where the folder has not got them."""
    return _in_files(
        folder / "run", lambda falls, k: [falls.play(k)], seed, count=count, say=say
    )


def families_in(folder: Path, *, seed: int, count: int, say: Say = silent) -> list[Run]:
    """Runs of the families with these seeds, played like `runs_in`."""
    return _in_files(folder / "family", Falls.family, seed, count=count, say=say)


def strong_in(folder: Path, *, seed: int, count: int, say: Say = silent) -> list[Run]:
    """Hard pushes with these seeds, played like `runs_in`."""
    return _in_files(folder / "strong", Falls.strong, seed, count=count, say=say)


def _in_files(
    stem: Path,
    play: Callable[[Falls, int], list[Run]],
    seed: int,
    *,
    count: int,
    say: Say,
) -> list[Run]:
    stem.parent.mkdir(parents=True, exist_ok=True)
    falls: Falls | None = None
    found: list[Run] = []
    for first in range(seed, seed + count, RUNS_A_FILE):
        path = stem.with_name(f"{stem.name}-{first}.npz")
        if not path.exists():
            say(f"{stem.name} {first - seed} of {count}, seed {first}")
            falls = falls or Falls()
            last = first + RUNS_A_FILE
            save_runs([r for k in range(first, last) for r in play(falls, k)], path)
        found += load_runs(path)
    return [run for run in found if run.seed < seed + count]
