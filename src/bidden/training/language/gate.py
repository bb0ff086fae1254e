"""Training of the instruction gate.

The score is shifted so that 0 is the false-alarm point that we allow on everyday talk
from lines that the network did not see (cross-validation over lines): sentences from
lines that it knows would promise too much.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from bidden.brain.language.encoder import SENTENCE_TOKENS, WIDTH, Encoder
from bidden.brain.language.rules.features import concept_features, feature_names
from bidden.brain.language.rules.gate import plain_text
from bidden.brain.models import Contract, Session, TensorSpec, contract_path, sha256_of
from bidden.brain.models.contract import SCHEMA

from .hazards import Example, gate_examples
from .scorers import GateScore, MeanNet, TokenNet

EACH = 10  # fills of one template
BATCH = 128
FOLDS = 3
FALSE_ALARMS = 0.05  # at score 0, of talk from unseen lines; tuned on gate_tune.jsonl


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one kind of network is made and trained."""

    make: Callable[[int], MeanNet | TokenNet]
    epochs: int
    rate: float


RECIPES = (
    Recipe(MeanNet, epochs=12, rate=2e-3),
    Recipe(TokenNet, epochs=6, rate=1e-3),
)
EACH_KIND = 3  # networks of each recipe, whose mean is the score


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """What the networks read of every example, and the truth."""

    tokens: tuple[NDArray[np.float16], ...]  # (T, 384) of each sentence
    concepts: NDArray[np.float32]  # (B, F)
    danger: NDArray[np.float32]  # (B,) 1 or 0
    source: NDArray[np.str_]  # (B,) "danger", "twin", or a kind of everyday talk
    group: NDArray[np.int64]  # (B,) which template, or pair of them, it came from

    def batch(self, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens (B, T, 384) as long as the longest, mask (B, T), concepts (B, F)."""
        longest = max(len(self.tokens[row]) for row in rows)
        tokens = np.zeros((len(rows), longest, WIDTH), np.float32)
        mask = np.zeros((len(rows), longest), np.float32)
        for i, row in enumerate(rows):
            tokens[i, : len(self.tokens[row])] = self.tokens[row]
            mask[i, : len(self.tokens[row])] = 1.0
        arrays = (tokens, mask, self.concepts[rows])
        return tuple(torch.from_numpy(array) for array in arrays)


def read_rows(encoder: Encoder, examples: list[Example]) -> Rows:
    """Features as the gate computes them when it runs."""
    plain = [plain_text(example.text) for example in examples]
    tokens = []
    for text in plain:
        vectors, mask = encoder.encode(text, SENTENCE_TOKENS)
        tokens.append(vectors[: int(mask.sum())].astype(np.float16))
    return Rows(
        tokens=tuple(tokens),
        concepts=np.stack([concept_features(text) for text in plain]),
        danger=np.array([e.source == "danger" for e in examples], np.float32),
        source=np.array([e.source for e in examples]),
        group=np.array([example.group for example in examples]),
    )


def fit(
    rows: Rows, recipe: Recipe, *, seed: int, among: NDArray[np.int64] | None = None
) -> MeanNet | TokenNet:
    """Train one network; concepts are left out at random, so that both halves learn."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    among = np.arange(len(rows.danger)) if among is None else among
    length = np.array([len(tokens) for tokens in rows.tokens])
    danger = torch.from_numpy(rows.danger)
    net = recipe.make(rows.concepts.shape[1])
    optimiser = torch.optim.AdamW(net.parameters(), lr=recipe.rate, weight_decay=1e-2)
    batches = len(among) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.rate, total_steps=recipe.epochs * batches
    )
    for _ in range(recipe.epochs):
        mixed = rng.permutation(among)
        near = length[mixed] + 3 * rng.random(len(mixed))  # alike in length: no padding
        ordered = np.array_split(mixed[np.argsort(near)], batches)
        for i in rng.permutation(batches):
            tokens, mask, concepts = rows.batch(ordered[i])
            kept = concepts * (torch.rand(len(concepts), 1) > 0.2)
            odds = net(tokens, mask, kept)
            truth = danger[ordered[i]] * 0.94 + 0.03
            loss = binary_cross_entropy_with_logits(odds, truth)
            loss = loss + 3e-4 * net.concepts.weight.abs().sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return net.eval()


