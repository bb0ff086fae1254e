"""The fits of foresight on made-up data whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from bidden.safety.foresight.falls import FALLING_INPUTS
from bidden.safety.foresight.risk import Chance
from bidden.training.safety.fit import (
    auroc,
    calibration,
    fit_chance,
    fit_isotonic,
    fit_logistic,
    fit_net,
    pieces,
    spread_knots,
    tune_net,
)
from bidden.training.safety.train import mirrored, peak


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))


def sample(n: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    r = np.random.default_rng(1)
    x = r.uniform(-1, 1, (n, 2))
    return x, (r.random(n) < sigmoid(3 * x[:, 0] - 1)).astype(float)


@pytest.mark.parametrize("signs", [None, np.array([1.0, 0.0])])
def test_logistic_finds_the_weights(signs: np.ndarray | None) -> None:
    w, b = fit_logistic(*sample(), ridge=1e-6, signs=signs)
    assert w == pytest.approx([3.0, 0.0], abs=0.3)
    assert b == pytest.approx(-1.0, abs=0.2)


def test_a_weight_may_not_have_the_wrong_sign() -> None:
    w, _ = fit_logistic(*sample(), ridge=1e-6, signs=np.array([-1.0, 0.0]))
    assert w[0] == 0.0


def test_isotonic_rises_and_is_near_the_truth() -> None:
    r = np.random.default_rng(2)
    score = r.uniform(-3, 3, 5000)
    y = (r.random(5000) < sigmoid(score)).astype(float)
    at, curve = fit_isotonic(score, y)
    assert np.all(np.diff(curve) >= 0)
    grid = np.linspace(-2.5, 2.5, 21)
    assert np.interp(grid, at, curve) == pytest.approx(sigmoid(grid), abs=0.1)


def test_a_chance_is_calibrated_on_rows_it_has_not_seen() -> None:
    x, y = sample()
    group = np.arange(len(y)) // 20
    knots = spread_knots(x, y)
    data, blind = fit_chance(
        x, y, inputs=("a", "b"), knots=knots, group=group, ridge=1e-3
    )
    chance = Chance(data, ("a", "b"))
    p = np.array([chance(row) for row in sample()[0]])
    error, bins = calibration(p, y)
    assert error < 0.03
    assert sum(count for _, _, count in bins) == len(y)
    assert auroc(blind, y) > 0.75


def test_calibration_error_of_a_liar() -> None:
    error, bins = calibration(np.full(100, 0.95), np.zeros(100))
    assert error == pytest.approx(0.95)
    assert bins == [[pytest.approx(0.95), 0.0, 100.0]]


def test_auroc() -> None:
    y = np.array([0.0, 0.0, 1.0, 1.0])
    assert auroc(np.array([1.0, 2.0, 3.0, 4.0]), y) == 1.0
    assert auroc(np.array([1.0, 3.0, 2.0, 4.0]), y) == 0.75
    assert np.isnan(auroc(y, np.zeros(4)))


def test_pieces_fill_one_after_the_other() -> None:
    x = np.array([[-1.0], [0.5], [1.5], [9.0]])
    got = pieces(x, np.array([[0.0, 1.0, 2.0]]))
    assert got.tolist() == [[0, 0], [0.5, 0], [1, 0.5], [1, 1]]


def test_a_network_learns_what_no_sum_can() -> None:
    r = np.random.default_rng(3)
    x = r.uniform(-1, 1, (4000, 2))
    y = (x[:, 0] * x[:, 1] > 0).astype(float)
    w, b = fit_net(x, y, sizes=(12, 6), epochs=40, seed=0)
    score = (np.tanh(np.tanh(x @ w[0] + b[0]) @ w[1] + b[1]) @ w[2] + b[2])[:, 0]
    assert auroc(score, y) > 0.97


def test_tuning_finds_the_one_row_of_a_window_that_tells() -> None:
    # every window has many rows of noise; in half of them one row stands out
    r = np.random.default_rng(6)
    windows, rows = 600, 20
    x = r.normal(0, 0.5, (windows * rows, 3))
    y = (np.arange(windows) % 2).astype(float)
    told = np.flatnonzero(y) * rows + r.integers(0, rows, int(y.sum()))
    x[told, 2] += 3.0
    starts = np.arange(windows + 1) * rows
    ticks = np.repeat(y, rows)  # most rows of a telling window tell nothing
    net = fit_net(x, ticks, sizes=(6, 4), epochs=1, seed=0)
    apart = []
    for _ in range(2):
        w, b = net
        score = (np.tanh(np.tanh(x @ w[0] + b[0]) @ w[1] + b[1]) @ w[2] + b[2])[:, 0]
        apart.append(auroc(np.maximum.reduceat(score, starts[:-1]), y))
        tune_net(net, [x], y, starts=starts, epochs=60, seed=0)
    assert apart[1] > 0.99
    assert apart[1] >= apart[0]


def test_mirrored_twice_is_the_same() -> None:
    x = np.random.default_rng(4).normal(size=(3, len(FALLING_INPUTS)))
    assert mirrored(mirrored(x)) == pytest.approx(x)
    row = dict(zip(FALLING_INPUTS, mirrored(x)[0], strict=True))
    old = dict(zip(FALLING_INPUTS, x[0], strict=True))
    assert row["right_y_in_0.10"] == -old["left_y_in_0.10"]
    assert row["left_z"] == old["right_z"]
    assert row["lean_x"] == old["lean_x"]
    assert row["speed_y"] == -old["speed_y"]
    assert row["tilt"] == old["tilt"]
    assert row["roll_rate"] == old["roll_rate"]  # a size, not a direction
    assert row["left_knee_joint_dq"] == old["right_knee_joint_dq"]
    assert row["left_hip_yaw_joint_q"] == -old["right_hip_yaw_joint_q"]
    name = "ankle_roll_joint_torque_in_0.04"
    assert row[f"right_{name}"] == -old[f"left_{name}"]


@pytest.mark.parametrize(("ticks", "highest"), [(1, 9.0), (2, 2.0), (6, -np.inf)])
def test_a_peak_must_last(
    ticks: int, highest: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bidden.training.safety.train.PERSISTENCE", ticks)
    assert peak(np.array([0.0, 9.0, 0.0, 3.0, 2.0])) == highest
