"""Does the doubt score foretell failure, and does it keep its promise?

Plays (or takes from --work, where each episode is filed) four kinds of episodes with
the compact policy, scores them with the shipped calibration, and prints one JSON line:
AUROC of the score against the truth of each episode, the velocity check beside it, and
promised against measured false alarms.

    python benchmarks/failure_score.py [--work DIR] [--pictures DIR]

kinds: nominal rooms; rooms with unseen pairs of shape and colour; a view that is wrong
(blocked, shifted, dark, glaring, grainy); a policy that is weakened (noise, frozen
chunks, delay, weak motion, lost sight, wrong camera pose, wrong target). Weaknesses
take turns, with a strength drawn from the seed, evenly within 0.1 and 1, so that both
outcomes occur; every fourth of these rooms has unseen pairs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec
import numpy as np
from rich.console import Console

from bidden.brain.policy.uncertainty import Calibration, shipped_calibrations
from bidden.evaluation.doubt.collect import Case, collect
from bidden.evaluation.doubt.fit import FitConfig
from bidden.evaluation.doubt.report import (
    GROUPS,
    Ranks,
    Scored,
    cross_validated_ranks,
    keep_promises,
    score_trail,
    separate,
)
from bidden.evaluation.doubt.trail import Trail
from bidden.evaluation.doubt.weakness import WEAKNESSES

NOMINAL, WEAK, UNSEEN = 710_000, 720_000, 730_000  # first seeds
SIZE, EDGE = 420, 50  # of a picture [px]


def weak_case(seed: int, number: int) -> Case:
    """A weakened episode; weaknesses take turns with the number."""
    names = list(WEAKNESSES)
    drawn = float(np.random.default_rng((seed, 33)).uniform(0.1, 1.0))
    return Case(
        seed=seed,
        weakness=names[number % len(names)],
        strength=round(drawn, 2),
        split="unseen-pairs" if number % 4 == 3 else "seen",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add(
        "--work", type=Path, default=Path("runs/doubt"), help="where episodes are filed"
    )
    add("--nominal", type=int, default=18, help="episodes in nominal rooms")
    add("--unseen", type=int, default=12, help="episodes with unseen pairs")
    add("--weak", type=int, default=36, help="episodes with a weakness")
    add("--weak-seeds", type=int, nargs="+", default=[WEAK], help="of the first ones")
    add("--calibration", type=Path, default=shipped_calibrations("compact")[0])
    add("--workers", type=int, default=1, help="episodes at once")
    add("--pictures", type=Path, help="write reliability.svg and scores.jsonl here")
    args = parser.parse_args()
    calibration = Calibration.load(args.calibration)
    learned = [Case(seed=s) for s in _seeds(calibration)]
    cases = [
        *(Case(seed=NOMINAL + k) for k in range(args.nominal)),
        *(Case(seed=UNSEEN + k, split="unseen-pairs") for k in range(args.unseen)),
        *(weak_case(seed + k, k) for seed in args.weak_seeds for k in range(args.weak)),
    ]
    console = Console(stderr=True)
    with console.status("playing what is not filed yet ..."):
        trails = list(collect(cases, args.work, workers=args.workers))
        known = list(collect(learned, args.work, workers=args.workers))
    print(
        msgspec.json.encode(measure(calibration, trails, known, args.pictures)).decode()
    )


def _seeds(calibration: Calibration) -> range:
    return range(calibration.seeds[0], calibration.seeds[1] + 1)


def measure(
    calibration: Calibration,
    trails: list[Trail],
    known: list[Trail],
    pictures: Path | None,
) -> dict[str, object]:
    """All figures.

    Args:
        calibration: what is judged.
        trails: episodes that it was not made from.
        known: those that it was made from.
        pictures: a folder for pictures, or None.
    """
    scored = [score_trail(trail, calibration) for trail in trails]
    plain = [t for t in trails if not t.head.weakness]
    held_out = [
        Ranks(uncertainty=s.uncertainty, acting=s.acting)
        for s in scored
        if not s.failed and s.group in ("nominal", "unseen")
    ]
    config = FitConfig(alpha=calibration.alpha, slow_alpha=calibration.slow_alpha)
    crossed = cross_validated_ranks([*known, *plain], config)
    if pictures:
        pictures.mkdir(parents=True, exist_ok=True)
        lines = b"\n".join(map(msgspec.json.encode, scored)) + b"\n"
        (pictures / "scores.jsonl").write_bytes(lines)
        failed = [s.uncertainty for s in scored if s.failed]
        good = [r.uncertainty for r in crossed]
        (pictures / "reliability.svg").write_text(draw(good, failed))
    groups = {g: separate([s for s in scored if s.group == g]) for g in GROUPS}
    changed = [s for s in scored if s.group != "nominal"]
    return {
        "benchmark": "failure_score",
        "policy": calibration.policy,
        "weights": calibration.weights,
        "calibration": calibration.data[:16],
        "auroc_unseen_and_weak": separate(changed),
        "groups": groups,
        "false_alarms": keep_promises(calibration, held_out, crossed),
        "failures_with_alarm": _caught(changed),
        "seeds": {"nominal": NOMINAL, "weak": WEAK, "unseen": UNSEEN},
    }


def _caught(scored: list[Scored]) -> dict[str, float | int | None]:
    """Share of failures that pass the bound, and how long before their end."""
    failed = [s for s in scored if s.failed]
    early = [s.seconds - s.alarm_s for s in failed if s.alarm_s is not None]
    return {
        "failures": len(failed),
        "alarmed": len(early),
        "median_lead_s": round(float(np.median(early)), 1) if early else None,
    }


def draw(crossed: list[float], failed: list[float]) -> str:
    """Promised against measured rate, as SVG: successes, and failures beside them."""
    grid = np.linspace(0, 1, 41)

    def curve(ranks: list[float], colour: str) -> str:
        over = [np.mean([not r < 1 - a for r in ranks]) if ranks else 0 for a in grid]
        points = " ".join(
            f"{EDGE + a * SIZE:.1f},{EDGE + (1 - y) * SIZE:.1f}"
            for a, y in zip(grid, over, strict=True)
        )
        return (
            f'<polyline points="{points}" fill="none" stroke="{colour}" '
            'stroke-width="2"/>'
        )

    side, far = SIZE + 2 * EDGE, EDGE + SIZE
    words = (
        (side / 2, side - 12, "promised share of successes (1 - uncertainty)"),
        (side / 2, 24, "episodes that pass the bound"),
        (far - 95, EDGE + 0.25 * SIZE, f"failures ({len(failed)})"),
        (far - 80, far - 0.55 * SIZE, f"successes ({len(crossed)})"),
    )
    ticks = [(EDGE + t * SIZE, far + 16, f"{t:g}") for t in (0, 0.5, 1)]
    ticks += [(EDGE - 18, EDGE + (1 - t) * SIZE + 4, f"{t:g}") for t in (0, 0.5, 1)]
    text = "".join(
        f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="middle">{w}</text>'
        for x, y, w in (*words, *ticks)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" '
        'font-family="sans-serif" font-size="13">'
        f'<rect width="{side}" height="{side}" fill="white"/>'
        f'<rect x="{EDGE}" y="{EDGE}" width="{SIZE}" height="{SIZE}" fill="none" '
        'stroke="black"/>'
        f'<line x1="{EDGE}" y1="{far}" x2="{far}" y2="{EDGE}" stroke="gray" '
        'stroke-dasharray="4"/>'
        f"{curve(crossed, '#1f6fb4')}{curve(failed, '#c0392b')}{text}</svg>\n"
    )


if __name__ == "__main__":
    main()
