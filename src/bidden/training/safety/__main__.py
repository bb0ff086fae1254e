"""Play, fit, and write `safety/foresight/risk.json`.

`python -m bidden.training.safety --data runs/foresight`
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib import resources
from pathlib import Path

import msgspec

from .data import (
    HELD_ROOMS_SEED,
    HELD_RUNS_SEED,
    ROOMS_SEED,
    RUNS_SEED,
    probes_in,
    runs_in,
)
from .train import chunk_figures, encode, fall_figures, make_risk


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    home = Path(str(resources.files("bidden.safety.foresight")))
    parser.add_argument("--rooms", type=int, default=70, help="to rehearse chunks in")
    parser.add_argument("--runs", type=int, default=650, help="that may end in a fall")
    parser.add_argument("--held-rooms", type=int, default=30, help="for the figures")
    parser.add_argument("--held-runs", type=int, default=500, help="for the figures")
    parser.add_argument("--data", type=Path, default=Path("runs/foresight"))
    parser.add_argument("--out", type=Path, default=home / "risk.json")
    a = parser.parse_args()
    probes = probes_in(a.data, seed=ROOMS_SEED, rooms=a.rooms)
    runs = runs_in(a.data, seed=RUNS_SEED, count=a.runs)
    command = f"python -m bidden.training.safety --rooms {a.rooms} --runs {a.runs}"
    risk = make_risk(probes, runs, seed=ROOMS_SEED, command=command)
    probes = probes_in(a.data, seed=HELD_ROOMS_SEED, rooms=a.held_rooms)
    runs = runs_in(a.data, seed=HELD_RUNS_SEED, count=a.held_runs)
    chunks, falls = chunk_figures(risk, probes), fall_figures(risk, runs)
    risk = msgspec.structs.replace(
        risk,
        contact=msgspec.structs.replace(risk.contact, figures=plain(chunks["contact"])),
        fall=msgspec.structs.replace(risk.fall, figures=plain(chunks["fall"])),
        falling=msgspec.structs.replace(risk.falling, figures=plain(falls)),
    )
    a.out.write_bytes(encode(risk))
    sys.stdout.write(json.dumps({"chunks": chunks, "falls": falls}) + "\n")


def plain(figures: object) -> dict[str, float]:
    """The figures that are one number each."""
    assert isinstance(figures, dict)
    return {k: float(v) for k, v in figures.items() if isinstance(v, int | float)}


if __name__ == "__main__":
    main()
