"""A goal in plain words, for the screen and for logs."""

from __future__ import annotations

import math

from bidden.core.messages import LEFT, Goal, Skill


def describe(goal: Goal) -> str:
    """One line without a full stop, e.g. "walk to the red cube"."""
    name = next(iter(goal.phrases.values()), "it")
    hand = " with the left hand" if goal.hand == LEFT else ""
    match goal.skill:
        case Skill.WALK_TO:
            return f"walk to the {name}"
        case Skill.FACE:
            return f"turn to face the {name}"
        case Skill.PICK:
            return f"pick up the {name}{hand}"
        case Skill.PUT:
            return f"put it {goal.relation or 'on'} the {name}"
        case Skill.MOVE_BY:
            return _describe_move(goal)
        case Skill.WAVE:
            return f"wave{hand}"
        case Skill.STOP:
            return "stand still"


def _describe_move(goal: Goal) -> str:
    if goal.amount is None:
        return "stand still"
    dx, dy, dyaw = (float(number) for number in goal.amount)
    parts = []
    if abs(dx) >= 5e-3:
        parts.append(f"walk {abs(dx):.2g} m {'forward' if dx > 0 else 'back'}")
    if abs(dy) >= 5e-3:
        parts.append(f"step {abs(dy):.2g} m to the {'left' if dy > 0 else 'right'}")
    if abs(dyaw) >= 5e-3:
        side = "left" if dyaw > 0 else "right"
        parts.append(f"turn {math.degrees(abs(dyaw)):.0f} degrees {side}")
    return " and ".join(parts) or "stand still"
