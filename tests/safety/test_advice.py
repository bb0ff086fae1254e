"""Advice from watches: it makes a verdict stricter, never looser."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bidden.core.messages import Advice, Rung
from bidden.safety import ADVISED


def advice(rung: Rung, reason: str = "policy_uncertain") -> Advice:
    return Advice(stamp_ns=0, rung=rung, reason=reason)


@pytest.mark.parametrize("reason", sorted(ADVISED))
@pytest.mark.parametrize("rung", [Rung.WARN, Rung.SLOW, Rung.HOLD, Rung.SETTLE])
def test_advice_raises_the_rung(bench: Any, rung: Rung, reason: str) -> None:
    _, verdict = bench.tick(advice=[advice(rung, reason)])
    assert verdict.rung is rung
    assert reason in verdict.reasons


@pytest.mark.parametrize("rung", [Rung.PASS, Rung.WARN])
def test_advice_cannot_loosen(make_bench: Any, rung: Rung) -> None:
    _, verdict = make_bench(arm=False).tick(advice=[advice(rung)])
    assert verdict.rung is Rung.HOLD


def test_slow_advice_means_reduced_speed(bench: Any) -> None:
    for _ in range(20):
        vetted, _ = bench.tick(
            base_velocity=np.array([0.4, 0, 0]), advice=[advice(Rung.SLOW)]
        )
    assert vetted.command.base_velocity[0] == pytest.approx(0.25)


@pytest.mark.parametrize(
    "bad",
    ["hold", None, advice(Rung.WARN, "made_up"), advice(99)],  # type: ignore[arg-type]
)
def test_advice_that_cannot_be_read_means_hold(bench: Any, bad: Any) -> None:
    vetted, verdict = bench.tick(base_velocity=np.array([0.4, 0, 0]), advice=[bad])
    assert verdict.rung is Rung.HOLD
    assert "internal_error" in verdict.reasons
    assert np.all(vetted.command.base_velocity == 0)


def test_the_worst_advice_wins(bench: Any) -> None:
    found = [advice(Rung.WARN, "foreseen_fall"), advice(Rung.HOLD, "foreseen_contact")]
    _, verdict = bench.tick(advice=found)
    assert verdict.reasons[0] == "foreseen_contact"


def test_a_slow_approach_is_not_stopped_by_slow_advice(bench: Any) -> None:
    wish = np.array([0.15, 0.05, 0.2])
    for _ in range(20):
        vetted, _ = bench.tick(base_velocity=wish, advice=[advice(Rung.SLOW)])
    assert vetted.command.base_velocity == pytest.approx(wish)
