"""`bidden eval household`: the line at the end."""

import json
from typing import Any

import pytest

from bidden.cli.main import main
from bidden.evaluation.household import suite
from bidden.evaluation.household.episode import Episode, EpisodeRecord


@pytest.fixture(autouse=True)
def _play_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def here(episodes: list[Episode], **_: object) -> Any:
        for e in episodes:
            crash = e.policy == "random"
            yield EpisodeRecord(
                seed=e.seed,
                skill="pick",
                sayings=("x",),
                named={},
                success=bool(e.seed % 2),
                cause="crash" if crash else "dropped" if not e.seed % 2 else "",
            )

    monkeypatch.setattr(suite, "play_all", here)


def test_last_line_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["eval", "household", "--episodes", "10", "--policy", "expert"]
    assert main(argv) == 0
    out, err = capsys.readouterr()
    assert out.count("\n") == 1
    tree = json.loads(out)
    assert (tree["episodes"], tree["success"]) == (10, 0.5)
    assert "10/10 episodes, 50 % right" in err
    assert "pick" in err
    assert "failures: dropped 5" in err


def test_json_flag_leaves_the_table_out(capsys: pytest.CaptureFixture[str]) -> None:
    main(["eval", "household", "--episodes", "10", "--policy", "expert", "--json"])
    assert "failures" not in capsys.readouterr().err


def test_crashes_are_a_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "household", "--episodes", "2", "--policy", "random"]) == 4
    assert json.loads(capsys.readouterr().out)["crashes"] == 2


def test_training_seeds_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "household", "--seed", "7"]) == 2
    assert "seed 7 belongs to training" in capsys.readouterr().err


def test_flags_agree_with_the_suite() -> None:
    from bidden.adapters.sim.scene import FIRST_EVALUATION_SEED
    from bidden.cli.commands import evaluate, grounding
    from bidden.evaluation.household.tasks import SPLITS

    assert evaluate.SPLITS == SPLITS
    assert grounding.FIRST_SEED == FIRST_EVALUATION_SEED


def test_grounding_ends_with_a_line_of_rows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from bidden.evaluation import grounding

    def rows(split: Any, episodes: int, *, on_progress: Any, **_: object) -> Any:
        on_progress(episodes)
        row = grounding.Row(
            split=split, distance="table", sensor="rgbd", asked=9, precise=0.9,
            precise_ci95=(0.6, 0.98), wrong=0.0, wrong_ci95=(0.0, 0.3), median_mm=3.2,
            p90_mm=8.1, confident_wrong=0.0,
        )  # fmt: skip
        return [row]

    monkeypatch.setattr(grounding, "evaluate", rows)
    assert main(["eval", "grounding", "--episodes", "3"]) == 0
    out, err = capsys.readouterr()
    tree = json.loads(out)
    assert [row["split"] for row in tree["rows"]] == ["seen", "unseen-pairs"]
    assert tree["seeds"] == [900_000, 900_002]
    assert "3.2 mm" in err
    assert main(["eval", "grounding", "--seed", "3"]) == 2
    assert "seeds begin at 900000" in capsys.readouterr().err
