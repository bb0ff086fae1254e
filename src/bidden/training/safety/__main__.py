"""Play, fit, and write `safety/foresight/risk.json`.

`python -m bidden.training.safety --data runs/foresight`

What was played lies in the folder, so that a command that was cut off goes on where it
was. With `--only`, the other models of the file stay as they are.
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib import resources
from pathlib import Path

import msgspec

from bidden.safety.foresight.risk import RiskData, load_risk

from .data import (
    FAMILIES_SEED,
    HELD_ROOMS_SEED,
    HELD_RUNS_SEED,
    ROOMS_SEED,
    RUNS_SEED,
    STRONG_SEED,
    families_in,
    probes_in,
    runs_in,
    strong_in,
)
from .train import (
    chunk_figures,
    encode,
    fall_figures,
    fit_falling,
    fit_risk,
    read_runs,
    set_alarm,
)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    home = Path(str(resources.files("bidden.safety.foresight")))
    parser.add_argument("--only", choices=("chunks", "falling"), help="fit only this")
    parser.add_argument("--rooms", type=int, default=43, help="to rehearse chunks in")
    parser.add_argument("--held-rooms", type=int, default=20, help="for the figures")
    parser.add_argument(
        "--families", type=int, default=4500, help="to learn falls from"
    )
    parser.add_argument("--strong", type=int, default=400, help="of hard pushes only")
    parser.add_argument("--runs", type=int, default=3000, help="to set the alarm by")
    parser.add_argument("--held-runs", type=int, default=2000, help="for the figures")
    parser.add_argument("--data", type=Path, default=Path("runs/foresight"))
    parser.add_argument("--out", type=Path, default=home / "risk.json")
    a = parser.parse_args()
    old = load_risk() if a.only else None
    risk = old if a.only == "falling" else with_chunks(a, old)
    assert risk is not None
    if a.only != "chunks":
        risk = with_falling(a, risk)
    a.out.write_bytes(encode(risk))


def with_chunks(a: argparse.Namespace, old: RiskData | None) -> RiskData:
    """The chances of chunks, fitted anew."""
    command = f"{NAME} --only chunks --rooms {a.rooms} --held-rooms {a.held_rooms}"
    probes = probes_in(a.data, seed=ROOMS_SEED, rooms=a.rooms, say=say)
    risk = fit_risk(probes, old=old, seed=ROOMS_SEED, command=command)
    held = probes_in(a.data, seed=HELD_ROOMS_SEED, rooms=a.held_rooms, say=say)
    figures = chunk_figures(risk, held)
    tell("chunks", figures)
    return msgspec.structs.replace(
        risk,
        command=joined(command, old, but="chunks"),
        contact=msgspec.structs.replace(
            risk.contact, figures=plain(figures["contact"])
        ),
        fall=msgspec.structs.replace(risk.fall, figures=plain(figures["fall"])),
    )


def with_falling(a: argparse.Namespace, old: RiskData) -> RiskData:
    """The lookout for falls, fitted anew."""
    command = (
        f"{NAME} --only falling --families {a.families} --strong {a.strong} "
        f"--runs {a.runs} --held-runs {a.held_runs}"
    )
    runs = families_in(a.data, seed=FAMILIES_SEED, count=a.families, say=say)
    runs += strong_in(a.data, seed=STRONG_SEED, count=a.strong, say=say)
    say(f"reading {len(runs)} runs")
    falling = fit_falling(runs, read_runs(runs), seed=FAMILIES_SEED, say=say)
    runs = runs_in(a.data, seed=RUNS_SEED, count=a.runs, say=say)
    say(f"setting the alarm by {len(runs)} runs")
    risk = msgspec.structs.replace(
        old,
        command=joined(command, old, but="falling"),
        falling=falling,
        alarm=set_alarm(falling, runs, read_runs(runs)),
    )
    runs = runs_in(a.data, seed=HELD_RUNS_SEED, count=a.held_runs, say=say)
    say(f"measuring on {len(runs)} runs")
    figures = fall_figures(risk, runs, read_runs(runs))
    tell("falls", figures)
    flat = {f"{c}_{name}": v for c, row in figures.items() for name, v in row.items()}
    return msgspec.structs.replace(risk, falling_figures=flat)


NAME = "python -m bidden.training.safety"


def joined(command: str, old: RiskData | None, *, but: str) -> str:
    """All commands that made the file: this one, and those whose models stay."""
    kept = old.command.split("; ") if old else []
    return "; ".join([*(c for c in kept if f"--only {but}" not in c), command])


def plain(figures: object) -> dict[str, float]:
    """The figures that are one number each."""
    assert isinstance(figures, dict)
    return {k: float(v) for k, v in figures.items() if isinstance(v, int | float)}


def say(text: str) -> None:
    """Progress, to a person."""
    sys.stderr.write(text + "\n")


def tell(name: str, figures: object) -> None:
    """Figures, one JSON object a line."""
    sys.stdout.write(json.dumps({name: figures}) + "\n")


if __name__ == "__main__":
    main()
