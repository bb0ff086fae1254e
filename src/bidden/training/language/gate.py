"""Training of the instruction gate.

The score is shifted so that 0 is the 1 % false-alarm point of the worst kind of
everyday talk, on templates that the network did not see (cross-validation over
templates): sentences from templates that it knows would promise too much.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from bidden.brain.language.encoder import WIDTH, Encoder
from bidden.brain.language.rules.features import concept_features, feature_names
from bidden.brain.language.rules.gate import plain_readings
from bidden.brain.models import Contract, Session, TensorSpec, contract_path, sha256_of
from bidden.brain.models.contract import SCHEMA

from .hazards import Example, gate_examples

EACH = 10  # fills of one template
EPOCHS = 12
BATCH = 128
NOISE = 0.5  # length of what is added to a sentence's unit vector while training
MEMBERS = 3  # networks whose mean is the score
FOLDS = 4
FALSE_ALARMS = 0.01  # at score 0, for every kind of everyday talk


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """What the network reads of every example, and the truth."""

    sentence: NDArray[np.float32]  # (B, 384)
    concepts: NDArray[np.float32]  # (B, F)
    danger: NDArray[np.float32]  # (B,) 1 or 0
    source: NDArray[np.str_]  # (B,) "danger", "twin", or a kind of everyday talk
    group: NDArray[np.int64]  # (B,) which template, or pair of them, it came from


class GateNet(nn.Module):
    """Log-odds of danger: linear in concepts, linear and curved in the sentence."""

    def __init__(self, features: int, hidden: int = 256) -> None:
        super().__init__()
        self.concepts = nn.Linear(features, 1)
        self.straight = nn.Linear(WIDTH, 1)
        self.curved = nn.Sequential(
            nn.Dropout(0.2), nn.Linear(WIDTH, hidden), nn.GELU(), nn.Dropout(0.4),
            nn.Linear(hidden, 1),
        )  # fmt: skip

    def forward(self, sentence: Tensor, concepts: Tensor) -> Tensor:
        """Sentence (B, 384) at unit length, concepts (B, F) to log-odds (B,)."""
        curved = self.curved(8.0 * sentence) + self.straight(4.0 * sentence)
        return (curved + self.concepts(concepts)).squeeze(-1)


class GateScore(nn.Module):
    """Mean of several networks, turned round and shifted: below 0 is danger."""

    def __init__(self, members: list[GateNet], shift: float) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.shift = shift

    def forward(self, sentence: Tensor, concepts: Tensor) -> Tensor:
        """Score (B,)."""
        odds = [member(sentence, concepts) for member in self.members]
        return self.shift - torch.stack(odds).mean(0)


def read_rows(encoder: Encoder, examples: list[Example]) -> Rows:
    """Features as the gate computes them when it runs."""
    plain = [plain_readings(example.text)[0] for example in examples]
    return Rows(
        sentence=np.stack([encoder.pool(text) for text in plain]),
        concepts=np.stack([concept_features(text) for text in plain]),
        danger=np.array([e.source == "danger" for e in examples], np.float32),
        source=np.array([e.source for e in examples]),
        group=np.array([example.group for example in examples]),
    )


def fit(rows: Rows, *, seed: int, among: NDArray[np.int64] | None = None) -> GateNet:
    """Train one network; concepts are left out at random, so that both halves learn."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    among = np.arange(len(rows.danger)) if among is None else among
    sentence, concepts = (
        torch.from_numpy(rows.sentence),
        torch.from_numpy(rows.concepts),
    )
    danger = torch.from_numpy(rows.danger)
    net = GateNet(concepts.shape[1])
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-2)
    batches = len(among) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, 2e-3, total_steps=EPOCHS * batches
    )
    for _ in range(EPOCHS):
        for batch in np.array_split(rng.permutation(among), batches):
            kept = concepts[batch] * (torch.rand(len(batch), 1) > 0.2)
            noise = NOISE / WIDTH**0.5 * torch.randn(len(batch), WIDTH)
            odds = net(sentence[batch] + noise, kept)
            loss = binary_cross_entropy_with_logits(odds, danger[batch] * 0.94 + 0.03)
            loss = loss + 3e-4 * net.concepts.weight.abs().sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return net.eval()


def calibrate(rows: Rows, *, seed: int) -> tuple[float, dict[str, float]]:
    """Log-odds that 1 % of everyday talk exceeds when its template is unseen."""
    rng = np.random.default_rng(seed)
    fold_of = rng.integers(FOLDS, size=rows.group.max() + 1)[rows.group]
    odds = np.zeros(len(rows.danger))
    for fold in range(FOLDS):
        net = fit(rows, seed=seed, among=np.flatnonzero(fold_of != fold))
        unseen = np.flatnonzero(fold_of == fold)
        with torch.no_grad():
            odds[unseen] = net(
                torch.from_numpy(rows.sentence[unseen]),
                torch.from_numpy(rows.concepts[unseen]),
            ).numpy()
    everyday = sorted(set(rows.source.tolist()) - {"danger", "twin"})
    shift = max(
        float(np.quantile(odds[rows.source == source], 1 - FALSE_ALARMS))
        for source in everyday
    )
    alarm = odds > shift
    return shift, {
        "shift": round(shift, 3),
        **{
            f"{'recall' if source == 'danger' else 'false_alarms'}_{source}": round(
                float(alarm[rows.source == source].mean()), 4
            )
            for source in ("danger", "twin", *everyday)
        },
    }


def _specs() -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    def spec(name: str, shape: tuple[int | str, ...], meaning: str) -> TensorSpec:
        return TensorSpec(name=name, shape=shape, dtype="float32", meaning=meaning)

    features = len(feature_names())
    inputs = (
        spec("sentence", ("B", WIDTH), "MiniLM mean at unit length"),
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
    example = tuple(torch.zeros(2, int(spec.shape[1])) for spec in inputs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns of constants that we mean
        torch.onnx.export(
            score.eval(), example, str(path), opset_version=17, dynamo=False,
            input_names=names[:2], output_names=names[2:],
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
    sentence = rng.normal(size=(64, WIDTH)).astype(np.float32)
    sentence /= np.linalg.norm(sentence, axis=1, keepdims=True)
    shape = (64, len(feature_names()))
    concepts = (rng.random(shape) < 0.01).astype(np.float32)
    with torch.no_grad():
        want = score(torch.from_numpy(sentence), torch.from_numpy(concepts)).numpy()
    got = session.run({"sentence": sentence, "concepts": concepts})["score"]
    return float(np.abs(got - want).max())


def train_gate(encoder: Encoder, out: Path, *, seed: int) -> None:
    """Make sentences, calibrate, train, export and measure."""
    examples = list(gate_examples(np.random.default_rng(seed), each=EACH))
    rows = read_rows(encoder, examples)
    shift, figures = calibrate(rows, seed=seed)
    counts = f"{len(examples)} sentences, {int(rows.danger.sum())} dangers"
    print(counts, figures)  # noqa: T201
    members = [fit(rows, seed=seed + i) for i in range(MEMBERS)]
    export(GateScore(members, shift), out, seed=seed, figures=figures)
