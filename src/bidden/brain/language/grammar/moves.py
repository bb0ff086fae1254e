"""Walking and turning by an amount: directions and numbers to metres and radians."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from bidden.brain.language.words.amounts import STEP_M, Amount
from bidden.core.clauses import Reply, ReplyKind

Move = tuple[float, float, float]  # dx, dy [m], dyaw [rad] in B
_WAYS: Final = {"front": (1, 0), "back": (-1, 0), "left": (0, 1), "right": (0, -1)}
_BIT_M: Final = STEP_M / 2  # "a bit"
_BIT_RAD: Final = math.radians(15)
_OPPOSITES: Final = ({"front", "back"}, {"left", "right"})


def question(text: str) -> Reply:
    """A reply that asks for what is missing."""
    return Reply(kind=ReplyKind.QUESTION, text=text)


def read_walk(
    moves: Sequence[Amount | str], *, ahead: str = "front", step: bool = False
) -> list[Move] | Reply:
    """Steps to walk, one for each amount.

    Args:
        moves: amounts and directions in the order of speech.
        ahead: direction when none is said.
        step: one step is meant when no amount is said.
    """
    pairs = _pair(moves)
    if isinstance(pairs, Reply):
        return pairs
    walked: list[Move] = []
    for amount, way in pairs:
        way = way or ahead
        if amount is None and not step:
            where = {"front": "forward", "around": "that way"}.get(way, way)
            return question(f"How far {where}? For example: one metre, or two steps.")
        if amount is not None and amount.dimension == "angle":
            turned = _turn(amount, "" if way == ahead else way)
            if isinstance(turned, Reply):
                return turned
            walked.append(turned)
            continue
        if way not in _WAYS:
            return question("Which way: forward, back, left or right?")
        if amount is not None and amount.value < 0.0:
            return question("Less than nothing? Tell me the direction in words.")
        if amount is not None and amount.dimension == "bare":
            return question(f"{amount.value:g} what? Metres or steps?")
        metres = STEP_M if amount is None else amount.value
        if amount is not None and amount.dimension == "bit":
            metres = _BIT_M
        x, y = _WAYS[way]
        walked.append((x * metres, y * metres, 0.0))
    return walked


def read_turn(moves: Sequence[Amount | str]) -> list[Move] | Reply:
    """Turns on the spot, one for each amount."""
    pairs = _pair(moves)
    if isinstance(pairs, Reply):
        return pairs
    turned: list[Move] = []
    for amount, way in pairs:
        if amount is not None and amount.dimension == "length":
            return question("How far should I turn, in degrees?")
        move = _turn(amount, way)
        if isinstance(move, Reply):
            return move
        turned.append(move)
    return turned


def _turn(amount: Amount | None, way: str) -> Move | Reply:
    if amount is None:
        angle = math.pi / 2 if way in ("left", "right") else math.pi
        if way == "front":
            return question("Which way should I turn: left or right?")
    elif amount.dimension == "bit":
        angle = _BIT_RAD
    elif amount.dimension == "bare":
        angle = math.radians(amount.value)
    else:
        angle = amount.value
    if angle < 0.0:
        return question("Should I turn left or right? Please say it in words.")
    halves = angle / math.pi if math.isfinite(angle) else 0.5
    if way not in ("left", "right") and abs(halves - round(halves)) > 1e-3:
        return question("Should I turn left or right?")
    return (0.0, 0.0, -angle if way == "right" else angle)


def _pair(moves: Sequence[Amount | str]) -> list[tuple[Amount | None, str]] | Reply:
    """Each amount with its direction, whichever of the two was said first."""
    pairs: list[tuple[Amount | None, str]] = []
    for move in moves:
        amount, way = pairs[-1] if pairs else (None, "")
        if isinstance(move, Amount):
            if pairs and amount is None:
                pairs[-1] = (move, way)
            else:
                pairs.append((move, ""))
        elif pairs and way in ("", move, "around") and (amount or way):
            pairs[-1] = (amount, move if way != move else way)
        elif pairs and move == "around":
            pass  # "turn left around"
        elif pairs and ({way, move} in _OPPOSITES or amount is None):
            return question(f"Both {_say(way)} and {_say(move)}? Tell me one of them.")
        else:
            pairs.append((None, move))
    return pairs


def _say(way: str) -> str:
    return {"front": "forward", "around": "around"}.get(way, way)
