"""Plays household episodes and files a trail of each; goes on after a stop."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from bidden.adapters.sim.scene import FIRST_EVALUATION_SEED
from bidden.core.errors import ConfigError, RecordingError
from bidden.core.ports import Camera, Policy
from bidden.evaluation.household.episode import (
    Episode,
    HouseSession,
    PolicyName,
    Precision,
    pairs_of,
    play,
)
from bidden.evaluation.household.tasks import Split
from bidden.system.events import Listener
from bidden.system.watches import weights_of

from .trail import Trail, TrailWatch, load_trail, save_trail
from .weakness import (
    POLICY_WEAKNESSES,
    VIEW_WEAKNESSES,
    WeakCamera,
    WeakPolicy,
    check_weakness,
)

PlayCase = Callable[["Case"], Trail]
_THREADS: Final = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LP_NUM_THREADS"
)  # fmt: skip
_CASES_PER_PROCESS: Final = 40  # renderers and worlds do not give everything back


class Case(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One episode to play; the same values give the same trail."""

    seed: int
    policy: PolicyName = "compact"
    precision: Precision = "int8"
    split: Split = "seen"
    weakness: str = ""  # see `weakness.WEAKNESSES`; "" for none
    strength: float = 0.0
    doubt: bool = False  # whether the doubt watch may speak

    def __post_init__(self) -> None:
        if self.weakness:
            check_weakness(self.weakness, self.strength)
        if not 0 <= self.seed < FIRST_EVALUATION_SEED:
            raise ConfigError(
                f"seed {self.seed} belongs to evaluation; what is calibrated or tuned "
                f"uses 0..{FIRST_EVALUATION_SEED - 1}"
            )

    @property
    def file(self) -> str:
        """Name of its trail."""
        weak = f"-{self.weakness}{round(100 * self.strength)}" * bool(self.weakness)
        watched = "-watched" * self.doubt
        return f"{self.policy}-{self.precision}-{self.split}-{self.seed}{weak}{watched}"


def play_case(case: Case) -> Trail:
    """Play one episode; its trail."""
    episode = Episode(
        split=case.split, seed=case.seed, policy=case.policy, precision=case.precision
    )
    opener = _Opener(case)
    record = play(episode, open_session=opener)
    return opener.watch.trail(
        record,
        policy=case.policy,
        weights=opener.weights,
        weakness=case.weakness,
        strength=case.strength,
    )


class _Opener:
    """Opens the session of a case, with a trail's watch in it."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self.watch, self.weights = TrailWatch(), ""

    def __call__(self, episode: Episode, on_event: Listener) -> HouseSession:
        from bidden.adapters.sim.gl import choose_gl

        choose_gl()  # before anything imports mujoco
        from bidden.adapters.sim.house import Fittings, SessionConfig, open_session

        config = SessionConfig(
            seed=episode.seed,
            pairs=pairs_of(episode),
            policy=episode.policy,
            precision=episode.precision,
            looking=True,  # policies without eyes leave views behind as well
            doubt=self._case.doubt,
        )
        fittings = Fittings(
            policy=self._policy, camera=self._camera, watches=(self.watch,)
        )
        return open_session(config, on_event=on_event, fittings=fittings)

    def _policy(self, policy: Policy) -> Policy:
        self.weights = weights_of(policy)
        case = self._case
        if case.weakness in POLICY_WEAKNESSES:
            return WeakPolicy(
                policy, weakness=case.weakness, strength=case.strength, seed=case.seed
            )
        return policy

    def _camera(self, camera: Camera) -> Camera:
        case = self._case
        if case.weakness in VIEW_WEAKNESSES:
            return WeakCamera(
                camera, weakness=case.weakness, strength=case.strength, seed=case.seed
            )
        return camera


def collect(
    cases: Sequence[Case],
    folder: Path,
    *,
    workers: int = 1,
    play_one: PlayCase = play_case,
) -> Iterator[Trail]:
    """The trail of every case; what is filed in the folder is not played again.

    Args:
        cases: what to play.
        folder: where trails are filed, one file each.
        workers: episodes at once, each in a process of one thread; 0 plays in this
            process.
        play_one: plays one case; a function of a module, as workers import it.

    Raises:
        RecordingError: the folder cannot be written.
    """
    missing = []
    for case in cases:
        path = folder / f"{case.file}.npz"
        if path.exists():
            yield load_trail(path)
        else:
            missing.append((case, path))
    if workers < 1:
        for case, path in missing:
            yield load_trail(play_to_file(case, path, play_one))
        return
    size = workers * _CASES_PER_PROCESS
    for k in range(0, len(missing), size):
        yield from _play_group(missing[k : k + size], workers, play_one)


def play_to_file(case: Case, path: Path, play_one: PlayCase) -> Path:
    """Play one case and file its trail.

    Raises:
        RecordingError: the file cannot be written.
    """
    trail = play_one(case)
    try:
        save_trail(trail, path)
    except OSError as error:
        raise RecordingError(f"cannot write {path}: {error.strerror}") from error
    return path


def _play_group(
    group: Sequence[tuple[Case, Path]], workers: int, play_one: PlayCase
) -> Iterator[Trail]:
    with (
        one_thread_each(),
        ProcessPoolExecutor(
            max_workers=min(workers, len(group)),
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_leave_quietly,
        ) as pool,
    ):
        futures = [
            pool.submit(play_to_file, case, path, play_one) for case, path in group
        ]
        try:
            for future in as_completed(futures):
                yield load_trail(future.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():
                child.terminate()
            raise


def _leave_quietly() -> None:
    """In a worker: Ctrl-C reaches the whole process group; die without a word."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Processes that start in here compute with one thread."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
