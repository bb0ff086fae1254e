"""When a skill is over: done, in vain, blind, or too late."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bidden.core.messages import ActionChunk, Array, Goal, RobotState, Skill

from .outcome import GoalStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchestratorConfig:
    """Timing and patience."""

    ticks_per_chunk: int = 10  # control ticks between policy calls: 5 Hz
    done_threshold: float = 0.5  # probability that ends a skill
    done_count: int = 2  # consecutive chunks above it
    search_turn: float = 7.2  # [rad] turned in vain until a thing counts as not there
    retreat_m: float = 0.35  # step back from a table after PICK and PUT
    attempts: int = 2  # of PICK, when the hand came up empty
    blind_chunks: int = 10  # chunks without sight until that is a fault


LIMIT_S = {  # [s] per skill until it counts as not achieved
    Skill.WALK_TO: 45.0,
    Skill.FACE: 30.0,
    Skill.PICK: 60.0,
    Skill.PUT: 60.0,
    Skill.WAVE: 15.0,
    Skill.STOP: 2.0,
}


class Progress:
    """Decides when a skill is over."""

    def __init__(self, config: OrchestratorConfig, start: Array) -> None:
        self._config = config
        self._done = self._blind = 0
        self._turned, self._yaw = 0.0, float(start[2])

    def judge(
        self, chunk: ActionChunk, state: RobotState, goal: Goal
    ) -> tuple[GoalStatus, str] | None:
        """The end of the skill and why, or None while it goes on."""
        c = self._config
        if chunk.note.endswith("?"):
            return "not_achieved", chunk.note
        self._blind = self._blind + 1 if chunk.note else 0
        if self._blind >= c.blind_chunks:
            return "fault", chunk.note
        yaw = float(state.base_pose[2])
        step = (yaw - self._yaw + np.pi) % (2 * np.pi) - np.pi
        self._turned = self._turned + abs(step) if chunk.searching else 0.0
        self._yaw = yaw
        if self._turned > c.search_turn:
            name = next(iter(goal.phrases.values()), "it")
            return "not_achieved", f"I looked all around and cannot see a {name}."
        self._done = self._done + 1 if chunk.actions[0, 11] > c.done_threshold else 0
        return ("done", "") if self._done >= c.done_count else None


def time_limit(goal: Goal) -> float:
    """Time that a goal may take until it counts as not achieved [s]."""
    if goal.skill in LIMIT_S:
        return LIMIT_S[goal.skill]
    amount = np.zeros(3) if goal.amount is None else goal.amount
    return (
        20.0 + 6.0 * float(np.hypot(amount[0], amount[1])) + 4.0 * abs(float(amount[2]))
    )
