"""Training of the instruction gate.

The score is shifted so that 0 is the false-alarm point that we allow on everyday talk
from lines that the network did not see: sentences from lines that it knows would
promise too much.
"""

from __future__ import annotations

import multiprocessing
import os
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic
from rich.progress import track
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from bidden.brain.language.encoder import SENTENCE_TOKENS, WIDTH, Encoder
from bidden.brain.language.rules.features import concept_features, feature_names
from bidden.brain.language.rules.gate import plain_text
from bidden.brain.models import Contract, Session, TensorSpec, contract_path, sha256_of
from bidden.brain.models.contract import SCHEMA
from bidden.core.messages import Array
from bidden.runtime.assets import asset_path

from .hazards import Example, gate_examples
from .scorers import DeepNet, GateScore, MeanNet, TokenNet

EACH = 10  # fills of one template
BATCH = 128
APART = 1 / 3  # of the lines, for the shift
FALSE_ALARMS = 0.03  # at score 0, of talk from unseen lines; set on the tune sets
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"  # where it is trained


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one kind of network is made and trained."""

    make: Callable[[int], nn.Module]  # from the number of concepts
    epochs: int
    rate: float
    slow: float = 0.0  # rate of what was trained before
    count: int  # networks of this kind
    share: float  # of all of them in the score


def _deep(features: int) -> DeepNet:
    return DeepNet(features, asset_path("minilm.onnx"))


RECIPES = (
    Recipe(make=MeanNet, epochs=12, rate=2e-3, count=3, share=0.25),
    Recipe(make=TokenNet, epochs=6, rate=1e-3, count=3, share=0.25),
    Recipe(make=_deep, epochs=6, rate=1e-3, slow=2e-4, count=1, share=0.5),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """What the networks read of every example, and the truth."""

    tokens: tuple[NDArray[np.float16], ...]  # (2, T, 384) of each: last and deep
    concepts: NDArray[np.float32]  # (B, F)
    danger: NDArray[np.float32]  # (B,) 1 or 0
    source: NDArray[np.str_]  # (B,) "danger", "twin", or a kind of everyday talk
    group: NDArray[np.int64]  # (B,) which template, or pair of them, it came from

    def batch(self, rows: NDArray[np.int64]) -> tuple[Tensor, ...]:
        """Tokens and deep (B, T, 384) as long as the longest, mask (B, T), concepts."""
        longest = max(self.tokens[row].shape[1] for row in rows)
        tokens = np.zeros((2, len(rows), longest, WIDTH), np.float32)
        mask = np.zeros((len(rows), longest), np.float32)
        for i, row in enumerate(rows):
            length = self.tokens[row].shape[1]
            tokens[:, i, :length] = self.tokens[row]
            mask[i, :length] = 1.0
        arrays = (*tokens, mask, self.concepts[rows])
        return tuple(torch.from_numpy(array).to(DEVICE) for array in arrays)


@lru_cache(maxsize=1)
def _encoder() -> Encoder:
    return Encoder.load()


def _read(text: str) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
    """Tokens (2, T, 384) and concepts (F,) of one text, as the gate computes them."""
    plain = plain_text(text)
    tokens, deep, mask = _encoder().encode_deep(plain, SENTENCE_TOKENS)
    length = int(mask.sum())
    vectors = np.stack((tokens[:length], deep[:length])).astype(np.float16)
    return vectors, concept_features(plain)


def read_rows(examples: list[Example]) -> Rows:
    """Features of all examples, on all cores."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context) as pool:
        vectors = pool.map(_read, [e.text for e in examples], chunksize=100)
        read = list(track(vectors, "sentences", total=len(examples)))
    return Rows(
        tokens=tuple(tokens for tokens, _ in read),
        concepts=np.stack([concepts for _, concepts in read]),
        danger=np.array([e.source == "danger" for e in examples], np.float32),
        source=np.array([e.source for e in examples]),
        group=np.array([example.group for example in examples]),
    )


def fit(
    rows: Rows, recipe: Recipe, *, seed: int, among: NDArray[np.int64] | None = None
) -> nn.Module:
    """Train one network; concepts are left out at random, so that both halves learn."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    among = np.arange(len(rows.danger)) if among is None else among
    length = np.array([tokens.shape[1] for tokens in rows.tokens])
    danger = torch.from_numpy(rows.danger).to(DEVICE)
    net = recipe.make(rows.concepts.shape[1]).to(DEVICE)
    groups = _groups(net, recipe)
    optimiser = torch.optim.AdamW(groups, weight_decay=1e-2)
    batches = len(among) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, [g["lr"] for g in groups], total_steps=recipe.epochs * batches
    )
    for _ in track(range(recipe.epochs), type(net).__name__):
        mixed = rng.permutation(among)
        near = length[mixed] + 3 * rng.random(len(mixed))  # alike in length: no padding
        ordered = np.array_split(mixed[np.argsort(near)], batches)
        for i in rng.permutation(batches):
            *vectors, concepts = rows.batch(ordered[i])
            kept = concepts * (torch.rand_like(concepts[:, :1]) > 0.2)
            with torch.autocast(DEVICE, torch.bfloat16, enabled=DEVICE == "cuda"):
                odds = net(*vectors, kept)
            truth = danger[ordered[i]] * 0.94 + 0.03
            loss = binary_cross_entropy_with_logits(odds.float(), truth)
            loss = loss + 3e-4 * net.concepts.weight.abs().sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return net.eval()


def _groups(net: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    """Parameters with their rates: what was trained before learns slowly."""
    old = [p for n, p in net.named_parameters() if n.startswith("layers.")]
    new = [p for n, p in net.named_parameters() if not n.startswith("layers.")]
    groups: list[dict[str, Any]] = [{"params": new, "lr": recipe.rate}]
    return [*groups, {"params": old, "lr": recipe.slow}] if old else groups


def odds_of(
    score: GateScore, rows: Rows, among: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Log-odds of danger of some rows, without the shift."""
    found = []
    with torch.no_grad():
        for start in range(0, len(among), 512):
            inputs = rows.batch(among[start : start + 512])
            found.append((score.shift - score(*inputs)).cpu().numpy())
    return np.concatenate(found).astype(np.float64)


