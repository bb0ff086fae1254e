"""From words to an outcome: every way that an instruction can end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bidden.core.clauses import Reply, ReplyKind, Understanding
from bidden.core.messages import ActionChunk, Advice, Goal, Observation, Rung, Skill
from bidden.system.events import (
    ChunkMade,
    Finished,
    GoalStarted,
    Heard,
    Said,
    Ticked,
    Understood,
)
from bidden.system.orchestrator import Orchestrator
from bidden.system.progress import LIMIT_S

Make = Callable[..., ActionChunk]
PICK = "pick up the red cube"


def grasping(chunk_of: Make) -> Callable[[Observation], ActionChunk]:
    """A policy that closes its hand and says that it is done."""

    def script(o: Observation) -> ActionChunk:
        grip = float(o.goal.skill is Skill.PICK or o.grip_command[o.goal.hand])
        done = float((o.stamp_ns - o.started_ns) * 1e-9 > 0.9)
        return chunk_of(o.stamp_ns, grip=grip, hand=o.goal.hand, done=done)

    return script


def stands(stage: Any) -> bool:
    """Nothing is left to play, and the last commands stood still."""
    last = [vetted.command.base_velocity for vetted in stage.robot.written[-5:]]
    return stage.loop.executor.chunk is None and not np.any(last)


def test_a_policy_is_told_that_the_body_was_held(stage: Any, chunk_of: Make) -> None:
    told: list[bool] = []

    def script(o: Observation) -> ActionChunk:
        told.append(o.was_held)
        return chunk_of(o.stamp_ns, vx=0.2, done=float(len(told) > 6))

    class Careful:
        def reset(self, goal: Goal) -> None: ...

        def judge(self, chunk: ActionChunk, o: Observation) -> Advice | None:
            if len(told) not in (2, 3):
                return None
            reason = "policy_uncertain"
            return Advice(stamp_ns=o.stamp_ns, rung=Rung.HOLD, reason=reason)

    stage.says(script)
    orchestrator = Orchestrator(
        stage.loop,
        {},
        language=stage.orchestrator._language,
        policy=stage.policy,
        on_event=stage.events.append,
        watches=(Careful(),),
    )
    for _ in range(2):  # and what was held before an order is not told
        told.clear()
        assert orchestrator.ask("walk one metre forward").status == "done"
        assert told[:6] == [False, False, True, True, False, False]


# -- words that give nothing to do ---------------------------------------------
@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (ReplyKind.QUESTION, "not_understood"),
        (ReplyKind.UNKNOWN, "not_understood"),
        (ReplyKind.REFUSAL, "refused"),
        (ReplyKind.NOTED, "done"),
    ],
)
def test_a_reply_moves_nothing(
    stage: Any, monkeypatch: pytest.MonkeyPatch, kind: ReplyKind, status: str
) -> None:
    monkeypatch.setattr(
        stage.orchestrator._language,
        "understand",
        lambda said, context: Understanding(
            text=said.text, reply=Reply(kind=kind, text="Words.")
        ),
    )
    stage.robot.written.clear()
    outcome = stage.orchestrator.ask("anything")
    assert (outcome.status, outcome.reply) == (status, "Words.")
    assert (outcome.goals, outcome.ticks, outcome.chunks) == ((), 0, 0)
    assert stage.robot.written == []
    assert stage.policy.calls == 0
    assert stage.named() == ["Heard", "Understood", "Said", "Finished"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "word " * 10_000,
        "🤖🤖🤖",
        "nimm den roten Würfel",
        "\x00\x1b[2J",
        "a\nb",
    ],
)
def test_bad_words_move_nothing(stage: Any, text: str) -> None:
    stage.robot.written.clear()
    outcome = stage.orchestrator.ask(text)
    assert outcome.status in ("not_understood", "refused")
    assert outcome.reply
    assert stage.robot.written == []


# -- the good end -----------------------------------------------------------------
def test_events_come_in_order(stage: Any) -> None:
    outcome = stage.orchestrator.ask("wave, then turn left by 90 degrees")
    assert outcome.status == "done"
    assert [g.goal.skill for g in outcome.goals] == [Skill.WAVE, Skill.MOVE_BY]
    names = stage.named()
    assert names[:3] == ["Heard", "Understood", "GoalStarted"]
    assert names[-3:] == ["GoalEnded", "Said", "Finished"]
    marks = [n for n in names if n.startswith("Goal")]
    assert marks == ["GoalStarted", "GoalEnded"] * 2
    started = [e for e in stage.events if isinstance(e, GoalStarted)]
    assert [(e.index, e.total) for e in started] == [(0, 2), (1, 2)]
    stamps = [e.stamp_ns for e in stage.events]
    assert stamps == sorted(stamps)
    for kind in (Heard, Understood, Said, Finished):
        assert sum(isinstance(e, kind) for e in stage.events) == 1
    assert isinstance(stage.events[-1], Finished)
    assert stage.events[-1].outcome is outcome


def test_the_outcome_has_the_figures_of_its_run(stage: Any) -> None:
    first = stage.orchestrator.ask("wave")
    second = stage.orchestrator.ask("wave")
    chunks = sum(isinstance(e, ChunkMade) for e in stage.events)
    assert first.chunks == second.chunks == chunks / 2
    assert first.ticks == second.ticks == sum(first.rungs.values())
    assert first.sim_s == pytest.approx(first.ticks * 0.02)
    assert (first.falls, first.violations, first.skipped_ticks) == (0, 0, 0)
    assert first.tick.count == first.ticks
    assert first.policy.count == first.chunks
    assert any(isinstance(e, Ticked) for e in stage.events)


def test_done_needs_two_chunks_that_say_so(stage: Any, chunk_of: Make) -> None:
    flicker = iter([1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0])
    stage.says(lambda o: chunk_of(o.stamp_ns, done=next(flicker)))
    assert stage.orchestrator.ask("wave").status == "done"
    assert stage.policy.calls == 6


def test_policy_sees_where_the_goal_began(stage: Any, chunk_of: Make) -> None:
    seen: list[Observation] = []

    def script(o: Observation) -> ActionChunk:
        seen.append(o)
        return chunk_of(o.stamp_ns, vx=0.2, done=float(len(seen) > 5))

    stage.says(script)
    stage.orchestrator.ask("walk one metre forward")
    assert {o.started_ns for o in seen} == {seen[0].started_ns}
    assert all(np.array_equal(o.start_pose, seen[0].start_pose) for o in seen)
    assert seen[-1].state.base_pose[0] > seen[0].state.base_pose[0]
    assert np.diff([o.stamp_ns for o in seen]).tolist() == [200_000_000] * 6


# -- interrupts ---------------------------------------------------------------------
def test_an_interrupt_leaves_it_standing(stage: Any, chunk_of: Make) -> None:
    def script(o: Observation) -> ActionChunk:
        if stage.policy.calls == 4:
            stage.orchestrator.interrupt()
        return chunk_of(o.stamp_ns, vx=0.3)

    stage.says(script)
    outcome = stage.orchestrator.ask("walk one metre forward, then wave")
    assert outcome.status == "interrupted"
    assert outcome.reply == "You stopped me; I stand still."
    assert [g.status for g in outcome.goals] == ["interrupted", "skipped"]
    assert stage.policy.calls == 4
    assert stands(stage)
    stage.says(lambda o: chunk_of(o.stamp_ns, done=1.0))
    assert stage.orchestrator.ask("wave").status == "done"  # and it goes on after


def test_an_error_in_the_policy_leaves_it_standing(stage: Any, chunk_of: Make) -> None:
    def script(o: Observation) -> ActionChunk:
        if stage.policy.calls == 3:
            raise KeyboardInterrupt
        return chunk_of(o.stamp_ns, vx=0.3)

    stage.says(script)
    with pytest.raises(KeyboardInterrupt):
        stage.orchestrator.ask("walk one metre forward")
    assert stands(stage)


# -- giving up ------------------------------------------------------------------------
def test_search_gives_up_after_a_full_turn(stage: Any, chunk_of: Make) -> None:
    stage.says(lambda o: replace(chunk_of(o.stamp_ns, wz=0.5), searching=True))
    outcome = stage.orchestrator.ask("walk to the red cube")
    assert outcome.status == "not_achieved"
    assert outcome.reply == "I looked all around and cannot see a red cube."
    turned = 0.5 * outcome.sim_s
    assert 2 * np.pi < turned < 2 * np.pi + 1.6
    assert stands(stage)


def test_a_find_halfway_starts_the_search_anew(stage: Any, chunk_of: Make) -> None:
    def script(o: Observation) -> ActionChunk:
        lost = stage.policy.calls != 40
        return replace(chunk_of(o.stamp_ns, wz=0.5), searching=lost)

    stage.says(script)
    outcome = stage.orchestrator.ask("walk to the red cube")
    assert "cannot see" in outcome.reply
    assert outcome.sim_s > 8.0 + 2 * np.pi / 0.5


def test_a_skill_runs_out_of_time(stage: Any, chunk_of: Make) -> None:
    stage.says(lambda o: chunk_of(o.stamp_ns))
    outcome = stage.orchestrator.ask("wave, then walk to the door")
    assert outcome.status == "not_achieved"
    assert outcome.reply == f"I ran out of time after {LIMIT_S[Skill.WAVE]:.0f} s."
    assert [g.status for g in outcome.goals] == ["not_achieved", "skipped"]
    assert outcome.goals[1].reason == "an earlier goal failed"
    assert stands(stage)


def test_a_missed_pick_is_tried_again(stage: Any, chunk_of: Make) -> None:
    stage.says(grasping(chunk_of))
    outcome = stage.orchestrator.ask(PICK)
    assert outcome.status == "not_achieved"
    assert outcome.reply == "I could not get hold of the red cube."
    skills = [g.skill for g in stage.policy.goals]
    assert skills == [Skill.PICK, Skill.MOVE_BY] * 2  # each ends with a step back
    assert stage.orchestrator.context.holding == ""


def test_the_second_try_counts(stage: Any, chunk_of: Make) -> None:
    close = grasping(chunk_of)

    def script(o: Observation) -> ActionChunk:
        tries = [g.skill for g in stage.policy.goals].count(Skill.PICK)
        stage.robot.something_between = tries == 2
        return close(o)

    stage.says(script)
    outcome = stage.orchestrator.ask(PICK)
    assert outcome.status == "done"
    assert outcome.reply == "Done: pick up the red cube."
    assert stage.orchestrator.context.holding == "red cube"
    assert stage.orchestrator.context.hand == stage.policy.goals[0].hand


def test_what_is_held_is_forgotten_once_put_down(stage: Any, chunk_of: Make) -> None:
    stage.robot.something_between = True
    stage.says(grasping(chunk_of))
    assert stage.orchestrator.ask(PICK).status == "done"
    assert stage.orchestrator.ask("put it in the blue bowl").status == "done"
    context = stage.orchestrator.context
    assert (context.holding, context.hand) == ("", None)
    assert (context.last_object, context.last_place) == ("red cube", "blue bowl")


def test_a_question_of_the_policy_is_passed_on(stage: Any, chunk_of: Make) -> None:
    ask = "I see 2 things that could be the red cube. Which one?"
    stage.says(lambda o: replace(chunk_of(o.stamp_ns, vx=0.3), note=ask))
    outcome = stage.orchestrator.ask("walk to the red cube")
    assert (outcome.status, outcome.reply) == ("not_understood", ask)
    assert outcome.chunks == 1
    assert not stage.robot.pose.any()


# -- faults ---------------------------------------------------------------------------
def test_blindness_becomes_a_fault(stage: Any, chunk_of: Make) -> None:
    note = "no image from the head camera"
    stage.says(lambda o: replace(chunk_of(o.stamp_ns), note=note))
    outcome = stage.orchestrator.ask("walk to the red cube")
    assert (outcome.status, outcome.reply) == ("fault", note)
    assert outcome.chunks == stage.orchestrator.config.blind_chunks


def test_a_moment_of_blindness_is_forgiven(stage: Any, chunk_of: Make) -> None:
    def script(o: Observation) -> ActionChunk:
        blind = stage.policy.calls % 9 != 0
        note = "image of head is black" if blind else ""
        done = float(stage.policy.calls >= 26)
        return replace(chunk_of(o.stamp_ns, done=done), note=note)

    stage.says(script)
    assert stage.orchestrator.ask("walk to the red cube").status == "done"


def test_a_fall_ends_everything(stage: Any, chunk_of: Make) -> None:
    def script(o: Observation) -> ActionChunk:
        if stage.policy.calls == 3:
            stage.robot.gravity = np.array([0.95, 0.0, -0.31])
        return chunk_of(o.stamp_ns, vx=0.3)

    stage.says(script)
    outcome = stage.orchestrator.ask("walk one metre forward, then wave")
    assert outcome.status == "fault"
    assert outcome.reply == "I have fallen."
    assert outcome.falls == 1
    assert outcome.goals[1].status == "skipped"
    assert stands(stage)


def test_cameras_are_read_once_a_chunk(stage: Any, chunk_of: Make) -> None:
    class Eye:
        name, reads, depth = "head", 0, None

        def read(self) -> Any:
            self.reads += 1
            return self

    eye = Eye()
    seen: list[dict[str, Any]] = []

    def script(o: Observation) -> ActionChunk:
        seen.append(o.images)
        return chunk_of(o.stamp_ns, done=1.0)

    stage.says(script)
    orchestrator = Orchestrator(
        stage.loop,
        {"head": eye},  # type: ignore[dict-item]
        language=stage.orchestrator._language,
        policy=stage.policy,
        on_event=stage.events.append,
    )
    assert orchestrator.ask("wave").status == "done"
    assert eye.reads == len(seen) == 2
    assert all(images == {"head": eye} for images in seen)


@pytest.mark.parametrize(
    ("text", "least_s"),
    [("walk two metres forward", 10.0), ("turn around", 10.0)],
)
def test_far_moves_get_more_time(
    stage: Any, chunk_of: Make, text: str, least_s: float
) -> None:
    stage.says(lambda o: chunk_of(o.stamp_ns))
    near = stage.orchestrator.ask("walk one centimetre forward")
    far = stage.orchestrator.ask(text)
    assert near.status == far.status == "not_achieved"
    assert far.sim_s > near.sim_s + least_s


# -- watches ------------------------------------------------------------------------
class Worrier:
    """A watch that asks for one rung from its third chunk on."""

    def __init__(self, rung: Rung) -> None:
        self.rung, self.seen, self.goals = rung, 0, 0

    def reset(self, goal: Goal) -> None:
        self.goals += 1

    def judge(self, chunk: ActionChunk, observation: Observation) -> Advice | None:
        self.seen += 1
        if self.seen < 3:
            return None
        return Advice(
            stamp_ns=chunk.stamp_ns, rung=self.rung, reason="foreseen_contact"
        )


def test_a_watch_speaks_before_the_chunk_moves(stage: Any, chunk_of: Make) -> None:
    worrier = Worrier(Rung.HOLD)
    stage.orchestrator._watches = (worrier,)
    stage.says(lambda o: chunk_of(o.stamp_ns, vx=0.3))
    stage.robot.written.clear()
    outcome = stage.orchestrator.ask("walk one metre")
    assert outcome.status == "not_achieved"
    assert (worrier.goals, worrier.seen > 3) == (1, True)
    moving = [bool(np.any(w.command.base_velocity)) for w in stage.robot.written]
    assert any(moving[:20])
    assert not any(moving[20:])
    assert outcome.reasons["foreseen_contact"] > 100
    assert stage.orchestrator.loop.advice == ()
