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
    SIGNS,
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
from bidden.safety.foresight.risk import (
    BEYOND,
    SCHEMA,
    Chance,
    ChanceData,
    NetData,
    Nets,
    RiskData,
)
from bidden.system.executor import ExecutorConfig
from bidden.system.watches.foresight import PERSISTENCE, reach_of

from .collect import Probe
from .data import Say, silent
from .falls import TICK_S, Run, unpack
from .fit import auroc, calibration, fit_chance, fit_net, spread_knots, tune_net

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
FALL_RIDGE: Final = 1e-2  # of 3e-4 to 1e-2 the best on folds that were left out
LEAD_TICKS: Final = 10  # a fall must be foreseen 0.2 s ahead
FALL_TICKS: Final = 28  # before a fall in which its signs are learned by ticks
WINDOW_TICKS: Final = 45  # before a fall of which the highest score is learned
CALM_STRIDE: Final = 12  # ticks between the slow rows of runs without a fall
FAST: Final = 0.6  # [m/s] of the centre of mass; faster rows are all learned
NETS: Final = 6
SIZES: Final = (96, 48)  # units of the hidden layers
EPOCHS: Final = 4  # over ticks
TUNE_EPOCHS: Final = 20  # over runs
FALSE_ALARMS: Final = 0.008  # of runs that nothing was fitted on; 0.01 is allowed


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


def labels(probes: Sequence[Probe], excess: Array) -> tuple[Array, Array]:
    """Whether there was a contact or a breach, and whether a fall, within a second.

    Args:
        probes: with their truth.
        excess: share by which the raw chunk is over the table of speeds, (N,). Hands
            that the inverse kinematics jerks are cut by the shield in every tick and
            are no breach of the chunk.
    """
    truths = [p.truth for p in probes]
    touch = [min(t.furniture_s, t.person_s, t.self_s) <= HORIZON_S for t in truths]
    fall = [t.fall_s <= HORIZON_S for t in truths]
    return (np.array(touch) | (excess > 1e-6)).astype(float), np.array(fall, float)


def _labels_of(read: list[tuple[Probe, Forecast, Foresight]]) -> tuple[Array, Array]:
    at = CONTACT_INPUTS.index("wish_excess")
    excess = np.array([seen.contact[at] for _, _, seen in read])
    return labels([p for p, _, _ in read], excess)


def fit_chunks(probes: Sequence[Probe]) -> tuple[ChanceData, ChanceData]:
    """The models of contact and of falls for whole chunks."""
    read = read_probes(probes)
    group = np.array([p.seed for p, _, _ in read])
    contact, fall = _labels_of(read)
    x = np.stack([seen.contact for _, _, seen in read])
    knots = np.array([*[_GAP_KNOTS] * len(GAP_NAMES), *_SPEED_KNOTS])
    touch, _ = fit_chance(
        x, contact, inputs=CONTACT_INPUTS, knots=knots, group=group, ridge=3e-4,
        signs=_SIGNS,
    )  # fmt: skip
    x = np.stack([seen.balance for _, _, seen in read])
    drop, _ = fit_chance(
        x, fall, inputs=FALL_INPUTS, knots=spread_knots(x, fall), group=group,
        ridge=FALL_RIDGE,
    )  # fmt: skip
    return touch, drop


def read_runs(runs: Sequence[Run]) -> list[Array]:
    """Inputs of the predictor, tick by tick, of each run, (T, 180) float32."""
    signs, found = FallSigns(), []
    for run in runs:
        memory, rows = FallMemory(), []
        for row in run.states:
            memory = signs(memory, unpack(row, 0))
            rows.append(falling_inputs(memory).astype("f4"))
        found.append(np.stack(rows))
    return found