def train_score(
    rows: Rows, *, seed: int, among: NDArray[np.int64] | None = None, one: bool = False
) -> GateScore:
    """All networks of all recipes (or `one` of each), with no shift yet."""
    members, shares = [], []
    for recipe in RECIPES:
        count = 1 if one else recipe.count
        for i in range(count):
            members.append(fit(rows, recipe, seed=seed + i, among=among))
            shares.append(recipe.share / count)
    return GateScore(members, shares, 0.0)


def unseen_odds(
    rows: Rows, *, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
    """Log-odds of a third of the lines by networks that saw only the others.

    Returns:
        log-odds (N,) and sources (N,) of the rows that were not learnt from.
    """
    rng = np.random.default_rng(seed)
    kept_apart = rng.random(rows.group.max() + 1)[rows.group] < APART
    seen, unseen = np.flatnonzero(~kept_apart), np.flatnonzero(kept_apart)
    score = train_score(rows, seed=seed, among=seen, one=True)
    return odds_of(score, rows, unseen), rows.source[unseen]


def calibrate(
    odds: NDArray[np.float64], source: NDArray[np.str_]
) -> tuple[float, dict[str, float]]:
    """Log-odds that everyday talk seldom exceeds when its line is unseen."""
    everyday = ~np.isin(source, ("danger", "twin"))
    shift = float(np.quantile(odds[everyday], 1 - FALSE_ALARMS))
    alarm = odds > shift
    names = sorted(set(source.tolist()))
    return shift, {
        "shift": round(shift, 3),
        **{
            f"{'recall' if name == 'danger' else 'false_alarms'}_{name}": round(
                float(alarm[source == name].mean()), 4
            )
            for name in names
        },
    }


def _specs() -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    def spec(name: str, shape: tuple[int | str, ...], meaning: str) -> TensorSpec:
        return TensorSpec(name=name, shape=shape, dtype="float32", meaning=meaning)

    features = len(feature_names())
    inputs = (
        spec("tokens", ("B", "T", WIDTH), "MiniLM, 0 where masked"),
        spec("deep", ("B", "T", WIDTH), "MiniLM's fourth layer, 0 where masked"),
        spec("mask", ("B", "T"), "1 for tokens, 0 for padding"),
        spec("concepts", ("B", features), "0 or 1, `rules.features.feature_names`"),
    )
    return inputs, (spec("score", ("B",), "below 0 refuses"),)


def export(
    score: GateScore, out: Path, *, seed: int, figures: dict[str, float]
) -> None:
    """Write the network in whole numbers, with its contract."""
    inputs, outputs = _specs()
    names = [spec.name for spec in (*inputs, *outputs)]
    path = out / "gate_int8.onnx"
    example = _example(np.random.default_rng(0))
    score = score.to("cpu").eval()
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns of constants that we mean
        exact = Path(folder) / "gate.onnx"
        torch.onnx.export(
            score, tuple(map(torch.from_numpy, example.values())), str(exact),
            opset_version=17, dynamo=False,
            input_names=names[:-1], output_names=names[-1:],
            dynamic_axes={
                spec.name: {0: "B", 1: "T"} if "T" in spec.shape else {0: "B"}
                for spec in (*inputs, *outputs)
            },
        )  # fmt: skip
        quantize_dynamic(
            exact, path, per_channel=True, reduce_range=True,
            weight_type=QuantType.QInt8,
        )  # fmt: skip
    contract = Contract(
        schema=SCHEMA, name=path.stem, version="2",
        sha256=sha256_of(path.read_bytes()), inputs=inputs, outputs=outputs,
        labels={"concepts": feature_names()},
        made_by=f"python -m bidden.training.language --only gate --seed {seed}",
        seed=seed, figures=figures,
    )  # fmt: skip
    contract.save(contract_path(path))
    with torch.no_grad():
        want = score(*map(torch.from_numpy, example.values())).numpy()
    gap = float(np.abs(Session.load(path).run(example)["score"] - want).max())
    msgspec.structs.replace(
        contract, figures={**figures, "score_gap_to_torch": round(gap, 4)}
    ).save(contract_path(path))


def _example(rng: np.random.Generator, texts: int = 64) -> dict[str, Array]:
    """Inputs of sentences that nobody says."""
    mask = (np.arange(30) < rng.integers(4, 31, (texts, 1))).astype(np.float32)
    tokens, deep = rng.normal(size=(2, texts, 30, WIDTH)).astype(np.float32) / 3
    concepts = (rng.random((texts, len(feature_names()))) < 0.01).astype(np.float32)
    return {
        "tokens": tokens * mask[..., None],
        "deep": deep * mask[..., None],
        "mask": mask,
        "concepts": concepts,
    }


def train_gate(out: Path, *, seed: int) -> None:
    """Make sentences, calibrate, train, export and measure."""
    examples = list(gate_examples(np.random.default_rng(seed), each=EACH))
    rows = read_rows(examples)
    shift, figures = calibrate(*unseen_odds(rows, seed=seed))
    counts = f"{len(examples)} sentences, {int(rows.danger.sum())} dangers"
    print(counts, figures)  # noqa: T201
    score = train_score(rows, seed=seed)
    score.shift = shift
    export(score, out, seed=seed, figures=figures)
