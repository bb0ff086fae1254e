"""Training of the language heads: intent, entities, relation."""

from __future__ import annotations

import warnings
from pathlib import Path

import msgspec
import numpy as np
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bidden.brain.language.encoder import WIDTH, Encoder
from bidden.brain.language.heads import ENTITIES, INTENTS, LENGTH, RELATIONS
from bidden.brain.language.parser import SURE
from bidden.brain.models import Contract, Session, TensorSpec, contract_path, sha256_of
from bidden.brain.models.contract import SCHEMA

from .data import Corpus, encode, load_templates, sentences
from .network import LanguageHeads

EACH = 900  # training sentences per intent
EPOCHS = 30
BATCH = 64


def fit(corpus: Corpus, *, seed: int) -> LanguageHeads:
    """Train on one thread; the same seed gives the same network."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = LanguageHeads()
    steps = EPOCHS * -(-len(corpus.intent) // BATCH)
    optimiser = torch.optim.AdamW(net.parameters(), lr=1.5e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1.5e-3, total_steps=steps)
    for _ in range(EPOCHS):
        for rows in np.array_split(
            rng.permutation(len(corpus.intent)), steps // EPOCHS
        ):
            loss = _loss(net, corpus, rows)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            schedule.step()
    return net.eval()


def _loss(net: LanguageHeads, corpus: Corpus, rows: np.ndarray) -> Tensor:
    tokens = torch.from_numpy(corpus.tokens[rows].astype(np.float32))
    mask = torch.from_numpy(corpus.mask[rows])
    intent, relation, entities, _ = net(tokens, mask)
    entity = torch.from_numpy(corpus.entity[rows])
    entity[mask < 0.5] = -100
    return (
        cross_entropy(
            intent, torch.from_numpy(corpus.intent[rows]), label_smoothing=0.05
        )
        + 0.3 * cross_entropy(relation, torch.from_numpy(corpus.relation[rows]))
        + 0.5 * cross_entropy(entities.flatten(0, 1), entity.flatten())
    )


def measure(session: Session, corpus: Corpus) -> dict[str, float]:
    """Accuracy on verbs that training never saw."""
    inputs = {"tokens": corpus.tokens.astype(np.float32), "mask": corpus.mask}
    found = session.run(inputs)
    logits = found["intent"]
    odds = np.exp(logits - logits.max(1, keepdims=True))
    sure = (odds / odds.sum(1, keepdims=True)).max(1) >= SURE
    right = logits.argmax(1) == corpus.intent
    acted = sure & (logits.argmax(1) != INTENTS.index("other"))
    real = corpus.mask > 0.5
    return {
        "intent_accuracy": round(float(right.mean()), 4),
        "acted_share": round(float(acted.mean()), 4),
        "acted_precision": round(float(right[acted].mean()), 4),
        "relation_accuracy": round(
            float((found["relation"].argmax(1) == corpus.relation).mean()), 4
        ),
        "entity_token_accuracy": round(
            float((found["entities"].argmax(2) == corpus.entity)[real].mean()), 4
        ),
    }


def _specs() -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    def spec(name: str, shape: tuple[int | str, ...], meaning: str) -> TensorSpec:
        return TensorSpec(name=name, shape=shape, dtype="float32", meaning=meaning)

    inputs = (
        spec("tokens", ("B", LENGTH, WIDTH), "MiniLM token vectors"),
        spec("mask", ("B", LENGTH), "1 for tokens, 0 for padding"),
    )
    outputs = (
        spec("intent", ("B", len(INTENTS)), "log-odds of intents"),
        spec("relation", ("B", len(RELATIONS)), "log-odds of spatial relations"),
        spec("entities", ("B", LENGTH, len(ENTITIES)), "log-odds of token labels"),
        spec("embedding", ("B", 128), "pooled sentence"),
    )
    return inputs, outputs


def export(net: LanguageHeads, out: Path, *, seed: int, check: Corpus) -> None:
    """Write both precisions, each with its contract and what it reaches."""
    inputs, outputs = _specs()
    path, small = out / "language.onnx", out / "language_int8.onnx"
    names = [spec.name for spec in (*inputs, *outputs)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns of constants that we mean
        torch.onnx.export(
            net,
            (torch.zeros(2, LENGTH, WIDTH), torch.ones(2, LENGTH)),
            str(path),
            opset_version=17,
            dynamo=False,
            input_names=names[:2],
            output_names=names[2:],
            dynamic_axes={name: {0: "B"} for name in names},
        )
    quantize_dynamic(
        path, small, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8
    )
    for file in (path, small):
        contract = Contract(
            schema=SCHEMA,
            name=file.stem,
            version="1",
            sha256=sha256_of(file.read_bytes()),
            inputs=inputs,
            outputs=outputs,
            labels={"intent": INTENTS, "relation": RELATIONS, "entities": ENTITIES},
            made_by=f"python -m bidden.training.language --seed {seed}",
            seed=seed,
        )
        contract.save(contract_path(file))
        figures = measure(Session.load(file), check)
        msgspec.structs.replace(contract, figures=figures).save(contract_path(file))
        print(file.name, figures)  # noqa: T201


def train_heads(encoder: Encoder, out: Path, *, seed: int) -> None:
    """Make sentences, train, export and measure."""
    rng = np.random.default_rng(seed)
    templates = load_templates()
    said = list(sentences(templates, rng, part="train", each=EACH))
    unseen = list(sentences(templates, rng, part="check", each=150))
    counts = f"{len(said)} sentences to train, {len(unseen)} with unseen verbs"
    print(counts)  # noqa: T201
    net = fit(encode(encoder, said), seed=seed)
    export(net, out, seed=seed, check=encode(encoder, unseen))
