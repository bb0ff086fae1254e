"""The tests' own copy of the ladder: what each check asks for, wherever it speaks."""

from __future__ import annotations

import ast
from pathlib import Path

import bidden.safety

ROOM = Path(bidden.safety.__file__).parent
# (rung, check as it is written) and how often; behaviour is tested elsewhere
REVIEWED = sorted(
    [
        ("SETTLE", "Check.ESTOP"), ("SETTLE", "Check.ESTOP"),
        ("HOLD", "Check.INTERNAL"), ("HOLD", "Check.INTERNAL"),
        ("HOLD", "Check.INTERNAL"), ("HOLD", "Check.CLOCK"), ("HOLD", "Check.CLOCK"),
        ("HOLD", "Check.DISARMED"), ("HOLD", "Check.RISING"),
        ("HOLD", "bad or Check.STATE_INVALID"), ("SETTLE", "Check.STATE_STUCK"),
        ("SETTLE", "Check.STATE_STALE"), ("HOLD", "bad or Check.COMMAND_MISSING"),
        ("SETTLE", "Check.RETREAT_BLOCKED"), ("SLOW", "Check.GEOFENCE"),
        ("HOLD", "Check.SCENE_INVALID"), ("HOLD", "Check.SCENE_STALE"),
        ("SLOW", "Check.SCENE_STALE"), ("WARN", "Check.BASE_SPEED"),
        ("SLOW", "near.nearest"), ("SLOW", "Check.PERSON_DISTANCE"),
        ("SLOW", "Check.PERSON_DISTANCE"), ("WARN", "check"), ("SLOW", "check"),
        ("SLOW", "Check.HAND_SPEED"), ("SETTLE", "Check.TILT"), ("HOLD", "Check.TILT"),
        ("SETTLE", "Check.HEIGHT"), ("HOLD", "Check.CAPTURE_POINT"),
        ("SLOW", "Check.CAPTURE_POINT"), ("HOLD", "Check.CONTACT"),
        ("RETREAT", "Check.PAYLOAD"), ("HOLD", "Check.HEALTH_INVALID"),
        ("SETTLE", "Check.HEALTH_STALE"), ("SETTLE", "Check.MOTOR_HOT"),
        ("SLOW", "Check.MOTOR_HOT"), ("SETTLE", "Check.OPERATOR_LINK"),
        ("HOLD", "Check.OPERATOR_LINK"), ("HOLD", "Check.FORESEEN_CONTACT"),
        ("HOLD", "Check.FORESEEN_FALL"),
    ]
)  # fmt: skip


def test_each_check_asks_for_the_rung_that_was_reviewed() -> None:
    found = []
    for path in ROOM.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Tuple) and len(node.elts) >= 2:
                rung, check = ast.unparse(node.elts[0]), ast.unparse(node.elts[1])
                if rung.startswith("Rung.") and " " not in rung:
                    found.append((rung.removeprefix("Rung."), check))
    assert sorted(found) == REVIEWED
