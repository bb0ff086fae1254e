"""`bidden calibrate`: learn what a policy is like when all goes well."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from bidden.cli.flags import POLICIES, PRECISIONS, seed

if TYPE_CHECKING:
    from argparse import _SubParsersAction
    from collections.abc import Sequence

    from bidden.brain.policy.uncertainty import Calibration
    from bidden.evaluation.doubt.collect import Case
    from bidden.evaluation.doubt.trail import Trail

FIRST_SEED = 700_000
_EPILOG = """\
A policy does not know when it is wrong. So it is watched from outside: do its chunks
contradict each other, does the body follow, does the target come nearer, is this a view
that it has succeeded with? What is usual differs from policy to policy. This command
plays household episodes, keeps those that went well by the simulator's truth, and
writes down how far each sign went in them. A run that goes further than nearly all of
them is slowed, then held, for the reason `policy_uncertain` or `unfamiliar_view`.

It makes two promises about episodes like these that would go well:
  --alpha        share of them that is ever held   (default 0.02)
  --slow-alpha   share of them that is ever slowed (default 0.2)
They hold for rooms and orders that are drawn like those played here; not for failures,
of which nothing is promised.

The file names the policy, the hash of its weights and the hash of the data; it is
refused for any other policy or weights, and the robot is then slowed all the time. So
run this again after `bidden train`. Each episode is filed in --work as it ends: stop
when you like, the same line goes on. About 6 s of one core an episode; 60 are enough to
begin with, 200 are better.

examples:
  bidden calibrate --policy compact --episodes 200 --seed 700000 --out doubt.json
  bidden run "wave" --calibration doubt.json
  bidden calibrate --policy expert --episodes 40 --out expert.json --workers 2
"""


def register(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "calibrate",
        help="learn what a policy is like when all goes well",
        description="Calibrate the watch that knows when a policy is unsure.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--policy", choices=POLICIES, default="compact", help="default compact")
    add("--precision", choices=PRECISIONS, default="int8", help="default int8")
    add("--episodes", type=int, default=100, metavar="N", help="how many (default 100)")
    add(
        "--seed", type=seed, default=FIRST_SEED, metavar="S",
        help=f"of the first episode (default {FIRST_SEED}; below 900000)",
    )  # fmt: skip
    add(
        "--out",
        type=Path,
        metavar="FILE",
        required=True,
        help="the file to make (JSON)",
    )
    add(
        "--work", type=Path, metavar="DIR", default=Path("runs/doubt"),
        help="episodes are filed here (default runs/doubt)",
    )  # fmt: skip
    add("--alpha", type=float, default=0.02, metavar="A", help="default 0.02")
    add("--slow-alpha", type=float, default=0.2, metavar="A", help="default 0.2")
    add("--workers", type=int, default=1, metavar="W", help="at once (default 1)")
    add("--json", action="store_true", help="print one JSON line and nothing else")
    parser.set_defaults(func=execute)


def execute(args: argparse.Namespace) -> int:
    """Run the command; its exit code."""
    import msgspec

    from bidden.core.errors import ConfigError
    from bidden.evaluation.doubt.collect import Case
    from bidden.evaluation.doubt.fit import FitConfig, fit_calibration

    if args.episodes < 1 or args.workers < 1:
        raise ConfigError(
            f"episodes and workers are at least 1, got {args.episodes} and "
            f"{args.workers}"
        )
    config = FitConfig(alpha=args.alpha, slow_alpha=args.slow_alpha)
    cases = [
        Case(seed=args.seed + k, policy=args.policy, precision=args.precision)
        for k in range(args.episodes)
    ]
    trails = _collect(args, cases)
    calibration = fit_calibration(trails, config, made_by=_command(args))
    calibration.save(args.out)
    if args.json:
        facts = {"out": str(args.out), **_facts(calibration)}
        print(msgspec.json.encode(facts).decode())
    else:
        _print(args.out, calibration)
    return 0


def _command(args: argparse.Namespace) -> str:
    """The line that makes the same file again."""
    words = [
        *("bidden", "calibrate", "--policy", args.policy),
        *("--precision", args.precision, "--episodes", str(args.episodes)),
        *("--seed", str(args.seed), "--alpha", f"{args.alpha:g}"),
        *("--slow-alpha", f"{args.slow_alpha:g}", "--out", args.out.name),
    ]
    return shlex.join(words)


def _collect(args: argparse.Namespace, cases: Sequence[Case]) -> list[Trail]:
    """The trails of all cases, ordered by seed, with a bar."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    from bidden.evaluation.doubt.collect import collect

    console = Console(stderr=True, highlight=False, markup=False)
    columns = (
        TextColumn(f"{args.policy} at home"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"), Remaining(),
    )  # fmt: skip
    trails: list[Trail] = []
    tenth = max(1, len(cases) // 10)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=len(cases), rate="")
        for trail in collect(cases, args.work, workers=args.workers):
            trails.append(trail)
            good = sum(t.head.record.success for t in trails)
            rate = f"{good} of {len(trails)} went well"
            bar.update(task, advance=1, rate=rate)
            if not console.is_terminal and len(trails) % tenth == 0:
                console.print(f"{len(trails)}/{len(cases)} episodes, {rate}")
    return sorted(trails, key=lambda trail: trail.head.record.seed)


def _facts(c: Calibration) -> dict[str, str | int | float | tuple[int, int]]:
    return {
        "policy": c.policy,
        "weights": c.weights,
        "data": c.data,
        "seeds": c.seeds,
        "episodes": c.episodes,
        "successes": len(c.maxima),
        "alpha": c.alpha,
        "slow_alpha": c.slow_alpha,
    }


def _print(out: Path, c: Calibration) -> None:
    print(f"{out}: policy {c.policy}, weights {c.weights}, data {c.data[:12]}")
    print(
        f"{len(c.maxima)} of {c.episodes} episodes went well (seeds {c.seeds[0]} to "
        f"{c.seeds[1]}); only these were learned from."
    )
    print(
        f"Promised for such episodes: at most {100 * c.slow_alpha:g} in 100 are ever "
        f"slowed, at most {100 * c.alpha:g} are ever held, needing {c.k} of {c.n} "
        "chunks. Nothing is promised about failures: measure them with "
        "benchmarks/failure_score.py."
    )
