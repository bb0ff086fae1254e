"""Episodes with a scripted robot: what is recorded, and which cause is found."""

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bidden.core.errors import ModelError
from bidden.core.messages import Goal, Grounding, Rung, Skill
from bidden.evaluation.household.episode import Episode, EpisodeRecord, play
from bidden.evaluation.household.tasks import SKILLS
from bidden.runtime.clock import LatencyHistogram, Timing
from bidden.system.events import ChunkMade, GoalEnded, GoalStarted, Listener, Ticked
from bidden.system.outcome import GoalResult, Outcome

World = Any
Act = Callable[["ScriptedSession", str], str]
PICK_SEED = 900_000 - 900_000 % len(SKILLS) + SKILLS.index("pick")


class ScriptedSession:
    """Understands "... the COLOUR SHAPE ..." and lets a script move the world."""

    def __init__(self, world: World, listener: Listener, act: Act) -> None:
        self.world, self.listener, self._act = world, listener, act
        self.closed = False
        self.rung = Rung.PASS

    def tick(self, *, times: int = 1) -> None:
        for _ in range(times):
            self.listener(
                Ticked(
                    stamp_ns=1,
                    base_pose=np.zeros(3),
                    p_BH=np.zeros((2, 3)),
                    grip_width=np.zeros(2),
                    rung=self.rung,
                    tick=Timing(),
                    policy=Timing(),
                    real_time_factor=1.0,
                )
            )

    def see(self, role: str, phrase: str, *p_B: float) -> None:
        where = Grounding(
            role=role, phrase=phrase, p_B=np.array(p_B), spread_m=0.01, confidence=0.9
        )
        self.listener(
            ChunkMade(stamp_ns=1, policy="x", latency_ms=1, groundings=(where,))
        )

    def ask(self, text: str) -> Outcome:
        named = " ".join(text.split()[-2:])
        goal = Goal(skill=Skill.PICK, instruction=text, phrases={"object": named})
        self.listener(GoalStarted(stamp_ns=0, index=0, total=1, goal=goal))
        self.tick()
        status: Any = self._act(self, named)
        self.tick()
        result = GoalResult(goal=goal, status="done")
        self.listener(GoalEnded(stamp_ns=2, index=0, result=result))
        histogram = LatencyHistogram()
        histogram.add(1_000_000)
        return Outcome(
            instruction=text,
            status=status,
            reply="that is that",
            ticks=10,
            chunks=2,
            rungs={"PASS": 10},
            sim_s=3.0,
            tick_bins=histogram.to_bins(),
        )

    def close(self) -> None:
        self.closed = True


def lift(session: ScriptedSession, name: str) -> str:
    x, y, _ = session.world.things[name].p_W
    session.world.move(name, x, y, 1.0)
    session.world.grasp(name)
    return "done"


@pytest.fixture
def play_with(
    make_world: Callable[[], World],
) -> Callable[..., tuple[EpisodeRecord, list[ScriptedSession]]]:
    def run(act: Act, *, seed: int = PICK_SEED, split: Any = "seen") -> Any:
        sessions: list[ScriptedSession] = []

        def open_session(_: Episode, on_event: Listener) -> ScriptedSession:
            sessions.append(ScriptedSession(make_world(), on_event, act))
            return sessions[-1]

        episode = Episode(split=split, seed=seed, policy="expert", precision="int8")
        return play(episode, open_session=open_session), sessions

    return run


def test_success_is_recorded_with_its_figures(play_with: Any) -> None:
    record, (session,) = play_with(lift)
    assert record.success
    assert record.cause == record.detail == ""
    assert record.acted_on == (record.named["object"],)
    assert (record.goals, record.goals_done) == (1, 1)
    assert (record.ticks, record.chunks, record.sim_s) == (10, 2, 3.0)
    assert LatencyHistogram.from_bins(record.tick_bins).timing().count == 1
    assert session.closed


