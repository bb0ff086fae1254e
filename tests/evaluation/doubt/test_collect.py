"""Collection goes on where it stopped, and keeps off the seeds of evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bidden.core.errors import ConfigError
from bidden.evaluation.doubt.collect import Case, collect
from bidden.evaluation.doubt.trail import Trail


def test_what_is_filed_is_not_played_again(trail_of: Any, tmp_path: Path) -> None:
    played: list[int] = []

    def play(case: Case) -> Trail:
        if case.seed == 700_002 and len(played) == 2:
            raise KeyboardInterrupt
        played.append(case.seed)
        return trail_of(seed=case.seed)

    cases = [Case(seed=700_000 + k) for k in range(4)]
    with pytest.raises(KeyboardInterrupt):
        list(collect(cases, tmp_path, workers=0, play_one=play))
    assert played == [700_000, 700_001]
    played.append(-1)
    trails = list(collect(cases, tmp_path, workers=0, play_one=play))
    assert played == [700_000, 700_001, -1, 700_002, 700_003]
    assert [t.head.record.seed for t in trails] == [700_000 + k for k in range(4)]


def test_every_case_has_a_file_of_its_own() -> None:
    cases = [
        Case(seed=1),
        Case(seed=2),
        Case(seed=1, split="unseen-pairs"),
        Case(seed=1, precision="fp32"),
        Case(seed=1, policy="expert"),
        Case(seed=1, weakness="noise", strength=0.2),
        Case(seed=1, weakness="noise", strength=0.3),
        Case(seed=1, doubt=True),
    ]
    assert len({case.file for case in cases}) == len(cases)


@pytest.mark.parametrize("seed", [-1, 900_000, 950_200])
def test_seeds_of_evaluation_are_refused(seed: int) -> None:
    with pytest.raises(ConfigError, match="belongs to evaluation"):
        Case(seed=seed)


def test_an_unknown_weakness_is_refused() -> None:
    with pytest.raises(ConfigError, match="blocked"):
        Case(seed=1, weakness="block", strength=0.1)


@pytest.mark.slow
def test_a_played_episode_leaves_a_trail(tmp_path: Path) -> None:
    """The real thing, with a weakness: what the policy got was not what was shown."""
    case = Case(seed=700_007, weakness="noise", strength=0.5)
    (trail,) = collect([case], tmp_path, workers=1)
    assert trail.head.policy == "compact"
    assert len(trail.head.weights) == 25
    assert (trail.head.weakness, trail.head.strength) == ("noise", 0.5)
    assert len(trail) > 5
    assert all(step.view is not None for step in trail.steps())
