"""Whole tasks in real physics, by the expert, through the one control loop."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from bidden.adapters.sim.house import SessionConfig, open_session
from bidden.core.messages import Skill
from bidden.system.events import ChunkMade, Event, Ticked

EXAMPLE = Path(__file__).parents[3] / "examples" / "04_your_scene.toml"


def test_a_session_walks_and_turns_by_what_was_said() -> None:
    events: list[Event] = []
    config = SessionConfig(scene=EXAMPLE, policy="expert")
    with closing(open_session(config, on_event=events.append)) as session:
        before = session.world.robot_pose()
        outcome = session.ask("turn left by 60 degrees")
        turned = session.world.robot_pose()[2] - before[2]
    assert outcome.status == "done", outcome.reply
    assert np.rad2deg(turned) == pytest.approx(60, abs=9)
    assert outcome.falls == outcome.violations == outcome.skipped_ticks == 0
    assert outcome.rungs["PASS"] > 0.8 * outcome.ticks
    assert sum(isinstance(e, ChunkMade) for e in events) == outcome.chunks
    assert all(np.isfinite(e.base_pose).all() for e in events if isinstance(e, Ticked))


def test_what_is_not_there_moves_nothing_for_ever() -> None:
    config = SessionConfig(scene=EXAMPLE, policy="expert")
    with closing(open_session(config)) as session:
        outcome = session.ask("face the green bin")
    assert outcome.status == "not_achieved"
    assert "cannot see a green bin" in outcome.reply
    assert outcome.sim_s < 25
    assert outcome.falls == 0


@pytest.mark.slow
@pytest.mark.parametrize("hand", ["right", "left"])
def test_the_expert_picks_up_and_puts_down(hand: str) -> None:
    config = SessionConfig(scene=EXAMPLE, policy="expert")
    with closing(open_session(config)) as session:
        pick = session.ask(f"pick up the red cube with your {hand} hand")
        assert pick.status == "done", pick.reply
        assert pick.goals[0].goal.skill is Skill.PICK
        index = pick.goals[0].goal.hand
        assert index == ("right", "left").index(hand)
        assert session.world.held(index) == "red cube"
        put = session.ask("put it in the blue bowl")
        assert put.status == "done", put.reply
        truth = session.world.truth()
        cube, bowl = truth["red cube"].p_W, truth["blue bowl"].p_W
        assert np.hypot(*(cube - bowl)[:2]) < 0.07
        assert session.world.held(index) is None
    for outcome in (pick, put):
        assert outcome.falls == outcome.violations == 0


@pytest.mark.slow
def test_the_same_seed_is_the_same_episode() -> None:
    def play() -> tuple[float, list[float]]:
        with closing(open_session(SessionConfig(seed=5, policy="expert"))) as session:
            outcome = session.ask("walk one metre forward")
            return outcome.sim_s, session.world.data.qpos.tolist()

    assert play() == play()
