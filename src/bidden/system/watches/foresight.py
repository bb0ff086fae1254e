"""Foresight as a watch of chunks, and as a lookout for falls at every tick."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

import numpy as np

from bidden.core.messages import (
    ActionChunk,
    Advice,
    Array,
    Goal,
    Observation,
    RobotState,
    Rung,
)
from bidden.safety import Check, Limits, Scene
from bidden.safety.foresight import (
    ChunkJudge,
    FallMemory,
    FallPredictor,
    Judgement,
    at_tenths,
)
from bidden.system.executor import ExecutorConfig

KEPT: Final = 64  # judgements kept for who asks
PERSISTENCE: Final = 1  # ticks in a row that a fall must be foreseen
QUIET_NS: Final = 500_000_000  # foreseen falls are believed for so long, as tilt is
GAP_NS: Final = 100_000_000  # states farther apart are no sequence
FALL_RUNG: Final = Rung.HOLD  # settling is latched, see docs/decisions 0013


class ForesightWatch:
    """Judges each chunk before it moves: contact, limits, people, fall.

    Args:
        scene: gives what the shield is given now.
        limits: what the shield judges by.
        executor: where hand targets end.
    """

    def __init__(
        self,
        scene: Callable[[], Scene],
        *,
        limits: Limits | None = None,
        executor: ExecutorConfig | None = None,
    ) -> None:
        self._scene, self._judge = scene, ChunkJudge(limits)
        self._reach = reach_of(executor or ExecutorConfig())
        self.judgements: deque[Judgement] = deque(maxlen=KEPT)  # newest last

    def reset(self, goal: Goal) -> None:
        """Nothing is remembered from goal to goal."""

    def judge(self, chunk: ActionChunk, observation: Observation) -> Advice | None:
        """The worst that is foreseen of this chunk, or None."""
        judgement = self._judge(
            at_tenths(chunk.actions, chunk.period_s),
            observation.state,
            hand_target=observation.hand_target,
            reach=self._reach,
            scene=self._scene(),
        )
        self.judgements.append(judgement)
        if not judgement.found:
            return None
        rung, check, score, bound = judgement.found[0]
        return Advice(
            stamp_ns=chunk.stamp_ns,
            rung=rung,
            reason=check.value,
            score=score,
            bound=bound,
        )


class FallLookout:
    """Foresees falls at every tick of the control loop.

    Args:
        predictor: says how near a fall is.
        rung: what is asked of the shield then.
    """

    def __init__(
        self, predictor: FallPredictor | None = None, *, rung: Rung = FALL_RUNG
    ) -> None:
        self._predict, self._rung = predictor or FallPredictor(), rung
        self.reset()

    def reset(self) -> None:
        """Forget the states before."""
        self._memory, self._last_ns, self._until_ns = FallMemory(), None, -1

    def look(self, state: RobotState) -> Advice | None:
        """What the shield should be told in this tick."""
        if not is_readable(state):  # the shield holds by itself
            self.reset()
            return None
        now = state.stamp_ns
        if self._last_ns is not None and not 0 <= now - self._last_ns <= GAP_NS:
            self.reset()
        self._last_ns = now
        self._memory, score = self._predict(self._memory, state)
        if self._memory.above >= PERSISTENCE:
            self._until_ns = now + QUIET_NS
        if not now < self._until_ns:
            return None
        return Advice(
            stamp_ns=now,
            rung=self._rung,
            reason=Check.FORESEEN_FALL.value,
            score=score,
            bound=self._predict.alarm,
        )

    _last_ns: int | None


def reach_of(config: ExecutorConfig) -> Array:
    """Lowest and highest target of the right and the left hand [m], (2, 2, 3)."""
    low, high = np.array(config.hand_low), np.array(config.hand_high)
    a, b = low * (1.0, -1.0, 1.0), high * (1.0, -1.0, 1.0)
    return np.array([[low, np.minimum(a, b)], [high, np.maximum(a, b)]])


def is_readable(state: RobotState) -> bool:
    """Whether the numbers that foresight reads are there and finite."""
    joints = (state.q, state.dq, state.torque)
    vectors = (state.gravity, state.gyro, state.base_velocity)
    return all(
        np.shape(a) == (n,) and bool(np.isfinite(a).all())
        for group, n in ((joints, 29), (vectors, 3))
        for a in group
    )