def fit_falling(
    runs: Sequence[Run], inputs: Sequence[Array], *, seed: int, say: Say = silent
) -> tuple[NetData, ...]:
    """The predictor of falls: first by ticks, then by what a run's highest score says.

    Args:
        runs: that may end in a fall.
        inputs: `read_runs` of them.
        seed: of the networks.
        say: is told how far it is.
    """
    rows, labels_ = _ticks(runs, inputs)
    X, Y = np.concatenate([rows, mirrored(rows)]), np.concatenate([labels_, labels_])
    mean, scale = X.mean(axis=0), X.std(axis=0) + np.float32(1e-6)

    def scaled(x: Array) -> Array:
        return np.clip((x - mean) / scale, -BEYOND, BEYOND)

    rows, fell, starts = _windows(runs, inputs)
    X, views = scaled(X), (scaled(rows), scaled(mirrored(rows)))
    found = []
    for k in range(NETS):
        say(f"network {k + 1} of {NETS}")
        net = fit_net(X, Y, sizes=SIZES, epochs=EPOCHS, seed=seed + k)
        tune_net(net, views, fell, starts=starts, epochs=TUNE_EPOCHS, seed=seed + k)
        found.append(_packed(net, mean, scale))
    return tuple(found)


def set_alarm(
    falling: tuple[NetData, ...], runs: Sequence[Run], inputs: Sequence[Array]
) -> float:
    """The score from which the predictor speaks, by runs that it has not learned."""
    net = Nets(falling, FALLING_INPUTS)
    calm = [
        peak(net.scores(x)) for r, x in zip(runs, inputs, strict=True) if not r.fell
    ]
    return round(float(np.quantile(calm, 1.0 - FALSE_ALARMS)), 4)


def _ticks(runs: Sequence[Run], inputs: Sequence[Array]) -> tuple[Array, Array]:
    """Ticks shortly before a fall, and of all other walking, with their labels."""
    rows, y = [], []
    for run, x in zip(runs, inputs, strict=True):
        if run.fell:  # the last ticks before it come too late to matter
            first = max(run.onset + 1, len(x) - 1 - FALL_TICKS)
            part = x[first : max(first, len(x) - LEAD_TICKS)]
        else:
            part = _telling(x)
        before = x[10 : run.onset : CALM_STRIDE] if run.fell else x[:0]
        rows += [part, before]
        y += [np.full(len(part), float(run.fell)), np.zeros(len(before))]
    return np.concatenate(rows), np.concatenate(y).astype("f4")


def _telling(x: Array) -> Array:
    """Ticks of a run without a fall: all fast ones, and few of the others."""
    fast = x[:, SIGNS.index("speed")] > FAST
    few = np.arange(len(x)) % CALM_STRIDE == 0
    rows: Array = x[fast | few]
    return rows


def _windows(
    runs: Sequence[Run], inputs: Sequence[Array]
) -> tuple[Array, Array, Array]:
    """Of each run the ticks in which an alarm is right, or wrong all along.

    Returns the rows one window after the other, whether each window's run fell (W,),
    and where each begins and the last ends (W + 1,).
    """
    rows, fell = [], []
    for run, x in zip(runs, inputs, strict=True):
        if run.fell:
            first = max(run.onset, len(x) - WINDOW_TICKS)
            part = x[first : max(first, len(x) - LEAD_TICKS)]
        else:
            part = x[max(0, run.onset - 15) :: 2]
        if len(part):
            rows.append(part)
            fell.append(float(run.fell))
    starts = np.append(0, np.cumsum([len(part) for part in rows]))
    return np.concatenate(rows), np.array(fell, "f4"), starts


def _packed(net: tuple[list[Array], list[Array]], mean: Array, scale: Array) -> NetData:
    weights, biases = net
    return NetData(
        inputs=FALLING_INPUTS,
        mean=_row(mean),
        scale=_row(scale),
        layers=tuple(tuple(_row(line) for line in w) for w in weights),
        biases=tuple(_row(b) for b in biases),
    )


def _row(values: Array) -> tuple[float, ...]:
    return tuple(float(f"{v:.4g}") for v in values)


def mirrored(x: Array) -> Array:
    """The same inputs of a robot mirrored left to right, (N, 180)."""
    source = [FALLING_INPUTS.index(_other_side(name)) for name in FALLING_INPUTS]
    sign = np.array([_mirror_sign(name) for name in FALLING_INPUTS], x.dtype)
    swapped: Array = x[:, source] * sign
    return swapped


