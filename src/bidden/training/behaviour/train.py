"""Behaviour cloning, then DAgger: `python -m bidden.training.behaviour`.

Imagined situations come first; then rounds alternate: play episodes (in parallel,
resumable, one file an episode), and train on everything so far. Round 0 is played by
the expert with disturbances; in later rounds the learner acts and the expert says
what would have been right.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bidden.core.messages import Array
from bidden.runtime.clock import stopwatch_ns
from bidden.training.nets.action import ActionConfig, ActionDecoder

from .relabel import relabel

FIRST_SEED = 100_000
STEPS = 8  # actions in a chunk


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """One run; the same values give the same data."""

    out: Path
    imagined: int = 250_000  # situations without a simulator
    first_episodes: int = 40
    round_episodes: int = 40
    rounds: int = 2  # of DAgger, after cloning
    steps: int = 4000  # of each round
    batch: int = 512
    rate: float = 1.5e-3
    workers: int = 1
    seed: int = 1


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - progress of a program run by hand


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
                actions: Array = net(torch.from_numpy(seen[None]))[0][0].numpy()
            return actions.astype(float)

    config = PlayConfig(learner_share=0.0 if round_number == 0 else 0.8)
    player = Player(seed, config, actor)
    results = player.play()
    temporary = file.with_suffix(".part.npz")
    np.savez(temporary, x=np.stack(player.inputs))
    temporary.replace(file)
    counts = Counter(f"{skill} {'ok' if ok else 'no'}" for skill, ok in results)
    counts["falls"] = int(player.world.fallen())
    player.world.close()
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
    began = stopwatch_ns()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(config.workers, mp_context=context) as pool:
        for i, counts in enumerate(pool.map(_play_one, jobs)):
            total.update(counts)
            if (i + 1) % 10 == 0:
                pace = 1e-9 * (stopwatch_ns() - began) / (i + 1)
                _say(
                    f"round {round_number}: {i + 1}/{n}, {pace:.1f} s each, "
                    f"{dict(sorted(total.items()))}"
                )


def _imagined(config: TrainConfig) -> tuple[Tensor, Tensor]:
    """Imagined situations, made once and kept."""
    path = config.out / f"imagined{config.imagined}.npz"
    if not path.exists():
        from .imagine import imagine

        config.out.mkdir(parents=True, exist_ok=True)
        seconds = config.imagined // 2500
        _say(f"imagining {config.imagined} situations, about {seconds} s")
        x, y = imagine(config.imagined, config.seed)
        temporary = path.with_suffix(".part.npz")
        np.savez(temporary, x=x, y=y)
        temporary.replace(path)
    with np.load(path, allow_pickle=False) as file:
        return torch.from_numpy(file["x"]), torch.from_numpy(file["y"])


def _played(out: Path) -> tuple[Tensor, Tensor]:
    """All play so far, with the labels that today's expert gives."""
    xs = []
    for path in sorted(out.glob("round*/*.npz")):
        if not path.name.endswith(".part.npz"):
            with np.load(path, allow_pickle=False) as file:
                xs.append(file["x"])
    x = np.concatenate(xs)
    return torch.from_numpy(x), torch.from_numpy(relabel(x, STEPS))


def loss_of(
    net: ActionDecoder, x: Tensor, y: Tensor
) -> tuple[Tensor, dict[str, float]]:
    """Imitation loss: absolute error of numbers, cross-entropy of choices, spread."""
    means, log_spread = net.raw(x)
    goal = y / net.scale
    weight = torch.linspace(1.5, 0.5, y.shape[1])[:, None]
    error = (means[..., :9] - goal[..., :9]).abs()
    numbers = (error * weight).mean()
    choices = functional.binary_cross_entropy_with_logits(
        means[..., 9:], goal[..., 9:].clamp(0, 1), reduction="none"
    )
    choice = (choices * weight).mean()
    gap = (means[..., 9:].sigmoid() - goal[..., 9:]).abs()
    miss = torch.cat([error, gap], dim=-1).detach()
    spread = (log_spread + miss / log_spread.exp()).mean()
    parts = {
        "numbers": numbers.item(),
        "choices": choice.item(),
        "spread": spread.item(),
    }
    return numbers * 4 + choice + 0.1 * spread, parts


def train(config: TrainConfig, round_number: int) -> Path:
    """Train on all data so far; starts from the round before."""
    path = config.out / f"behaviour{round_number}.pt"
    if path.exists():
        return path
    torch.manual_seed(config.seed)
    x, y = _played(config.out)
    more_x, more_y = _imagined(config)
    if round_number > 0:
        net = load(config.out / f"behaviour{round_number - 1}.pt")
    else:
        net = ActionDecoder(ActionConfig(features=x.shape[1]))
        both = torch.cat([x, more_x])
        net.mean.copy_(both.mean(0))
        net.std.copy_(both.std(0).clamp(min=0.05))
    optimiser = torch.optim.AdamW(net.parameters(), lr=config.rate, weight_decay=1e-4)
    began = stopwatch_ns()
    for step in range(config.steps):
        warm = min(1.0, step / 100 + 0.01)
        fade = 0.5 * (1 + np.cos(np.pi * step / config.steps)) + 0.005
        for group in optimiser.param_groups:
            group["lr"] = config.rate * warm * fade
        a = torch.randint(0, len(x), (config.batch // 2,))
        b = torch.randint(0, len(more_x), (config.batch // 2,))
        loss, parts = loss_of(
            net, torch.cat([x[a], more_x[b]]), torch.cat([y[a], more_y[b]])
        )
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        if (step + 1) % 500 == 0:
            record = {
                "round": round_number,
                "step": step + 1,
                "played": len(x),
                "seconds": round(1e-9 * (stopwatch_ns() - began), 1),
                **{k: round(v, 4) for k, v in parts.items()},
            }
            _say(json.dumps(record))
    temporary = path.with_suffix(".tmp")
    torch.save({"config": asdict(net.config), "state": net.state_dict()}, temporary)
    temporary.replace(path)
    return path


def load(path: Path) -> ActionDecoder:
    """A decoder from its checkpoint."""
    saved = torch.load(path, weights_only=True)
    net = ActionDecoder(ActionConfig(**saved["config"]))
    net.load_state_dict(saved["state"])
    return net


def main() -> None:
    """Run or resume all rounds."""
    default = TrainConfig(out=Path("runs/behaviour"))
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--out", type=Path, default=default.out)
    add("--workers", type=int, default=os.cpu_count() or 1)
    add("--episodes", type=int, default=default.first_episodes, help="of round 0")
    add("--round-episodes", type=int, default=default.round_episodes)
    add("--rounds", type=int, default=default.rounds, help="of DAgger")
    add("--steps", type=int, default=default.steps, help="of training, each round")
    add("--seed", type=int, default=default.seed)
    a = parser.parse_args()
    torch.set_num_threads(1)
    config = TrainConfig(
        out=a.out,
        first_episodes=a.episodes,
        round_episodes=a.round_episodes,
        rounds=a.rounds,
        steps=a.steps,
        workers=a.workers,
        seed=a.seed,
    )
    checkpoint = ""
    for round_number in range(config.rounds + 1):
        collect(config, round_number, checkpoint)
        checkpoint = str(train(config, round_number))
