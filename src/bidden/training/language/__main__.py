"""Train the language networks and write them with their contracts.

`python -m bidden.training.language --seed 1 --out src/bidden/weights`
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from bidden.brain.language.encoder import Encoder
from bidden.brain.models.contract import WEIGHTS_DIR

from .gate import train_gate
from .heads import train_heads


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=1, help="of sentences and weights")
    parser.add_argument("--out", type=Path, default=WEIGHTS_DIR)
    parser.add_argument("--only", choices=("heads", "gate"), help="one network alone")
    a = parser.parse_args()
    torch.set_num_threads(1)
    a.out.mkdir(parents=True, exist_ok=True)
    if a.only != "gate":
        train_heads(Encoder.load(), a.out, seed=a.seed)
    if a.only != "heads":
        train_gate(a.out, seed=a.seed)


if __name__ == "__main__":
    main()
