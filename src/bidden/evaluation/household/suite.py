"""Plays many episodes at once, files each as it ends, and can go on after a stop."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import msgspec

from bidden.adapters.sim.scene import FIRST_EVALUATION_SEED
from bidden.core.errors import ConfigError, RecordingError, unknown_name
from bidden.runtime.clock import NS_PER_S, stopwatch_ns

from .episode import Episode, EpisodeRecord, PolicyName, Precision, play
from .report import Report, make_report, weights_hash
from .tasks import SPLITS, Split

OnDone = Callable[[EpisodeRecord], None]
Play = Callable[[Episode], EpisodeRecord]
_THREADS = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LP_NUM_THREADS"
)  # fmt: skip
# Renderers and compiled worlds do not give everything back: fresh processes after so
# many episodes. Not by `max_tasks_per_child`, which can hang (CPython issue 115634).
_EPISODES_PER_PROCESS = 40


class SuiteConfig(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """Which episodes to play."""

    split: Split = "seen"
    episodes: int = 100
    seed: int = FIRST_EVALUATION_SEED  # of the first episode; the next ones follow
    policy: PolicyName = "compact"
    precision: Precision = "int8"
    workers: int = 1
    out: str = ""  # folder for one line an episode; a later run goes on from there
    videos: str = ""  # folder for films of the episodes that failed

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise ConfigError(unknown_name("split", self.split, SPLITS))
        if self.seed < FIRST_EVALUATION_SEED:
            raise ConfigError(
                f"seed {self.seed} belongs to training; evaluation begins at "
                f"{FIRST_EVALUATION_SEED}"
            )
        if self.episodes < 1 or self.workers < 1:
            raise ConfigError(
                f"episodes and workers are at least 1, got {self.episodes} and "
                f"{self.workers}"
            )

    def plan(self) -> list[Episode]:
        """Every episode."""
        return [
            Episode(
                split=self.split,
                seed=self.seed + k,
                policy=self.policy,
                precision=self.precision,
            )
            for k in range(self.episodes)
        ]


def evaluate(
    config: SuiteConfig,
    on_done: OnDone = lambda record: None,
    *,
    play_one: Play = play,
) -> Report:
    """Play the suite.

    Args:
        config: what to play.
        on_done: called with each record as it comes, the filed ones first.
        play_one: plays one episode; a function of a module, as workers import it.

    Raises:
        ConfigError: the folder holds episodes of another suite.
    """
    began_ns = stopwatch_ns()
    files = EpisodeFiles(Path(config.out), config) if config.out else None
    records = {r.seed: r for r in (files.read() if files else [])}
    for record in records.values():
        on_done(record)
    missing = [e for e in config.plan() if e.seed not in records]
    for record in play_all(missing, workers=config.workers, play_one=play_one):
        records[record.seed] = record
        if files:
            files.add(record)
        on_done(record)
    ordered = [records[e.seed] for e in config.plan()]
    if config.videos:
        film_failures(config, ordered, play_one=play_one)
    return make_report(
        ordered,
        split=config.split,
        policy=config.policy,
        precision=config.precision,
        wall_s=(stopwatch_ns() - began_ns) / NS_PER_S,
        workers=config.workers,
    )


def film_failures(
    config: SuiteConfig, records: Sequence[EpisodeRecord], *, play_one: Play = play
) -> None:
    """Play the failed episodes again, filmed, one file each: `CAUSE-SEED.mp4`."""
    folder = Path(config.videos)
    by_seed = {episode.seed: episode for episode in config.plan()}
    filmed = [
        msgspec.structs.replace(
            by_seed[r.seed],
            video=str(folder / f"{r.cause.replace(' ', '_')}-{r.seed}.mp4"),
        )
        for r in records
        if not r.success and r.cause != "crash"
    ]
    for _ in play_all(filmed, workers=config.workers, play_one=play_one):
        pass


def play_all(
    episodes: Sequence[Episode], *, workers: int, play_one: Play = play
) -> Iterator[EpisodeRecord]:
    """Play episodes in processes of one thread each; records as they end.

    An episode that kills its process is tried once more, alone, and then filed as a
    crash.
    """
    left = list(episodes)
    for attempt in range(2):
        if not left:
            return
        # after a death nobody knows whose it was: each of the rest on its own
        size = workers * _EPISODES_PER_PROCESS if attempt == 0 else 1
        groups = [left[k : k + size] for k in range(0, len(left), size)]
        left = []
        for group in groups:
            left += yield from _play_group(group, workers, play_one)
    for episode in left:
        yield EpisodeRecord(
            seed=episode.seed, skill="", sayings=(), named={}, success=False,
            cause="crash", detail="the process died",
        )  # fmt: skip


def _play_group(
    group: Sequence[Episode], workers: int, play_one: Play
) -> Generator[EpisodeRecord, None, list[Episode]]:
    """Play what can be played; the episodes that are left after a process died."""
    left: list[Episode] = []
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(
        dict.fromkeys(_THREADS, "1")
    )  # children read it before they import numpy
    pool = ProcessPoolExecutor(
        max_workers=min(workers, len(group)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_leave_quietly,
    )
    try:
        futures: dict[Future[EpisodeRecord], Episode] = {
            pool.submit(play_one, episode): episode for episode in group
        }
        for future in as_completed(futures):
            try:
                yield future.result()
            except BrokenProcessPool:
                left.append(futures[future])
    except BaseException:
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        _restore(before)
    return left


def _restore(before: dict[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _leave_quietly() -> None:
    """In a worker: Ctrl-C reaches the whole process group; die without a word."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))


class EpisodeFiles:
    """`suite.json` with the question and `episodes.jsonl` with the answers so far."""

    def __init__(self, folder: Path, config: SuiteConfig) -> None:
        self._path = folder / "episodes.jsonl"
        question = self._question(config)
        head = folder / "suite.json"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if head.exists() and head.read_bytes() != question:
                raise ConfigError(
                    f"{folder} holds another suite ({head.read_text().strip()}); "
                    "choose an empty folder"
                )
            head.write_bytes(question)
        except OSError as error:
            raise RecordingError(f"cannot use {folder}: {error.strerror}") from error
        self._seeds = {episode.seed for episode in config.plan()}

    @staticmethod
    def _question(config: SuiteConfig) -> bytes:
        """All that changes an episode's result; not how many, nor how they are run."""
        weights = (
            weights_hash(config.precision) if config.policy == "compact" else "none"
        )
        return msgspec.json.encode(
            {
                "split": config.split,
                "policy": config.policy,
                "precision": config.precision,
                "weights": weights,
            }
        )

    def read(self) -> Iterable[EpisodeRecord]:
        """The episodes of this suite that are filed; a torn last line is left out."""
        if not self._path.exists():
            return
        for line in self._path.read_bytes().splitlines():
            try:
                record = msgspec.json.decode(line, type=EpisodeRecord)
            except msgspec.DecodeError:
                continue
            if record.seed in self._seeds:
                yield record

    def add(self, record: EpisodeRecord) -> None:
        """File one more."""
        with self._path.open("ab") as stream:
            stream.write(msgspec.json.encode(record) + b"\n")
