"""Trains grounding: `python -m bidden.training.grounding --data data/grounding`.

Saves every minute and goes on where it was killed. Every step draws from a generator
of its own, so that a resumed run ends in the weights of one that was never killed.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from .batches import BatchConfig, GroundingSet, Sampler
from .losses import Grounding, figures, losses
from .phrases import PhraseBank

SAVE_EVERY_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """How long and how fast."""

    steps: int = 7000  # of the whole run; 0.6 s each on one free core
    rate: float = 2e-3  # peak learning rate
    decay: float = 1e-3  # weight decay
    average: float = 0.998  # memory of the averaged weights, per step
    seed: int = 0


@dataclass(slots=True)
class Run:
    """A training run in memory: what a checkpoint holds."""

    net: Grounding
    averaged: AveragedModel
    optimiser: torch.optim.AdamW
    step: int = 0
    seconds: float = 0.0

    def save(self, path: Path) -> None:
        """Write the checkpoint whole or not at all."""
        part = path.with_suffix(".part")
        state = {
            "net": self.net.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }
        torch.save(state, part)
        part.replace(path)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint."""
        state = torch.load(path, weights_only=True)
        self.net.load_state_dict(state["net"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.seconds = state["step"], state["seconds"]


def new_run(config: TrainConfig) -> Run:
    """An untrained run."""
    torch.manual_seed(config.seed)
    net = Grounding().to(memory_format=torch.channels_last)
    return Run(
        net=net,
        averaged=AveragedModel(
            net, multi_avg_fn=get_ema_multi_avg_fn(config.average), use_buffers=True
        ),
        optimiser=torch.optim.AdamW(
            net.parameters(), lr=config.rate, weight_decay=config.decay
        ),
    )


def load_averaged(path: Path) -> Grounding:
    """The averaged networks of a checkpoint, ready to be used."""
    run = new_run(TrainConfig())
    run.load(path)
    net: Grounding = run.averaged.module
    return net.eval()


def train(
    run: Run,
    sampler: Sampler,
    *,
    config: TrainConfig,
    out: Path,
    save_every_s: float = SAVE_EVERY_S,
) -> Iterator[Run]:
    """Train to the last step; yields after every save."""
    out.mkdir(parents=True, exist_ok=True)
    saved = run.seconds
    sums: dict[str, float] = {}
    summed = 0
    while run.step < config.steps:
        began = time.perf_counter()
        sampler.start(run.step)
        torch.manual_seed(config.seed * 1_000_003 + run.step)
        batch = sampler.draw()
        _set_rate(run, config, part=run.step / config.steps)
        parts = losses(run.net, batch)
        total = torch.stack(list(parts.values())).sum()
        run.optimiser.zero_grad(set_to_none=True)
        total.backward()
        nn.utils.clip_grad_norm_(run.net.parameters(), 2.0)
        run.optimiser.step()
        run.averaged.update_parameters(run.net)
        run.step += 1
        for name, value in parts.items():
            sums[name] = sums.get(name, 0.0) + float(value.detach())
        summed += 1
        if run.step % 100 == 0:
            mean = {k: round(v / summed, 4) for k, v in sums.items()}
            _log(out / "log.jsonl", run, mean | figures(run.net, batch))
            sums, summed = {}, 0
        run.seconds += time.perf_counter() - began
        if run.seconds - saved > save_every_s:
            saved = run.seconds
            run.save(out / "grounding.pt")
            yield run
    run.save(out / "grounding.pt")
    yield run


def _set_rate(run: Run, config: TrainConfig, *, part: float) -> None:
    warm = min(1.0, (run.step + 1) / 100)
    scale = warm * (0.5 + 0.5 * math.cos(math.pi * min(part, 1.0))) + 0.005
    for group in run.optimiser.param_groups:
        group["lr"] = config.rate * scale


def _log(path: Path, run: Run, numbers: dict[str, float]) -> None:
    line = {"step": run.step, "seconds": round(run.seconds, 1), **numbers}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("data/grounding"))
    parser.add_argument("--out", type=Path, default=Path("runs/grounding"))
    parser.add_argument("--steps", type=int, default=TrainConfig().steps)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shards", type=int, default=None)
    parser.add_argument("--resume", action=argparse.BooleanOptionalAction, default=True)
    a = parser.parse_args()
    torch.set_num_threads(1)
    config = TrainConfig(steps=a.steps, seed=a.seed)
    run = new_run(config)
    checkpoint = a.out / "grounding.pt"
    if a.resume and checkpoint.exists():
        run.load(checkpoint)
    data = GroundingSet(a.data, a.shards)
    bank = PhraseBank(a.out / "phrases.npz")
    sampler = Sampler(data, bank, config=BatchConfig(), seed=config.seed)
    for state in train(run, sampler, config=config, out=a.out):
        print(  # noqa: T201 - progress of a program run by hand
            f"step {state.step}/{config.steps} after {state.seconds:.0f} s", flush=True
        )
