"""Fits the chances of foresight on rehearsed chunks and on runs with falls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from bidden.core.messages import Array
from bidden.safety import Limits
from bidden.safety.foresight.falls import (
    FALLING_INPUTS,
    FallMemory,
    FallSigns,
    falling_inputs,
)
from bidden.safety.foresight.features import (
    CONTACT_INPUTS,
    FALL_INPUTS,
    GAP_NAMES,
    Foresight,
    foresee,
)
from bidden.safety.foresight.gaps import ForeseenGaps
from bidden.safety.foresight.prediction import Forecast, Prediction
from bidden.safety.foresight.risk import SCHEMA, Chance, ChanceData, RiskData
from bidden.system.executor import ExecutorConfig
from bidden.system.watches.foresight import PERSISTENCE, reach_of

from .collect import Probe
from .falls import Run, unpack
from .fit import auroc, calibration
from .models import fit_chance, spread_knots

HORIZON_S: Final = 1.0
# Distances [m] between which the chance may change; the last is as good as far
_GAP_KNOTS: Final = (-0.15, -0.10, -0.05, 0.0, 0.05, 0.10, 0.20, 0.35)
_SPEED_KNOTS: Final = (
    (-0.1, -0.01, 0.0, 0.02, 0.1, 0.2, 0.5, 1.0),  # share above the table
    (0.2, 0.35, 0.5, 0.65, 0.8, 1.0, 1.3, 1.8),  # [m/s]
    (0.0, 0.02, 0.04, 0.06, 0.09, 0.13, 0.2, 0.3),  # [m] of the hand behind its target
    (0.1, 0.2, 0.35, 0.6, 0.9, 1.4, 2.2, 3.5),  # [rad/s] of the pelvis
)
_SIGNS: Final = np.array([-1.0] * len(GAP_NAMES) + [1.0] * len(_SPEED_KNOTS))
LEAD_TICKS: Final = 10  # a fall must be foreseen 0.2 s ahead
FALL_TICKS: Final = 30  # before a fall in which its signs are learned
FALSE_ALARMS: Final = 0.004  # of runs without a fall, on seen runs; 0.01 is allowed


def read_probes(probes: Sequence[Probe]) -> list[tuple[Probe, Forecast, Foresight]]:
    """Predictions of all chunks that began without a touch."""
    predict, limits = Prediction(), Limits()
    gaps, reach = ForeseenGaps(predict.body), reach_of(ExecutorConfig())
    found = []
    for p in probes:
        if p.truth.was_touching:
            continue
        forecast = predict(
            p.chunk.actions, p.state, hand_target=p.hand_target, reach=reach
        )
        seen = foresee(
            forecast,
            p.state,
            scene=p.scene,
            gaps=gaps,
            hand_target=p.hand_target,
            limits=limits,
        )
        found.append((p, forecast, seen))
    return found


def labels(probes: Sequence[Probe]) -> tuple[Array, Array]:
    """Whether there was a contact or a breach, and whether a fall, within a second."""
    truths = [p.truth for p in probes]
    contact = [
        min(t.furniture_s, t.person_s, t.self_s, t.speed_s) <= HORIZON_S for t in truths
    ]
    fall = [t.fall_s <= HORIZON_S for t in truths]
    return np.array(contact, float), np.array(fall, float)


def fit_chunks(probes: Sequence[Probe]) -> tuple[ChanceData, ChanceData]:
    """The models of contact and of falls for whole chunks."""
    read = read_probes(probes)
    group = np.array([p.seed for p, _, _ in read])
    contact, fall = labels([p for p, _, _ in read])
    x = np.stack([seen.contact for _, _, seen in read])
    knots = np.array([*[_GAP_KNOTS] * len(GAP_NAMES), *_SPEED_KNOTS])
    touch, _ = fit_chance(
        x, contact, inputs=CONTACT_INPUTS, knots=knots, group=group, ridge=3e-4,
        signs=_SIGNS,
    )  # fmt: skip
    x = np.stack([seen.balance for _, _, seen in read])
    drop, _ = fit_chance(
        x, fall, inputs=FALL_INPUTS, knots=spread_knots(x, fall), group=group,
        ridge=1e-3,
    )  # fmt: skip
    return touch, drop


def read_runs(runs: Sequence[Run]) -> list[Array]:
    """Inputs of the predictor, tick by tick, of each run, (T, 36)."""
    signs, found = FallSigns(), []
    for run in runs:
        memory, rows = FallMemory(), []
        for row in run.states:
            memory = signs(memory, unpack(row, 0))
            rows.append(falling_inputs(memory))
        found.append(np.stack(rows))
    return found


def fit_falling(runs: Sequence[Run]) -> tuple[ChanceData, float]:
    """The predictor of falls, and the score from which it speaks."""
    inputs = read_runs(runs)
    rows, y, group = [], [], []
    for k, (run, x) in enumerate(zip(runs, inputs, strict=True)):
        part = x[-FALL_TICKS:] if run.fell else x[::2]
        rows.append(part)
        y.append(np.full(len(part), float(run.fell)))
        group.append(np.full(len(part), k))
    X, Y, G = np.concatenate(rows), np.concatenate(y), np.concatenate(group)
    data, _ = fit_chance(
        X, Y, inputs=FALLING_INPUTS, knots=spread_knots(X, Y), group=G, ridge=1e-3
    )
    chance = Chance(data, FALLING_INPUTS)
    calm = [
        peak(scores(chance, x)) for r, x in zip(runs, inputs, strict=True) if not r.fell
    ]
    return data, float(np.quantile(calm, 1.0 - FALSE_ALARMS))


def scores(chance: Chance, x: Array) -> Array:
    """Score of every tick."""
    return np.array([chance.score(row) for row in x])


def peak(score: Array) -> float:
    """The highest score that lasts for `PERSISTENCE` ticks."""
    if len(score) < PERSISTENCE:
        return -np.inf
    windows = np.lib.stride_tricks.sliding_window_view(score, PERSISTENCE)
    return float(windows.min(axis=1).max())


def chunk_figures(risk: RiskData, probes: Sequence[Probe]) -> dict[str, object]:
    """How good both chances are on probes that they were not fitted on."""
    read = read_probes(probes)
    truth = labels([p for p, _, _ in read])
    said = (
        [Chance(risk.contact, CONTACT_INPUTS)(seen.contact) for _, _, seen in read],
        [Chance(risk.fall, FALL_INPUTS)(seen.balance) for _, _, seen in read],
    )
    figures: dict[str, object] = {"chunks": len(read)}
    for name, p, y, bound in zip(
        ("contact", "fall"), said, truth, (0.1, 0.2), strict=True
    ):
        chance = np.array(p)
        ece, bins = calibration(chance, y)
        figures[name] = {
            "ece": round(ece, 4),
            "auroc": round(auroc(chance, y), 4),
            "share": round(float(y.mean()), 4),
            "recall": round(float((chance[y > 0.5] >= bound).mean()), 4),
            "false_alarms": round(float((chance[y < 0.5] >= bound).mean()), 4),
            "bins": [[round(v, 4) for v in row] for row in bins],
        }
    return figures


def fall_figures(risk: RiskData, runs: Sequence[Run]) -> dict[str, float]:
    """Lead, recall and false alarms of the predictor of falls."""
    chance = Chance(risk.falling, FALLING_INPUTS)
    leads, alarms = [], []
    for run, x in zip(runs, read_runs(runs), strict=True):
        fires = scores(chance, x) >= risk.alarm
        held = np.convolve(fires, np.ones(PERSISTENCE), "valid") >= PERSISTENCE
        first = int(np.argmax(held)) + PERSISTENCE - 1 if held.any() else len(x)
        if run.fell:
            leads.append((len(x) - 1 - first) * 0.02)
        else:
            alarms.append(bool(held.any()))
    lead = np.array(leads)
    return {
        "falls": len(leads),
        "runs_without_fall": len(alarms),
        "recall": round(float((lead >= LEAD_TICKS * 0.02 - 1e-9).mean()), 4),
        "foreseen_at_all": round(float((lead >= 0).mean()), 4),
        "lead_p50_s": round(float(np.quantile(lead, 0.5)), 3),
        "lead_p05_s": round(float(np.quantile(lead, 0.05)), 3),
        "false_alarms": round(float(np.mean(alarms)), 4),
    }


def make_risk(
    probes: Sequence[Probe], runs: Sequence[Run], *, seed: int, command: str
) -> RiskData:
    """All models."""
    contact, fall = fit_chunks(probes)
    falling, alarm = fit_falling(runs)
    return RiskData(
        schema=SCHEMA,
        command=command,
        seed=seed,
        contact=contact,
        fall=fall,
        falling=falling,
        alarm=round(alarm, 4),
    )


def encode(risk: RiskData) -> bytes:
    """The file's text, the same for the same models."""
    return msgspec.json.format(msgspec.json.encode(risk), indent=1) + b"\n"
