"""One episode: a room, an instruction, and the judgement by the truth."""

from __future__ import annotations

import gc
import traceback
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from bidden.core.errors import BiddenError
from bidden.runtime.clock import NS_PER_S, LatencyHistogram, stopwatch_ns
from bidden.system.events import Listener
from bidden.system.outcome import Outcome

from .causes import find_cause
from .success import acted_on, is_done, is_goal_done
from .tasks import Split, Task, draw_swap, draw_task
from .watch import Snapshot, Truth, Watch

PolicyName = Literal["compact", "expert", "random"]
Precision = Literal["int8", "fp32"]


class Episode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to try; an episode is fixed by these values."""

    split: Split
    seed: int
    policy: PolicyName
    precision: Precision
    video: str = ""  # MP4 file to film into, "" for none


class EpisodeRecord(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """What came of it; one line of `episodes.jsonl`."""

    seed: int
    skill: str
    sayings: tuple[str, ...]
    named: dict[str, str]  # role -> thing
    success: bool
    cause: str = ""  # why not, see `causes.Cause`
    detail: str = ""  # the robot's last words, or the error
    status: str = ""  # the robot's own opinion
    acted_on: tuple[str, ...] = ()
    goals: int = 0
    goals_done: int = 0  # by the truth
    falls: int = 0
    violations: int = 0
    ticks: int = 0
    skipped_ticks: int = 0
    chunks: int = 0
    rungs: dict[str, int] = {}
    tick_bins: dict[int, int] = {}
    policy_bins: dict[int, int] = {}
    sim_s: float = 0.0
    wall_s: float = 0.0


class HouseSession(Protocol):
    """The part of a session that an episode needs."""

    @property
    def world(self) -> Truth:
        """The simulated world, with its truth."""
        ...

    def ask(self, text: str) -> Outcome:
        """Do what the words say."""
        ...

    def close(self) -> None:
        """Finish the files."""
        ...


class OpenSession(Protocol):
    """Opens the session of an episode."""

    def __call__(self, episode: Episode, on_event: Listener) -> HouseSession:
        """A robot standing in the episode's room."""
        ...


def pairs_of(episode: Episode) -> Literal["unseen", "train"]:
    """Which shape-colour pairs the room of an episode holds."""
    return "unseen" if episode.split == "unseen-pairs" else "train"


def open_house(episode: Episode, on_event: Listener) -> HouseSession:
    """The real session of an episode; `unseen-pairs` scenes hold the held-out pairs."""
    from bidden.adapters.sim.gl import choose_gl

    choose_gl()  # before anything imports mujoco
    from bidden.adapters.sim.house import SessionConfig, open_session

    config = SessionConfig(
        seed=episode.seed,
        pairs=pairs_of(episode),
        policy=episode.policy,
        precision=episode.precision,
        video=Path(episode.video) if episode.video else None,
    )
    return open_session(config, on_event=on_event)


def play(episode: Episode, *, open_session: OpenSession = open_house) -> EpisodeRecord:
    """Play one episode to its end; never raises but for a stop by a person."""
    began_ns = stopwatch_ns()
    try:
        if episode.split == "swap":
            record = _play_swap(episode, open_session)
        else:
            record = _Run(episode, open_session).play()
    except BiddenError as error:
        record = _lost(episode, "fault", str(error))
    except Exception as error:  # noqa: BLE001  # the edge of a worker: file it, go on
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}:{place.lineno}"
        record = _lost(episode, "crash", f"{type(error).__name__}: {error} ({where})")
    gc.collect()  # a session is a circle of 300 MB, of which Python counts little
    wall_s = (stopwatch_ns() - began_ns) / NS_PER_S
    return msgspec.structs.replace(record, wall_s=wall_s)


def _lost(episode: Episode, cause: str, detail: str) -> EpisodeRecord:
    return EpisodeRecord(
        seed=episode.seed,
        skill="",
        sayings=(),
        named={},
        success=False,
        cause=cause,
        detail=detail,
    )


