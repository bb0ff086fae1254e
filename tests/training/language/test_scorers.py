"""The gate's networks start as MiniLM, and what is exported says what was trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bidden.brain.language.encoder import Encoder  # noqa: E402
from bidden.brain.models import Session  # noqa: E402
from bidden.runtime.assets import asset_path  # noqa: E402
from bidden.training.language import gate  # noqa: E402
from bidden.training.language.hazards import Example  # noqa: E402
from bidden.training.language.scorers import DeepNet  # noqa: E402

SAID = ("put the red cube in the bowl", "stop", "pour the tea over the laptop")


def test_the_tuned_layers_begin_as_those_of_minilm() -> None:
    net = DeepNet(5, asset_path("minilm.onnx")).eval()
    encoder = Encoder.load()
    rows = [encoder.encode_deep(text, 12) for text in SAID]
    tokens, deep, mask = (
        torch.from_numpy(np.stack(x)) for x in zip(*rows, strict=True)
    )
    with torch.no_grad():
        x = deep
        for layer in net.layers:
            x = layer(x, mask)
    gap = ((x - tokens) * mask.unsqueeze(-1)).abs().max()
    assert float(gap) < 1e-4


def test_padding_changes_no_score() -> None:
    net = DeepNet(5, asset_path("minilm.onnx")).eval()
    encoder, concepts = Encoder.load(), torch.zeros(1, 5)
    scores = []
    for length in (9, 40):
        rows = encoder.encode_deep(SAID[0], length)
        tokens, deep, mask = (torch.from_numpy(each.copy())[None] for each in rows)
        with torch.no_grad():
            scores.append(float(net(tokens, deep, mask, concepts)))
    assert scores[0] == pytest.approx(scores[1], abs=1e-4)


def test_a_small_gate_learns_and_is_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "BATCH", 8)
    dangers = [f"pour {x} over the laptop" for x in ("tea", "milk", "soup", "water")]
    harmless = [f"pour {x} into the cup" for x in ("tea", "milk", "soup", "water")]
    examples = [
        Example(text=text, source=source, group=i)
        for i, texts in enumerate(zip(dangers, harmless, strict=True))
        for source, text in zip(("danger", "talk"), texts, strict=True)
    ] * 8
    rows = gate.read_rows(examples)
    score = gate.train_score(rows, seed=1, one=True)
    odds = gate.odds_of(score, rows, np.arange(len(examples)))
    assert odds[rows.danger == 1].min() > odds[rows.danger == 0].max()
    shift, figures = gate.calibrate(odds, rows.source)
    assert figures["recall_danger"] == 1.0
    score.shift = shift
    gate.export(score, tmp_path, seed=1, figures=figures)
    session = Session.load(tmp_path / "gate_int8.onnx")
    assert session.contract.figures["score_gap_to_torch"] < 0.2
