"""What the doubt watch would see of an episode, kept, so that it can be judged again.

A trail holds chunks and observations in plain arrays, images as glimpses. Scores can be
changed and computed again without playing anything.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import BadZipFile

import msgspec
import numpy as np
from numpy.typing import NDArray

from bidden.brain.policy.uncertainty.views import Glimpse, glimpse
from bidden.core.errors import RecordingError
from bidden.core.messages import (
    ActionChunk,
    Advice,
    Array,
    Goal,
    Grounding,
    Observation,
    RobotState,
    Skill,
)
from bidden.evaluation.household.episode import EpisodeRecord

SCHEMA = 1
_BROKEN = (
    OSError, EOFError, ValueError, KeyError, AttributeError, BadZipFile,
    msgspec.MsgspecError,
)  # fmt: skip
Row = dict[str, NDArray[np.generic] | float | int]
_STATE = (
    "q", "dq", "torque", "gyro", "gravity", "base_pose", "base_velocity",
    "grip_width", "grip_force",
)  # fmt: skip
_VIEW = ("dark", "bright", "edges", "grain", "holes", "digest")


class GoalHead(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A goal in a trail; each attempt has its own."""

    skill: Skill
    instruction: str
    phrases: dict[str, str]
    amount: tuple[float, ...]  # empty for none
    hand: int
    relation: str


