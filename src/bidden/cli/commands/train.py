"""`bidden train`: make the shipped weights again, from nothing."""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
from argparse import _SubParsersAction
from dataclasses import dataclass
from pathlib import Path

from bidden.core.errors import ConfigError, unknown_name

_EPILOG = """\
stages, in order; each is resumable: after a kill, the same command goes on
  language        heads over MiniLM's tokens: intent, entities, relation
  grounding-data  pictures of random rooms with what stands where
  grounding       where is what the words name: vision and fusion
  behaviour       what to do about it: cloning, then DAgger
  export          ONNX files, fp32 and int8, each with its contract

examples
  bidden train                          everything, a few hours on two cores
  bidden train --only behaviour export  one part again
  bidden train --steps 1000             a quick, weaker set of weights
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One program to run."""

    name: str
    module: str
    flags: tuple[str, ...]


def stages(args: argparse.Namespace) -> tuple[Stage, ...]:
    """The programs of a whole training, in order."""
    work, workers = Path(args.work), str(args.workers)
    data, dev = work / "grounding_data", work / "grounding_dev"
    seeing, acting = work / "grounding", work / "behaviour"
    seed = args.seed
    return (
        Stage(
            name="language",
            module="bidden.training.language",
            flags=("--seed", str(seed), "--out", args.out),
        ),
        Stage(
            name="grounding-data",
            module="bidden.training.grounding.data",
            flags=(
                "--out", str(data), "--scenes", str(args.scenes),
                "--seed", str(100_000 * seed), "--workers", workers,
            ),
        ),
        Stage(
            name="grounding-data",
            module="bidden.training.grounding.data",
            flags=("--out", str(dev), "--scenes", "40", "--seed", "800000",
                   "--workers", workers),
        ),
        Stage(
            name="grounding",
            module="bidden.training.grounding",
            flags=("--data", str(data), "--out", str(seeing),
                   "--steps", str(args.steps), "--seed", str(seed)),
        ),
        Stage(
            name="behaviour",
            module="bidden.training.behaviour",
            flags=("--out", str(acting), "--workers", workers, "--seed", str(seed)),
        ),
        Stage(
            name="export",
            module="bidden.training.export",
            flags=(
                "--checkpoint", str(seeing / "grounding.pt"),
                "--behaviour", str(acting / "behaviour2.pt"),
                "--data", str(dev), "--out", args.out,
            ),
        ),
    )  # fmt: skip


def register(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "train",
        help="make the weights again, from nothing",
        description="Collect data and train every network; resumes after a kill.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--only", nargs="+", metavar="STAGE", help="these stages alone")
    add("--seed", type=int, default=1, help="of data and weights (default 1)")
    add("--scenes", type=int, default=600, help="rooms to picture (default 600)")
    add("--steps", type=int, default=7000, help="of grounding (default 7000)")
    add("--workers", type=int, default=os.cpu_count() or 1, help="default: all cores")
    add("--work", default="runs", metavar="DIR", help="data and checkpoints")
    add("--out", default="runs/weights", metavar="DIR", help="where ONNX files go")
    parser.set_defaults(func=execute)


def execute(args: argparse.Namespace) -> int:
    """Run the stages; the exit code of the first that fails, else 0."""
    plan = stages(args)
    names = list(dict.fromkeys(stage.name for stage in plan))
    for wanted in args.only or ():
        if wanted not in names:
            raise ConfigError(unknown_name("stage", wanted, names))
    if importlib.util.find_spec("torch") is None:
        raise ConfigError(
            "training needs torch: pip install 'bidden[train]', or `make setup`"
        )
    Path(args.out).mkdir(parents=True, exist_ok=True)
    for stage in plan:
        if args.only and stage.name not in args.only:
            continue
        print(f"-- {stage.name}: python -m {stage.module} {' '.join(stage.flags)}")
        code = subprocess.call([sys.executable, "-u", "-m", stage.module, *stage.flags])
        if code != 0:
            print(f"-- {stage.name} ended with {code}; the same command resumes it")
            return code
    print(
        f"weights are in {args.out}; `cp {args.out}/* src/bidden/weights/` ships them"
    )
    return 0
