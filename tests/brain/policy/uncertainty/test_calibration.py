"""A calibration is refused unless it is whole and of this program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bidden.brain.models.contract import (
    Contract,
    Precision,
    contract_path,
    weights_path,
)
from bidden.brain.policy.uncertainty import Calibration, Meter, shipped_calibrations
from bidden.brain.policy.uncertainty.calibration import ANY_SKILL, COLUMNS, Band
from bidden.brain.policy.uncertainty.meter import combine
from bidden.core.errors import ModelError
from bidden.core.messages import Skill

K = len(COLUMNS)


def make(**change: Any) -> Calibration:
    band = Band(goals=20, usual=(0.5,) * K, width=(0.5,) * K)
    fields: dict[str, Any] = {
        "policy": "script",
        "weights": "none",
        "data": "d",
        "seeds": (700000, 700019),
        "episodes": 20,
        "maxima": tuple(np.linspace(0, 2, 39).tolist()),
        "acting_maxima": tuple(np.linspace(0, 2, 39).tolist()),
        "alpha": 0.05,
        "slow_alpha": 0.2,
        "k": 2,
        "n": 3,
        "columns": COLUMNS,
        "bands": {ANY_SKILL: band},
        "novelty": None,
        "made_by": "",
        "version": "0",
    }
    return Calibration(**fields | change)


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "doubt.json"
    made = make()
    made.save(path)
    assert Calibration.load(path) == made


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"schema": 7}, "schema 7"),
        ({"columns": COLUMNS[:-1]}, "this program has"),
        ({"alpha": 0.3}, "alpha <= slow_alpha"),
        ({"alpha": float("nan")}, "alpha <= slow_alpha"),
        ({"k": 4}, "1 <= k <= n"),
        ({"bands": {}}, "not calibrated is missing"),
        (
            {"maxima": (1.0,) * 18, "acting_maxima": (1.0,) * 18},
            "18 successes cannot promise 0.05: it takes 19",
        ),
        ({"maxima": (2.0, *(1.0,) * 38)}, "ascending"),
        ({"acting_maxima": (2.0, *(1.0,) * 38)}, "ascending"),
        ({"acting_maxima": (1.0,) * 38}, "same successes"),
        ({"maxima": (*(1.0,) * 38, float("inf"))}, "finite"),
        ({"bands": {ANY_SKILL: Band(goals=1, usual=(), width=())}}, f"{K} numbers"),
        (
            {"bands": {ANY_SKILL: Band(goals=1, usual=(0.0,) * K, width=(0.0,) * K)}},
            "above 0",
        ),
    ],
)
def test_a_wrong_value_is_refused(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        make(**change)


@pytest.mark.parametrize("text", ["", "{}", '{"polic": 1}'])
def test_a_broken_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "doubt.json"
    path.write_text(text)
    with pytest.raises(ModelError, match=r"bad calibration .*doubt\.json"):
        Calibration.load(path)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="make one with `bidden calibrate`"):
        Calibration.load(tmp_path / "none.json")


def test_a_skill_without_a_band_gets_the_common_one() -> None:
    own = Band(goals=9, usual=(1.0,) * K, width=(1.0,) * K)
    made = make()
    made = make(bands={**made.bands, "pick": own})
    assert made.band("pick") is own
    assert made.band("wave") is made.bands[ANY_SKILL]


def test_doubt_needs_persistence(observe: Any, chunk_of: Any, goal_of: Any) -> None:
    """One chunk that disagrees says nothing; two of three do."""
    goal, meter = goal_of(Skill.WAVE), Meter(make())
    meter.reset(goal)
    wild = np.zeros((8, 12))
    readings = []
    for step in range(8):
        wild = -wild if step > 3 else wild
        if step == 3:
            wild = wild.copy()
            wild[:, 0] = 0.4
        readings.append(
            meter.step(chunk_of(step, actions=wild), observe(goal, step), None)
        )
    ranks = [r.acting for r in readings]
    assert max(ranks[:4]) == 0
    assert ranks[4] < 0.3
    assert ranks[7] > 0.8
    assert readings[7].acting_worst in ("jump", "disagreement", "reversal", "drag")
    meter.reset(goal)
    calm = meter.step(chunk_of(0), observe(goal, 0), None)
    assert (calm.score, calm.uncertainty) == (0, 0)


@pytest.mark.parametrize(
    ("excess", "expected"),
    [
        ([-3.0, -1.0], 0.0),
        ([2.0, -1.0, 0.5], 2.5),
        ([2.0, 3.0, 1.0], 5.0),
        ([4.0], 4.0),
        ([], 0.0),
    ],
)
def test_the_two_worst_are_added(excess: list[float], expected: float) -> None:
    assert combine(np.array(excess)) == expected


def test_a_signal_that_is_no_number_counts() -> None:
    assert np.isnan(combine(np.array([0.0, np.nan, 1.0])))


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_a_calibration_is_shipped_for_the_shipped_weights(precision: Precision) -> None:
    """After new weights: `bidden calibrate`, see docs/safety.md."""
    hashes = [
        Contract.load(contract_path(weights_path(name, precision))).sha256[:12]
        for name in ("vision", "fusion")
    ]
    files = shipped_calibrations("compact")
    (made,) = (c for c in map(Calibration.load, files) if c.weights == "-".join(hashes))
    assert made.novelty is not None
    assert made.seeds[1] < 900_000
    assert all(file.stat().st_size < 300_000 for file in files)
