"""From words to finished goals: understand, act, watch, answer.

Simulation, replay and hardware run this same program; only the ports differ.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from bidden.brain.language import LanguagePipeline
from bidden.brain.language.dialogue import after, having_seen
from bidden.brain.perception.surroundings import Surroundings
from bidden.core.clauses import Context, ReplyKind, Told
from bidden.core.messages import (
    ActionChunk,
    Advice,
    Array,
    Goal,
    Image,
    Mode,
    Observation,
    Rung,
    Skill,
    Verdict,
)
from bidden.core.ports import Camera, Policy, Watch
from bidden.robot.kinematics import Kinematics
from bidden.runtime.clock import LatencyHistogram, stopwatch_ns

from .events import (
    ChunkMade,
    Finished,
    GoalEnded,
    GoalStarted,
    Heard,
    Listener,
    Said,
    Ticked,
    Understood,
    Verdicted,
)
from .executor import flaw_of, still_actions
from .loop import ControlLoop
from .outcome import GoalResult, GoalStatus, Outcome, Status
from .progress import OrchestratorConfig, Progress, time_limit
from .reporting.words import describe_goal


class Orchestrator:
    """One robot that takes one instruction after another. One thread calls `ask`."""

    def __init__(
        self,
        loop: ControlLoop,
        cameras: Mapping[str, Camera],
        *,
        language: LanguagePipeline,
        policy: Policy,
        on_event: Listener,
        config: OrchestratorConfig | None = None,
        facts: dict[str, float | str] | None = None,
        watches: Sequence[Watch] = (),
    ) -> None:
        self.loop, self._cameras = loop, cameras
        self._language, self._policy = language, policy
        self._emit = on_event
        self.config = config or OrchestratorConfig()
        self._facts, self._watches = facts or {}, tuple(watches)
        self._kinematics = Kinematics()
        self._surroundings = Surroundings()
        self._stop = threading.Event()
        self._held = 0  # ticks held when the policy was last asked
        self.context = Context(holding="")
        loop.on_verdict = self._on_verdict

    # -- one instruction -------------------------------------------------------
    def interrupt(self) -> None:
        """Make the running `ask` end soon, standing; safe from any thread."""
        self._stop.set()

    def ask(self, text: str) -> Outcome:
        """Do what the words say."""
        self._began_wall_ns, self._began_ns = stopwatch_ns(), self._now()
        self._policy_latency, self._chunks = LatencyHistogram(), 0
        self.loop.reset_counts()
        self._held = 0
        self._emit(Heard(stamp_ns=self._now(), text=text))
        understood = self._language.understand(Told(text=text), self.context)
        self.context = after(self.context, understood)
        self._emit(Understood(stamp_ns=self._now(), goals=understood.goals))
        if understood.reply is not None:
            return self._finish(
                text, _STATUS_OF[understood.reply.kind], understood.reply.text
            )
        results: list[GoalResult] = []
        for index, goal in enumerate(understood.goals):
            self._emit(
                GoalStarted(
                    stamp_ns=self._now(), index=index,
                    total=len(understood.goals), goal=goal,
                )
            )  # fmt: skip
            result = self._pursue(goal)
            results.append(result)
            self._emit(GoalEnded(stamp_ns=self._now(), index=index, result=result))
            if result.status != "done":
                results += [
                    GoalResult(
                        goal=g, status="skipped", reason="an earlier goal failed"
                    )
                    for g in understood.goals[index + 1 :]
                ]
                break
        failed = next((r for r in results if r.status != "done"), None)
        if failed is None:
            return self._finish(text, "done", _success_words(understood.goals), results)
        status: Status = "not_achieved"
        if failed.status in ("fault", "interrupted"):
            status = failed.status
        elif failed.reason.endswith("?"):
            status = "not_understood"
        return self._finish(text, status, failed.reason, results)

    def _finish(
        self,
        text: str,
        status: Status,
        reply: str,
        results: list[GoalResult] | None = None,
    ) -> Outcome:
        loop = self.loop
        outcome = Outcome(
            instruction=text,
            status=status,
            reply=reply,
            goals=tuple(results or ()),
            sim_s=(self._now() - self._began_ns) * 1e-9,
            wall_s=(stopwatch_ns() - self._began_wall_ns) * 1e-9,
            ticks=loop.ticks,
            skipped_ticks=loop.skipped,
            chunks=self._chunks,
            rungs=dict(loop.rungs),
            reasons=dict(loop.reasons),
            falls=loop.falls,
            violations=loop.violations,
            tick=loop.latency.timing(),
            policy=self._policy_latency.timing(),
            tick_bins=loop.latency.to_bins(),
            policy_bins=self._policy_latency.to_bins(),
            facts=dict(self._facts),
        )
        self._stop.clear()  # not at the start: a stop just before is not lost
        self._emit(Said(stamp_ns=self._now(), text=reply))
        self._emit(Finished(stamp_ns=self._now(), outcome=outcome))
        return outcome

    # -- one goal ----------------------------------------------------------------
    def _pursue(self, goal: Goal) -> GoalResult:
        began_ns = self._now()
        status, reason = self._attempt(goal)
        tries = 1
        while (
            goal.skill is Skill.PICK
            and status == "done"
            and not self._is_holding(goal.hand)
            and tries < self.config.attempts
        ):
            tries += 1
            status, reason = self._attempt(goal)
        empty = goal.skill is Skill.PICK and not self._is_holding(goal.hand)
        if status == "done" and empty:
            status = "not_achieved"
            reason = f"I could not get hold of the {goal.phrases['object']}."
        self._remember(goal, done=status == "done")
        return GoalResult(
            goal=goal,
            status=status,
            reason=reason,
            sim_s=(self._now() - began_ns) * 1e-9,
        )

    def _attempt(self, goal: Goal) -> tuple[GoalStatus, str]:
        status, reason = self._run_skill(goal)
        if status == "done" and goal.skill in (Skill.PICK, Skill.PUT):
            back = Goal(
                skill=Skill.MOVE_BY,
                instruction=goal.instruction,
                hand=goal.hand,
                amount=np.array([-self.config.retreat_m, 0.0, 0.0]),
            )
            retreat, why = self._run_skill(back)
            if retreat in ("fault", "interrupted"):
                return retreat, why
        return status, reason

    def _run_skill(self, goal: Goal) -> tuple[GoalStatus, str]:
        """Call the policy until it says done, cannot, or time is over."""
        began_ns, start = self._now(), self.loop.robot.read().base_pose.copy()
        limit_s = time_limit(goal)
        progress = Progress(self.config, start)
        self._policy.reset(goal)
        for each in self._watches:
            each.reset(goal)
        try:
            while (self._now() - began_ns) * 1e-9 < limit_s:
                if self._stop.is_set():
                    return "interrupted", "You stopped me; I stand still."
                observation = self._observe(goal, began_ns, start)
                chunk = self._think(observation)
                self._look_around(observation, chunk)
                end = progress.judge(chunk, observation.state, goal)
                if end is not None:
                    return end
                self.loop.advice = self._judge(chunk, observation)
                self.loop.executor.load(chunk)
                self._tick(self.config.ticks_per_chunk)
                if self.loop.falls:
                    return "fault", "I have fallen."
                if self.loop.shield.mode is Mode.STOPPED:
                    how = "settle" if self.loop.rung >= Rung.SETTLE else "stop"
                    return "fault", f"I had to {how}: " + ", ".join(self.loop.reasons)
            return "not_achieved", f"I ran out of time after {limit_s:.0f} s."
        finally:
            self.loop.executor.load(None)
            self.loop.advice = ()
            self._tick(10)

    def _observe(self, goal: Goal, started_ns: int, start: Array) -> Observation:
        executor, held = self.loop.executor, self.loop.held
        was_held, self._held = held > self._held, held
        return Observation(
            stamp_ns=self._now(),
            state=self.loop.robot.read(),
            images=self._images(),
            goal=goal,
            started_ns=started_ns,
            start_pose=start,
            hand_target=executor.hand_target.copy(),
            grip_command=executor.grip.copy(),
            was_held=was_held,
        )

    def _images(self) -> dict[str, Image]:
        images = {name: camera.read() for name, camera in self._cameras.items()}
        if self.loop.tape:
            for image in images.values():
                self.loop.tape.image(image)
        return images

    def _think(self, observation: Observation) -> ActionChunk:
        began = stopwatch_ns()
        chunk = self._policy.act(observation)
        took = stopwatch_ns() - began
        if flaw := flaw_of(chunk):
            still = still_actions(observation)
            chunk = replace(chunk, actions=still, spread=0 * still, note=flaw)
        self._policy_latency.add(took)
        self.context = having_seen(self.context, chunk.groundings)
        self._chunks += 1
        if self.loop.tape:
            self.loop.tape.chunk(chunk)
        self._emit(
            ChunkMade(
                stamp_ns=chunk.stamp_ns,
                policy=self._policy.name,
                latency_ms=took * 1e-6,
                groundings=chunk.groundings,
                done=float(chunk.actions[0, 11]),
                hand=observation.goal.hand,
            )
        )
        return chunk

    def _judge(self, chunk: ActionChunk, o: Observation) -> tuple[Advice, ...]:
        """What the watches say of a chunk before it moves anything."""
        said = (watch.judge(chunk, o) for watch in self._watches)
        return tuple(advice for advice in said if advice is not None)

    def _look_around(self, o: Observation, chunk: ActionChunk) -> None:
        """Tell the shield what stands around, if there is depth to know it from."""
        head = o.images.get("head")
        if head is not None and head.depth is not None:
            people = (g for g in chunk.groundings if g.phrase == "person")
            self.loop.scene = self._surroundings.update(
                head, o.state, person=next(people, None)
            )

    def _tick(self, count: int) -> None:
        self.loop.run(count)
        state = self.loop.robot.read()
        hands = self._kinematics.hand_poses(state.q, state.gravity)
        elapsed = max(1, stopwatch_ns() - self._began_wall_ns)
        self._emit(
            Ticked(
                stamp_ns=self._now(),
                base_pose=state.base_pose,
                p_BH=hands[:, :3, 3],
                grip_width=state.grip_width,
                rung=self.loop.rung,
                tick=self.loop.latency.timing(),
                policy=self._policy_latency.timing(),
                real_time_factor=(self._now() - self._began_ns) / elapsed,
            )
        )

    # -- small facts ---------------------------------------------------------------
    def _now(self) -> int:
        return self.loop.clock.now_ns()

    def _is_holding(self, hand: int) -> bool:
        state = self.loop.robot.read()
        closed = self.loop.executor.grip[hand] > 0.5
        return bool(
            closed and state.grip_width[hand] > 0.012 and state.grip_force[hand] > 2.0
        )

    def _on_verdict(self, verdict: Verdict, before: Rung) -> None:
        self._emit(Verdicted(stamp_ns=verdict.stamp_ns, verdict=verdict, before=before))

    def _remember(self, goal: Goal, *, done: bool) -> None:
        c = self.context
        holding, hand = c.holding, c.hand
        if goal.skill is Skill.PICK:
            held = self._is_holding(goal.hand)
            holding, hand = (goal.phrases["object"], goal.hand) if held else ("", None)
        elif goal.skill is Skill.PUT and done:
            holding, hand = "", None
        place = goal.phrases.get("receptacle") or goal.phrases.get("landmark")
        self.context = replace(
            c,
            last_object=goal.phrases.get("object", c.last_object),
            last_place=place or c.last_place,
            holding=holding,
            hand=hand,
        )


_STATUS_OF: dict[ReplyKind, Status] = {
    ReplyKind.QUESTION: "not_understood",
    ReplyKind.UNKNOWN: "not_understood",
    ReplyKind.REFUSAL: "refused",
    ReplyKind.NOTED: "done",
}


def _success_words(goals: tuple[Goal, ...]) -> str:
    return "Done: " + ", then ".join(describe_goal(g) for g in goals) + "."
