"""Messages in a few plain words, for a terminal line or a caption.

Here, at the screen, angles are degrees.
"""

from __future__ import annotations

import math

from bidden.core.messages import Array, Goal, Grounding, Rung, Skill, Verdict
from bidden.runtime.clock import Timing
from bidden.system.outcome import Outcome

SEEN_CONFIDENCE = 0.5  # below it, say "not seen": more likely not there than there
_STILL = 1e-3  # [m] or [rad]: less is not worth a word

STATUS_WORDS = {
    "done": "done",
    "refused": "refused",
    "not_understood": "not understood",
    "not_achieved": "not achieved",
    "fault": "fault",
    "interrupted": "interrupted",
    "skipped": "skipped",
}


def shorten(text: str, most: int = 200) -> str:
    """A text on one line, cut where nobody would read on."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def describe_goal(goal: Goal) -> str:
    """A goal: `pick up the red cube`."""
    thing = goal.phrases.get("object", "")
    place = goal.phrases.get("receptacle") or goal.phrases.get("landmark") or thing
    match goal.skill:
        case Skill.WALK_TO:
            return f"walk to the {place}"
        case Skill.FACE:
            return f"face the {place}"
        case Skill.PICK:
            return f"pick up the {thing}"
        case Skill.PUT:
            what = f"the {thing}" if thing else "it"
            return f"put {what} {goal.relation or 'on'} the {place}"
        case Skill.MOVE_BY:
            return _describe_amount(goal.amount)
        case _:
            return str(goal.skill)


def _describe_amount(amount: Array | None) -> str:
    if amount is None:
        return "move"
    dx, dy, dyaw = (float(x) for x in amount)
    steps = []
    if abs(dx) > _STILL:
        steps.append(f"{abs(dx):.2f} m {'forward' if dx > 0 else 'back'}")
    if abs(dy) > _STILL:
        steps.append(f"{abs(dy):.2f} m to the {'left' if dy > 0 else 'right'}")
    parts = [f"walk {' and '.join(steps)}"] if steps else []
    if abs(dyaw) > _STILL:
        parts.append(
            f"turn {math.degrees(abs(dyaw)):.0f}° {'left' if dyaw > 0 else 'right'}"
        )
    return ", ".join(parts) or "stay where it is"


def describe_grounding(grounding: Grounding) -> str:
    """Where a thing is: `red cube 1.32 m ahead, 4° left ± 12 mm`."""
    if not grounding.confidence >= SEEN_CONFIDENCE:
        return f"{grounding.phrase}: not seen"
    x, y = float(grounding.p_B[0]), float(grounding.p_B[1])
    distance, bearing = math.hypot(x, y), math.degrees(math.atan2(y, x))
    if not math.isfinite(distance):
        return f"{grounding.phrase}: not seen"
    if abs(bearing) < 0.5:
        side = "straight ahead"
    else:
        where = "ahead" if abs(bearing) <= 90 else "away"
        side = f"{where}, {abs(bearing):.0f}° {'left' if bearing > 0 else 'right'}"
    spread_mm = grounding.spread_m * 1000
    return f"{grounding.phrase} {distance:.2f} m {side} ± {spread_mm:.0f} mm"


def describe_verdict(verdict: Verdict) -> str:
    """What the shield said: `slow: hand_speed, scene_distance`."""
    rung = verdict.rung.name.lower()
    reasons = ", ".join(verdict.reasons)
    return f"{rung}: {reasons}" if reasons else rung


def tone_of_rung(rung: Rung) -> str:
    """How a rung is shown: good, warn or bad."""
    if rung <= Rung.PASS:
        return "good"
    return "warn" if rung <= Rung.SLOW else "bad"


def tone_of_status(status: str) -> str:
    """How a status is shown: good, warn or bad."""
    if status == "done":
        return "good"
    return "bad" if status in ("fault", "not_achieved") else "warn"


def describe_timing(timing: Timing) -> str:
    """A latency: `p50 0.8 ms, p99 1.4 ms`; `-` while nothing was measured."""
    if not timing.count:
        return "-"
    return f"p50 {timing.p50_ms:.2f} ms, p99 {timing.p99_ms:.2f} ms"


def describe_ladder(outcome: Outcome) -> str:
    """How the control ticks fell on the ladder: `pass 98.1 %, slow 1.9 %`."""
    total = sum(outcome.rungs.values())
    if not total:
        return "-"
    order = [rung.name for rung in Rung if outcome.rungs.get(rung.name)]
    return ", ".join(
        f"{name.lower()} {100 * outcome.rungs[name] / total:.1f} %" for name in order
    )