def test_nothing_of_a_session_is_left_in_memory(
    make_world: Callable[[], World],
) -> None:
    left: list[weakref.ref[ScriptedSession]] = []

    def open_session(_: Episode, on_event: Listener) -> Any:
        session = ScriptedSession(make_world(), on_event, lift)
        session.world.owner = session  # parts of a session know each other
        left.append(weakref.ref(session))
        return session

    episode = Episode(split="seen", seed=PICK_SEED, policy="expert", precision="int8")
    gc.disable()  # as when its C side is large and its Python side small
    try:
        play(episode, open_session=open_session)
    finally:
        gc.enable()
    assert [ref() for ref in left] == [None]


def nothing(_: ScriptedSession, __: str) -> str:
    return "done"


def give_up(session: ScriptedSession, name: str) -> str:
    session.world.pose = np.array([1.0, 0, 0])
    session.see("object", name, *session.world.things[name].p_W - [1.0, 0, 0])
    return "not_achieved"


def stay_away(session: ScriptedSession, name: str) -> str:
    session.see("object", name, *session.world.things[name].p_W)
    return "not_achieved"


def look_elsewhere(session: ScriptedSession, name: str) -> str:
    session.see("object", name, 0.2, 0.2, 0.8)
    return "not_achieved"


def fall(session: ScriptedSession, _: str) -> str:
    session.world.lies = True
    return "done"


def take_another(session: ScriptedSession, name: str) -> str:
    others = [n for n, t in session.world.things.items() if t.kind == "object"]
    return lift(session, next(n for n in others if n != name))


def drop(session: ScriptedSession, name: str) -> str:
    lift(session, name)
    session.tick()
    session.world.grasp(None)
    session.world.move(name, 1, 0, 0.02)
    return "done"


def be_held(session: ScriptedSession, _: str) -> str:
    session.rung = Rung.HOLD
    session.tick(times=10)
    return "not_achieved"


@pytest.mark.parametrize(
    ("act", "cause"),
    [
        (give_up, "missed grasp"),
        (stay_away, "walked wrong"),
        (look_elsewhere, "did not see"),
        (fall, "fall"),
        (take_another, "wrong object"),
        (drop, "dropped"),
        (be_held, "shield hold"),
        (lambda *_: "fault", "fault"),
        (lambda *_: "not_understood", "not understood"),
    ],
)
def test_each_failure_has_its_cause(play_with: Any, act: Act, cause: str) -> None:
    record, _ = play_with(act)
    assert not record.success
    assert record.cause == cause
    assert record.detail == "that is that"
    assert record.falls == (cause == "fall")


def test_doing_nothing_and_saying_done_is_found(play_with: Any) -> None:
    wave = PICK_SEED - SKILLS.index("pick") + SKILLS.index("wave")
    assert play_with(nothing, seed=wave)[0].cause == "stopped early"


def test_second_saying_waits_for_the_first(play_with: Any) -> None:
    seed = PICK_SEED - SKILLS.index("pick") + SKILLS.index("pick_then_put")
    record, _ = play_with(lambda *_: "not_achieved", seed=seed)
    assert len(record.sayings) == 2
    assert record.ticks == 10


def swap_seed() -> int:
    return 900_000  # even seeds pick


def test_swap_counts_acting_on_each_named_object(play_with: Any) -> None:
    record, sessions = play_with(lift, seed=swap_seed(), split="swap")
    assert len(sessions) == 2
    assert record.success
    assert record.acted_on == (record.named["object"], record.named["other"])
    assert (record.ticks, record.goals_done, record.sim_s) == (20, 2, 6.0)


def test_swap_fails_when_one_object_is_always_taken(play_with: Any) -> None:
    record, _ = play_with(
        lambda session, _: lift(session, "red cube"), seed=swap_seed(), split="swap"
    )
    assert not record.success
    assert record.cause == "wrong object"


@pytest.mark.parametrize(
    ("error", "cause", "detail"),
    [
        (ModelError("vision.onnx is altered"), "fault", "vision.onnx is altered"),
        (ZeroDivisionError("oh"), "crash", "ZeroDivisionError: oh (test_episode.py:"),
    ],
)
def test_errors_are_filed_and_the_session_closed(
    play_with: Any, error: Exception, cause: str, detail: str
) -> None:
    def fail(*_: object) -> str:
        raise error

    record, (session,) = play_with(fail)
    assert record.cause == cause
    assert record.detail.startswith(detail)
    assert session.closed