class _Run:
    """One task in one room."""

    def __init__(
        self, episode: Episode, open_session: OpenSession, task: int | None = None
    ) -> None:
        self._episode, self._open, self._number = episode, open_session, task
        self._watch = Watch()

    def play(self) -> EpisodeRecord:
        session = self._open(self._episode, self._watch)
        try:
            start = self._watch.begin(session.world)
            task = self._task(start)
            outcomes = _ask_all(session, task.sayings)
            self._watch.end()
        finally:
            session.close()
        return self._judge(task, start, outcomes)

    def _task(self, start: Snapshot) -> Task:
        if self._number is not None:
            return draw_swap(start, seed=self._episode.seed)[self._number]
        return draw_task(start, split=self._episode.split, seed=self._episode.seed)

    def _judge(
        self, task: Task, start: Snapshot, outcomes: Sequence[Outcome]
    ) -> EpisodeRecord:
        watch = self._watch
        success = is_done(task, start, watch.trace)
        cause = "" if success else find_cause(task, watch, start, outcomes)
        tick, policy = LatencyHistogram(), LatencyHistogram()
        rungs: dict[str, int] = {}
        for outcome in outcomes:
            tick.merge(LatencyHistogram.from_bins(outcome.tick_bins))
            policy.merge(LatencyHistogram.from_bins(outcome.policy_bins))
            for name, count in outcome.rungs.items():
                rungs[name] = rungs.get(name, 0) + count
        return EpisodeRecord(
            seed=self._episode.seed,
            skill=task.skill,
            sayings=task.sayings,
            named=task.roles,
            success=success,
            cause=cause,
            detail="" if success else outcomes[-1].reply,
            status=outcomes[-1].status,
            acted_on=tuple(sorted(acted_on(start, watch.trace))),
            goals=task.goals,
            goals_done=sum(is_goal_done(goal, task.roles) for goal in watch.goals),
            falls=max(sum(o.falls for o in outcomes), int(watch.trace[-1].fallen)),
            violations=sum(o.violations for o in outcomes),
            ticks=sum(o.ticks for o in outcomes),
            skipped_ticks=sum(o.skipped_ticks for o in outcomes),
            chunks=sum(o.chunks for o in outcomes),
            rungs=rungs,
            tick_bins=tick.to_bins(),
            policy_bins=policy.to_bins(),
            sim_s=sum(o.sim_s for o in outcomes),
        )


def _ask_all(session: HouseSession, sayings: Sequence[str]) -> list[Outcome]:
    """Say one thing after the other, until one is not done."""
    outcomes: list[Outcome] = []
    for saying in sayings:
        outcomes.append(session.ask(saying))
        if outcomes[-1].status != "done":
            break
    return outcomes


def _play_swap(episode: Episode, open_session: OpenSession) -> EpisodeRecord:
    """The same room twice; a success when each time the named object was acted on."""
    again = msgspec.structs.replace(episode, video=_second(episode.video))
    one = _Run(episode, open_session, 0).play()
    two = _Run(again, open_session, 1).play()
    wrong = [r for r in (one, two) if set(r.acted_on) != {r.named["object"]}]
    return msgspec.structs.replace(
        _added(one, two),
        named={"object": one.named["object"], "other": two.named["object"]},
        success=not wrong,
        cause=(wrong[0].cause or "wrong object") if wrong else "",
        detail=wrong[0].detail if wrong else "",
        status=f"{one.status}, {two.status}",
    )


def _second(video: str) -> str:
    return str(Path(video).with_stem(Path(video).stem + "-other")) if video else ""


def _added(one: EpisodeRecord, two: EpisodeRecord) -> EpisodeRecord:
    """The first record with the counts of both."""
    sums = {
        name: getattr(one, name) + getattr(two, name)
        for name in (
            "sayings", "acted_on", "goals", "goals_done", "falls", "violations",
            "ticks", "skipped_ticks", "chunks", "sim_s",
        )
    }  # fmt: skip
    bins = {
        name: dict(Counter(getattr(one, name)) + Counter(getattr(two, name)))
        for name in ("rungs", "tick_bins", "policy_bins")
    }
    for name in ("tick_bins", "policy_bins"):  # bin -1 is a maximum, not a count
        worst_ns = max(getattr(r, name).get(-1, 0) for r in (one, two))
        bins[name] |= {-1: worst_ns} if worst_ns else {}
    return msgspec.structs.replace(one, **sums, **bins)
