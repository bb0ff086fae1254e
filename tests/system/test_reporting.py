"""Messages in words, and the caption of a film."""

from pathlib import Path

import numpy as np
import pytest

from bidden.core.messages import Goal, Grounding, Rung, Skill, Verdict
from bidden.runtime.clock import Timing
from bidden.system.events import (
    ChunkMade,
    Finished,
    FrameReady,
    GoalStarted,
    Heard,
    Said,
    Verdicted,
)
from bidden.system.outcome import Outcome
from bidden.system.reporting.film import Film
from bidden.system.reporting.words import (
    describe_goal,
    describe_grounding,
    describe_ladder,
    describe_timing,
    describe_verdict,
    shorten,
)


def goal(skill: Skill, *, relation: str = "", **phrases: str) -> Goal:
    return Goal(skill=skill, instruction="", phrases=phrases, relation=relation)


def move(*amount: float) -> Goal:
    return Goal(skill=Skill.MOVE_BY, instruction="", amount=np.array(amount))


def seen(x: float, y: float, *, confidence: float = 0.9) -> Grounding:
    return Grounding(
        role="object",
        phrase="red cube",
        p_B=np.array([x, y, 0.8]),
        spread_m=0.012,
        confidence=confidence,
    )


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (goal(Skill.PICK, object="red cube"), "pick up the red cube"),
        (goal(Skill.WALK_TO, landmark="door"), "walk to the door"),
        (goal(Skill.WALK_TO, object="red cube"), "walk to the red cube"),
        (goal(Skill.FACE, landmark="plant"), "face the plant"),
        (
            goal(Skill.PUT, relation="in", receptacle="blue bowl"),
            "put it in the blue bowl",
        ),
        (
            goal(Skill.PUT, object="ball", receptacle="tray"),
            "put the ball on the tray",
        ),
        (goal(Skill.WAVE), "wave"),
        (move(1.0, 0, 0), "walk 1.00 m forward"),
        (move(-0.5, 0.25, 0), "walk 0.50 m back and 0.25 m to the left"),
        (move(0, 0, -np.pi / 2), "turn 90° right"),
        (move(1, -1, 1), "walk 1.00 m forward and 1.00 m to the right, turn 57° left"),
        (move(0, 0, 0), "stay where it is"),
        (goal(Skill.MOVE_BY), "move"),
    ],
)
def test_goals_in_words(asked: Goal, words: str) -> None:
    assert describe_goal(asked) == words


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (seen(1.316, 0.092), "red cube 1.32 m ahead, 4° left ± 12 mm"),
        (seen(1, 0), "red cube 1.00 m straight ahead ± 12 mm"),
        (seen(1, -1), "red cube 1.41 m ahead, 45° right ± 12 mm"),
        (seen(-1, 1), "red cube 1.41 m away, 135° left ± 12 mm"),
        (seen(1, 0, confidence=0.2), "red cube: not seen"),
        (seen(1, 0, confidence=float("nan")), "red cube: not seen"),
        (seen(float("nan"), 0), "red cube: not seen"),
    ],
)
def test_groundings_in_words(where: Grounding, words: str) -> None:
    assert describe_grounding(where) == words


def test_verdicts_in_words() -> None:
    assert describe_verdict(Verdict(stamp_ns=0, rung=Rung.PASS)) == "pass"
    slow = Verdict(stamp_ns=0, rung=Rung.SLOW, reasons=("hand_speed", "scene"))
    assert describe_verdict(slow) == "slow: hand_speed, scene"


def test_figures_in_words() -> None:
    assert describe_timing(Timing()) == "-"
    timing = Timing(count=3, p50_ms=0.5, p99_ms=1.25, worst_ms=2)
    assert describe_timing(timing) == "p50 0.50 ms, p99 1.25 ms"
    outcome = Outcome(
        instruction="", status="done", reply="", rungs={"HOLD": 1, "PASS": 3}
    )
    assert describe_ladder(outcome) == "pass 75.0 %, hold 25.0 %"
    assert describe_ladder(Outcome(instruction="", status="done", reply="")) == "-"


def test_film_tells_what_is_heard_done_and_judged(tmp_path: Path) -> None:
    film = Film(tmp_path / "run.mp4", fps=10)
    pick = goal(Skill.PICK, object="red cube")
    hold = Verdict(stamp_ns=0, rung=Rung.HOLD, reasons=("stale",))
    outcome = Outcome(instruction="", status="not_achieved", reply="")
    frame = FrameReady(stamp_ns=0, rgb=np.zeros((64, 64, 3), np.uint8))

    film(Heard(stamp_ns=0, text="pick up the red cube"))
    film(GoalStarted(stamp_ns=0, index=0, total=2, goal=pick))
    film(ChunkMade(stamp_ns=0, policy="x", latency_ms=1, groundings=(seen(1, 0),)))
    film(frame)
    assert film.lines() == [
        ("heard: “pick up the red cube”", "plain"),
        (
            "pick up the red cube (1 of 2) · red cube 1.00 m straight ahead ± 12 mm",
            "plain",
        ),
        ("shield: -", "dim"),
    ]
    film(Verdicted(stamp_ns=0, verdict=hold, before=Rung.PASS))
    assert film.lines()[2] == ("shield: hold: stale", "bad")
    film(Said(stamp_ns=0, text="I cannot see it."))
    film(Finished(stamp_ns=0, outcome=outcome))
    film(frame)
    film.close()
    assert film.lines()[1:] == [
        ("not achieved", "bad"),
        ("says: “I cannot see it.”", "plain"),
    ]
    assert film.writer.frames == 2
    assert (tmp_path / "run.mp4").stat().st_size > 0


def test_endless_words_are_cut_and_put_on_one_line() -> None:
    assert shorten("walk\n to\tthe door") == "walk to the door"
    cut = shorten("please " * 10_000)
    assert len(cut) <= 200
    assert cut.endswith("…")
