"""Why an episode failed: one cause each, so that the next thing to mend is plain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from bidden.core.messages import Rung
from bidden.system.outcome import Outcome

from .success import DROP_M, acted_on, footprint_distance, thrown
from .tasks import Task
from .watch import Snapshot, Watch

Cause = Literal[
    "fall",  # the robot lies
    "fault",  # a part failed
    "crash",  # the program failed: a bug
    "not understood",  # refused, or asked back
    "shield hold",  # the shield held it back most of the time
    "wrong object",  # took or moved something else
    "dropped",  # had it, and does not any more
    "disturbed others",  # another object fell
    "did not see",  # its grounding was mostly wrong
    "walked wrong",  # never got near
    "missed grasp",  # got near, and never held it
    "placed wrong",  # held it to the end, or put it down elsewhere
    "stopped early",  # said done before it was
    "timeout",  # ran out of time
]
SEEN_M = {"object": 0.06, "receptacle": 0.10, "landmark": 0.35}  # good enough to act on
_SEEN_SHARE = 0.3  # of the groundings of a role
_HELD_BACK = 0.5  # share of the ticks at HOLD or worse
_REACH_M = 1.2  # from a thing's footprint: near enough to go on


def find_cause(
    task: Task, watch: Watch, start: Snapshot, outcomes: Sequence[Outcome]
) -> Cause:
    """The first cause that fits, from the gravest down."""
    end = watch.trace[-1]
    status = outcomes[-1].status
    if end.fallen or any(o.falls for o in outcomes):
        return "fall"
    if status == "fault":
        return "fault"
    if status in ("refused", "not_understood"):
        return "not understood"
    held_back = np.mean([rung >= Rung.HOLD for rung in watch.rungs] or [False])
    if held_back > _HELD_BACK:
        return "shield hold"
    named = task.roles.get("object")
    if named is not None:
        cause = _object_cause(task, watch, start, named)
    else:
        cause = _place_cause(task, watch)
    return cause or ("stopped early" if status == "done" else "timeout")


def _object_cause(
    task: Task, watch: Watch, start: Snapshot, named: str
) -> Cause | None:
    end = watch.trace[-1]
    if acted_on(start, watch.trace) - {named}:
        return "wrong object"
    if thrown(start, end, besides=named):
        return "disturbed others"
    had_it = any(snapshot.holds(named) for snapshot in watch.trace)
    if not had_it:
        if not _saw(watch, "object"):
            return "did not see"
        return "missed grasp" if _reached(watch, named) else "walked wrong"
    low = end.things[named].p_W[2] < start.things[named].p_W[2] - DROP_M
    to_bin = task.roles.get("receptacle", "").endswith("bin")
    if (low and not to_bin) or (
        task.skill in ("pick", "bring") and not end.holds(named)
    ):
        return "dropped"
    role = "landmark" if task.skill == "bring" else "receptacle"
    if role in task.roles:
        if not _saw(watch, role):
            return "did not see"
        if not _reached(watch, task.roles[role]):
            return "walked wrong"
        return None if task.skill == "bring" else "placed wrong"
    return None


def _place_cause(task: Task, watch: Watch) -> Cause | None:
    if "landmark" not in task.roles:
        return None
    if not _saw(watch, "landmark"):
        return "did not see"
    near = task.skill == "face" or _reached(watch, task.roles["landmark"])
    return None if near else "walked wrong"


def _saw(watch: Watch, role: str) -> bool:
    """Whether a role was grounded well enough; yes when nothing was grounded."""
    sights = [sight for sight in watch.sights if sight.role == role]
    good = [sight.error_m <= SEEN_M.get(role, 0.1) for sight in sights]
    return not good or float(np.mean(good)) >= _SEEN_SHARE


def _reached(watch: Watch, name: str) -> bool:
    return any(
        footprint_distance(s.robot[:2], s.things[name]) <= _REACH_M for s in watch.trace
    )