def odds_of(
    nets: list[MeanNet | TokenNet], rows: Rows, among: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Mean log-odds of danger of some rows."""
    found = []
    with torch.no_grad():
        for start in range(0, len(among), 512):
            inputs = rows.batch(among[start : start + 512])
            found.append(torch.stack([net(*inputs) for net in nets]).mean(0).numpy())
    return np.concatenate(found).astype(np.float64)


def calibrate(rows: Rows, *, seed: int) -> tuple[float, dict[str, float]]:
    """Log-odds that everyday talk seldom exceeds when its line is unseen."""
    rng = np.random.default_rng(seed)
    fold_of = rng.integers(FOLDS, size=rows.group.max() + 1)[rows.group]
    odds = np.zeros(len(rows.danger))
    for fold in range(FOLDS):
        seen, unseen = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        nets = [fit(rows, recipe, seed=seed, among=seen) for recipe in RECIPES]
        odds[unseen] = odds_of(nets, rows, unseen)
    everyday = ~np.isin(rows.source, ("danger", "twin"))
    shift = float(np.quantile(odds[everyday], 1 - FALSE_ALARMS))
    alarm = odds > shift
    names = ("danger", "twin", *sorted(set(rows.source[everyday].tolist())))
    return shift, {
        "shift": round(shift, 3),
        **{
            f"{'recall' if source == 'danger' else 'false_alarms'}_{source}": round(
                float(alarm[rows.source == source].mean()), 4
            )
            for source in names
        },
    }


def _specs() -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    def spec(name: str, shape: tuple[int | str, ...], meaning: str) -> TensorSpec:
        return TensorSpec(name=name, shape=shape, dtype="float32", meaning=meaning)

    features = len(feature_names())
    inputs = (
        spec("tokens", ("B", SENTENCE_TOKENS, WIDTH), "MiniLM, 0 where masked"),
        spec("mask", ("B", SENTENCE_TOKENS), "1 for tokens, 0 for padding"),
        spec("concepts", ("B", features), "0 or 1, `rules.features.feature_names`"),
    )
    return inputs, (spec("score", ("B",), "below 0 refuses"),)


def export(
    score: GateScore, out: Path, *, seed: int, figures: dict[str, float]
) -> None:
    """Write both precisions, each with its contract."""
    inputs, outputs = _specs()
    names = [spec.name for spec in (*inputs, *outputs)]
    path, small = out / "gate.onnx", out / "gate_int8.onnx"
    example = tuple(torch.ones(2, *map(int, spec.shape[1:])) for spec in inputs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns of constants that we mean
        torch.onnx.export(
            score.eval(), example, str(path), opset_version=17, dynamo=False,
            input_names=names[:-1], output_names=names[-1:],
            dynamic_axes={name: {0: "B"} for name in names},
        )  # fmt: skip
    quantize_dynamic(
        path, small, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8
    )
    for file in (path, small):
        contract = Contract(
            schema=SCHEMA, name=file.stem, version="1",
            sha256=sha256_of(file.read_bytes()), inputs=inputs, outputs=outputs,
            labels={"concepts": feature_names()},
            made_by=f"python -m bidden.training.language --seed {seed}",
            seed=seed, figures=figures,
        )  # fmt: skip
        contract.save(contract_path(file))
        gap = _gap(score, Session.load(file))
        msgspec.structs.replace(
            contract, figures={**figures, "score_gap_to_torch": round(gap, 4)}
        ).save(contract_path(file))


def _gap(score: GateScore, session: Session) -> float:
    rng = np.random.default_rng(0)
    tokens = rng.normal(size=(64, SENTENCE_TOKENS, WIDTH)).astype(np.float32) / 3
    mask = (np.arange(SENTENCE_TOKENS) < rng.integers(4, 30, (64, 1))).astype("f4")
    concepts = (rng.random((64, len(feature_names()))) < 0.01).astype(np.float32)
    arrays = {"tokens": tokens * mask[..., None], "mask": mask, "concepts": concepts}
    with torch.no_grad():
        want = score(*(torch.from_numpy(array) for array in arrays.values())).numpy()
    return float(np.abs(session.run(arrays)["score"] - want).max())


def train_gate(encoder: Encoder, out: Path, *, seed: int) -> None:
    """Make sentences, calibrate, train, export and measure."""
    examples = list(gate_examples(np.random.default_rng(seed), each=EACH))
    rows = read_rows(encoder, examples)
    shift, figures = calibrate(rows, seed=seed)
    counts = f"{len(examples)} sentences, {int(rows.danger.sum())} dangers"
    print(counts, figures)  # noqa: T201
    members = [
        fit(rows, recipe, seed=seed + i) for recipe in RECIPES for i in range(EACH_KIND)
    ]
    export(GateScore(members, shift), out, seed=seed, figures=figures)