def _other_side(name: str) -> str:
    for one, other in (("left_", "right_"), ("right_", "left_")):
        if name.startswith(one):
            return other + name.removeprefix(one)
    return name


def _mirror_sign(name: str) -> float:
    """Of a direction to the left, and of joints that turn about x or z."""
    is_sideways = name.split("_in_")[0].endswith("_y")
    return -1.0 if is_sideways or "_roll_joint" in name or "_yaw_joint" in name else 1.0


def peak(score: Array) -> float:
    """The highest score that lasts for `PERSISTENCE` ticks."""
    if len(score) < PERSISTENCE:
        return -np.inf
    windows = np.lib.stride_tricks.sliding_window_view(score, PERSISTENCE)
    return float(windows.min(axis=1).max())


def chunk_figures(risk: RiskData, probes: Sequence[Probe]) -> dict[str, object]:
    """How good both chances are on probes that they were not fitted on."""
    read = read_probes(probes)
    truth = _labels_of(read)
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


def fall_figures(
    risk: RiskData, runs: Sequence[Run], inputs: Sequence[Array]
) -> dict[str, dict[str, float]]:
    """Leads, recall and false alarms of the predictor, of all runs and by cause."""
    net = Nets(risk.falling, FALLING_INPUTS)
    rows = [(r, net.scores(x)) for r, x in zip(runs, inputs, strict=True)]
    causes = sorted({run.cause for run in runs if run.fell})
    return {"all": _lead_figures(risk.alarm, rows)} | {
        cause: _lead_figures(risk.alarm, [row for row in rows if row[0].cause == cause])
        for cause in causes
    }


def _lead_figures(alarm: float, rows: Sequence[tuple[Run, Array]]) -> dict[str, float]:
    """Seconds from the first alarm to the fall and to the landing; what was missed."""
    leads, landed, alarms, calm, early = [], [], [], [], []
    for run, score in rows:
        held = np.convolve(score >= alarm, np.ones(PERSISTENCE), "valid") >= PERSISTENCE
        first = int(np.argmax(held)) + PERSISTENCE - 1 if held.any() else len(score)
        if run.fell:
            leads.append((len(score) - 1 - first) * TICK_S)
            landed.append(np.nan_to_num(run.landed_s))
            early.append(peak(score[:-LEAD_TICKS]))
        else:
            alarms.append(bool(held.any()))
            calm.append(peak(score))
    lead, least = np.array(leads), LEAD_TICKS * TICK_S - 1e-9
    figures = {
        "falls": len(leads),
        "runs_without_fall": len(alarms),
        "recall": float((lead >= least).mean()),
        "foreseen_at_all": float((lead >= 0).mean()),
        "recall_of_landing": float((lead + landed >= least).mean()),
        "false_alarms": float(np.mean(alarms)) if alarms else 0.0,
    }
    for q in (5, 25, 50, 75, 95):
        figures[f"lead_p{q:02}_s"] = float(np.quantile(lead, 0.01 * q))
    for share in (0.005, 0.01, 0.02, 0.05) if calm else ():
        bound = np.quantile(calm, 1.0 - share)
        figures[f"recall_at_{share}"] = float((np.array(early) >= bound).mean())
    return {name: round(value, 4) for name, value in figures.items()}


def fit_risk(
    probes: Sequence[Probe], *, old: RiskData | None, seed: int, command: str
) -> RiskData:
    """A file with the chances of chunks fitted on probes, and no lookout yet."""
    contact, fall = fit_chunks(probes)
    return RiskData(
        schema=SCHEMA,
        command=command,
        seed=seed,
        contact=contact,
        fall=fall,
        falling=old.falling if old else (),
        alarm=old.alarm if old else 0.0,
        falling_figures=old.falling_figures if old else {},
    )


def encode(risk: RiskData) -> bytes:
    """The file's text, the same for the same models."""
    return msgspec.json.encode(risk) + b"\n"