class TrailHead(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a trail is of."""

    schema: int = SCHEMA
    policy: str
    weights: str
    weakness: str = ""  # see `weakness.Weakness`; "" for none
    strength: float = 0.0  # 0 none .. 1 as bad as we make it
    record: EpisodeRecord
    goals: tuple[GoalHead, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Step:
    """One chunk with what it was made from; the image is a glimpse."""

    goal: int  # index into the trail's goals
    chunk: ActionChunk
    observation: Observation
    view: Glimpse | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trail:
    """All chunks of one episode."""

    head: TrailHead
    arrays: dict[str, NDArray[np.generic]]

    def __len__(self) -> int:
        """Number of chunks."""
        return len(self.arrays["stamp_ns"])

    def goals(self) -> list[Goal]:
        """The goals in the order in which the watch was told of them.

        Another attempt of the same PICK is the same object, as in the session.
        """
        tried: dict[str, Goal] = {}
        goals = []
        for number, head in enumerate(self.head.goals):
            again = head.skill is Skill.PICK
            key = f"{head.instruction} {head.phrases}" if again else str(number)
            goals.append(tried.setdefault(key, _goal_of(head)))
        return goals

    def steps(self) -> Iterator[Step]:
        """Every chunk as the watch saw it."""
        goals, a = self.goals(), self.arrays
        for i in range(len(self)):
            goal = goals[int(a["goal"][i])]
            yield Step(
                goal=int(a["goal"][i]),
                chunk=self._chunk(i, goal),
                observation=self._observation(i, goal),
                view=self._view(i),
            )

    def _chunk(self, i: int, goal: Goal) -> ActionChunk:
        a = self.arrays
        role, phrase = next(iter(goal.phrases.items()), ("", ""))
        found = Grounding(
            role=role,
            phrase=phrase,
            p_B=a["point"][i].astype(float),
            spread_m=float(a["point_spread"][i]),
            confidence=float(a["confidence"][i]),
            stamp_ns=int(a["seen_ns"][i]),
        )
        return ActionChunk(
            stamp_ns=int(a["stamp_ns"][i]),
            actions=a["actions"][i].astype(float),
            spread=a["spread"][i].astype(float),
            period_s=float(a["period_s"][i]),
            policy=self.head.policy,
            groundings=(found,) if np.isfinite(found.confidence) else (),
            searching=bool(a["searching"][i]),
            note="it said so" if a["noted"][i] else "",
        )

    def _observation(self, i: int, goal: Goal) -> Observation:
        a = self.arrays
        stamp_ns = int(a["stamp_ns"][i])
        parts = {name: a[name][i].astype(float) for name in _STATE}
        return Observation(
            stamp_ns=stamp_ns,
            state=RobotState(stamp_ns=stamp_ns, **parts),
            images={},
            goal=goal,
            started_ns=int(a["started_ns"][i]),
            start_pose=a["start_pose"][i].astype(float),
            hand_target=a["hand_target"][i].astype(float),
            grip_command=a["grip_command"][i].astype(float),
            was_held=bool(a["was_held"][i]) if "was_held" in a else False,
        )

    def _view(self, i: int) -> Glimpse | None:
        a = self.arrays
        if not a["has_view"][i]:
            return None
        numbers = dict(zip(_VIEW, a["view"][i].tolist(), strict=True))
        digest = int(numbers.pop("digest"))
        return Glimpse(
            rgb=a["view_rgb"][i].astype(np.uint8),
            near=a["view_near"][i].astype(np.uint8),
            digest=digest,
            **numbers,
        )


@dataclass(slots=True)
class TrailWatch:
    """A watch that never says anything and keeps what it sees."""

    _goals: list[Goal] = field(default_factory=list)
    _rows: list[Row] = field(default_factory=list)

    def reset(self, goal: Goal) -> None:
        """A new goal begins, or another attempt of the same."""
        self._goals.append(goal)

    def judge(self, chunk: ActionChunk, observation: Observation) -> Advice | None:
        """Keep one chunk."""
        o = observation
        role = next(iter(o.goal.phrases), "")
        found = next((g for g in chunk.groundings if g.role == role), None)
        image = o.images.get("head")
        view = glimpse(image) if image is not None else None
        row: Row = {
            "goal": len(self._goals) - 1,
            "stamp_ns": o.stamp_ns,
            "started_ns": o.started_ns,
            "start_pose": o.start_pose,
            "hand_target": o.hand_target,
            "grip_command": o.grip_command,
            "was_held": int(o.was_held),
            "actions": chunk.actions,
            "spread": chunk.spread,
            "period_s": chunk.period_s,
            "point": np.zeros(3) if found is None else found.p_B,
            "point_spread": np.nan if found is None else found.spread_m,
            "confidence": np.nan if found is None else found.confidence,
            "seen_ns": 0 if found is None else found.stamp_ns,
            "searching": int(chunk.searching),
            "noted": int(bool(chunk.note)),
            "has_view": int(view is not None),
        }
        row |= {name: getattr(o.state, name) for name in _STATE}
        row |= _view_row(view)
        self._rows.append(row)
        return None

    def trail(
        self, record: EpisodeRecord, *, policy: str, weights: str,
        weakness: str = "", strength: float = 0.0,
    ) -> Trail:  # fmt: skip
        """What was kept, with what came of it."""
        head = TrailHead(
            policy=policy,
            weights=weights,
            weakness=weakness,
            strength=strength,
            record=record,
            goals=tuple(map(_head_of, self._goals)),
        )
        names = list(self._rows[0]) if self._rows else ["stamp_ns"]
        arrays = {n: _packed([row[n] for row in self._rows]) for n in names}
        return Trail(head=head, arrays=arrays)


def _view_row(view: Glimpse | None) -> Row:
    if view is None:
        blank = glimpse_of_nothing()
        return {"view": blank[0], "view_rgb": blank[1], "view_near": blank[2]}
    return {
        "view": np.array([getattr(view, name) for name in _VIEW], float),
        "view_rgb": view.rgb,
        "view_near": view.near,
    }


def glimpse_of_nothing() -> tuple[Array, NDArray[np.uint8], NDArray[np.uint8]]:
    """Arrays that stand for no image."""
    return (
        np.zeros(len(_VIEW)),
        np.zeros((20, 20, 3), np.uint8),
        np.zeros((20, 20), np.uint8),
    )


def _packed(values: list[NDArray[np.generic] | float | int]) -> NDArray[np.generic]:
    array = np.array(values)
    if array.dtype == np.float64 and array.ndim > 1 and array.shape[1:] != (6,):
        return array.astype(np.float32)
    return array


def _goal_of(head: GoalHead) -> Goal:
    return Goal(
        skill=head.skill,
        instruction=head.instruction,
        phrases=head.phrases,
        amount=np.array(head.amount) if head.amount else None,
        hand=head.hand,
        relation=head.relation,
    )


def _head_of(goal: Goal) -> GoalHead:
    return GoalHead(
        skill=goal.skill,
        instruction=goal.instruction,
        phrases=dict(goal.phrases),
        amount=() if goal.amount is None else tuple(map(float, goal.amount)),
        hand=goal.hand,
        relation=goal.relation,
    )


def save_trail(trail: Trail, path: Path) -> None:
    """Write one trail; a stop in the middle leaves no half file."""
    data = io.BytesIO()
    head = np.frombuffer(msgspec.json.encode(trail.head), np.uint8)
    np.savez_compressed(data, head=head, **trail.arrays)  # type: ignore[arg-type]
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(data.getvalue())
    part.replace(path)


def load_trail(path: Path) -> Trail:
    """Read one trail.

    Raises:
        RecordingError: it is not a trail of this program.
    """
    try:
        data = io.BytesIO(path.read_bytes())
        with np.load(data, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        head = msgspec.json.decode(arrays.pop("head").tobytes(), type=TrailHead)
    except _BROKEN as error:
        raise RecordingError(f"{path} is not a trail: {error}") from error
    if head.schema != SCHEMA:
        raise RecordingError(f"{path}: trail schema {head.schema}, expected {SCHEMA}")
    return Trail(head=head, arrays=arrays)
