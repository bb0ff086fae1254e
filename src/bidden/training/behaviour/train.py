"""Behaviour cloning, then DAgger: `python -m bidden.training.behaviour`.

Rounds alternate: play episodes (in parallel, resumable, one file an episode), then
train on everything collected. Round 0 is played by the expert with disturbances; in
later rounds the learner acts and the expert says what would have been right.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time  # noqa: TID251 - training reports wall seconds
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from bidden.core.messages import Array
from bidden.training.nets.action import ActionConfig, ActionDecoder

FIRST_SEED = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """One run; the same values give the same data."""

    out: Path
    first_episodes: int = 200
    round_episodes: int = 120
    rounds: int = 4  # of DAgger, after cloning
    steps: int = 5000  # of each round
    batch: int = 512
    rate: float = 1.5e-3
    workers: int = 1
    seed: int = 1


def _play_one(job: tuple[int, int, str, str]) -> dict[str, int]:
    """Play one episode into a file; nothing to do if the file is there."""
    seed, round_number, path, checkpoint = job
    file = Path(path)
    if file.exists():
        return {}
    torch.set_num_threads(1)
    from .play import PlayConfig, Player

    actor = None
    if checkpoint:
        net = load(Path(checkpoint)).eval()

        def actor(seen: Array) -> Array:
            with torch.no_grad():
                return net(torch.from_numpy(seen[None]))[0][0].numpy().astype(float)

    config = PlayConfig(learner_share=0.0 if round_number == 0 else 0.8)
    player = Player(seed, config, actor)
    results = player.play()
    temporary = file.with_suffix(".part.npz")
    np.savez(
        temporary, x=np.stack(player.inputs), y=np.stack(player.labels),
        fell=player.world.fallen(),
    )  # fmt: skip
    temporary.replace(file)
    player.world.close()
    counts = Counter(f"{skill} {'ok' if ok else 'no'}" for skill, ok in results)
    counts["falls"] = int(player.world.fallen())
    return dict(counts)


def collect(config: TrainConfig, round_number: int, checkpoint: str) -> None:
    """Play one round; skips episodes that are already on disk."""
    folder = config.out / f"round{round_number}"
    folder.mkdir(parents=True, exist_ok=True)
    n = config.first_episodes if round_number == 0 else config.round_episodes
    first = FIRST_SEED + 10_000 * round_number + 100_000 * config.seed
    jobs = [
        (first + i, round_number, str(folder / f"{first + i}.npz"), checkpoint)
        for i in range(n)
    ]
    total: Counter[str] = Counter()
    began = time.perf_counter()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(config.workers, mp_context=context) as pool:
        for i, counts in enumerate(pool.map(_play_one, jobs)):
            total.update(counts)
            if (i + 1) % 20 == 0:
                rate = (time.perf_counter() - began) / (i + 1)
                print(
                    f"round {round_number}: {i + 1}/{n}, {rate:.2f} s each, {dict(total)}",
                    flush=True,
                )  # noqa: T201, E501


def _load_data(out: Path) -> tuple[Tensor, Tensor]:
    xs, ys = [], []
    for path in sorted(out.glob("round*/*.npz")):
        if path.name.endswith(".part.npz"):
            continue
        with np.load(path, allow_pickle=False) as file:
            xs.append(file["x"])
            ys.append(file["y"])
    return torch.from_numpy(np.concatenate(xs)), torch.from_numpy(np.concatenate(ys))


def loss_of(
    net: ActionDecoder, x: Tensor, y: Tensor
) -> tuple[Tensor, dict[str, float]]:
    """Imitation loss: absolute error of numbers, cross-entropy of choices, spread."""
    means, log_spread = net.raw(x)
    goal = y / net.scale
    weight = torch.linspace(1.5, 0.5, y.shape[1])[:, None]
    error = (means[..., :9] - goal[..., :9]).abs()
    numbers = (error * weight).mean()
    choices = F.binary_cross_entropy_with_logits(
        means[..., 9:], goal[..., 9:].clamp(0, 1), reduction="none"
    )
    choice = (choices * weight).mean()
    miss = torch.cat(
        [error, (means[..., 9:].sigmoid() - goal[..., 9:]).abs()], -1
    ).detach()
    spread = (log_spread + miss / log_spread.exp()).mean()
    parts = {
        "numbers": float(numbers),
        "choices": float(choice),
        "spread": float(spread),
    }
    return numbers * 4 + choice + 0.1 * spread, parts


def train(config: TrainConfig, round_number: int) -> Path:
    """Train on all data so far; starts from the round before."""
    torch.manual_seed(config.seed)
    x, y = _load_data(config.out)
    path = config.out / f"behaviour{round_number}.pt"
    if path.exists():
        return path
    net = ActionDecoder(ActionConfig(features=x.shape[1]))
    before = config.out / f"behaviour{round_number - 1}.pt"
    if round_number > 0 and before.exists():
        net = load(before)
    else:
        net.mean.copy_(x.mean(0))
        net.std.copy_(x.std(0).clamp(min=0.05))
    optimiser = torch.optim.AdamW(net.parameters(), lr=config.rate, weight_decay=1e-4)
    began = time.perf_counter()
    for step in range(config.steps):
        progress = step / config.steps
        for group in optimiser.param_groups:
            group["lr"] = (
                config.rate
                * min(1, step / 100 + 0.01)
                * (0.5 * (1 + np.cos(np.pi * progress)) + 0.005)
            )  # noqa: E501
        pick = torch.randint(0, len(x), (config.batch,))
        loss, parts = loss_of(net, x[pick], y[pick])
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        if (step + 1) % 500 == 0:
            record = {
                "round": round_number,
                "step": step + 1,
                "samples": len(x),
                "seconds": round(time.perf_counter() - began, 1),
                **{k: round(v, 4) for k, v in parts.items()},
            }  # noqa: E501
            print(json.dumps(record), flush=True)  # noqa: T201
    temporary = path.with_suffix(".tmp")
    torch.save(
        {
            "config": net.config.__getstate__() if False else vars_of(net.config),
            "state": net.state_dict(),
        },
        temporary,
    )  # noqa: E501
    temporary.replace(path)
    return path


def vars_of(config: ActionConfig) -> dict[str, int]:
    """The sizes, for a checkpoint."""
    return {
        "features": config.features,
        "steps": config.steps,
        "width": config.width,
        "head": config.head,
    }


def load(path: Path) -> ActionDecoder:
    """A decoder from its checkpoint."""
    saved = torch.load(path, weights_only=True)
    net = ActionDecoder(ActionConfig(**saved["config"]))
    net.load_state_dict(saved["state"])
    return net


def main() -> None:
    """Run or resume all rounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/behaviour"))
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--round-episodes", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(1)
    config = TrainConfig(
        out=args.out,
        first_episodes=args.episodes,
        round_episodes=args.round_episodes,
        rounds=args.rounds,
        steps=args.steps,
        workers=args.workers,
        seed=args.seed,
    )
    checkpoint = ""
    for round_number in range(config.rounds + 1):
        collect(config, round_number, checkpoint)
        checkpoint = str(train(config, round_number))


if __name__ == "__main__":
    main()
