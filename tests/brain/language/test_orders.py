"""What people say, and the goals that come of it."""

from __future__ import annotations

import numpy as np
import pytest

from bidden.brain.language.encoder import english_words
from bidden.brain.language.parser import Parser
from bidden.brain.planning import describe, plan
from bidden.core.clauses import Context, Reply
from bidden.core.messages import LEFT, RIGHT, Goal, Skill

PARSER = Parser(english_words())
EMPTY = Context(holding="")


def goals_of(text: str, context: Context = EMPTY) -> tuple[Goal, ...]:
    clauses = PARSER.parse(text)
    assert not isinstance(clauses, Reply), clauses.text
    goals = plan(clauses, context, text=text)
    assert not isinstance(goals, Reply), goals.text
    return goals


def told(text: str, context: Context = EMPTY) -> str:
    return " | ".join(describe(goal) for goal in goals_of(text, context))


PICK_PUT = "pick up the red cube | put it in the blue bowl"
BROUGHT = "pick up the red cube | walk to the person"
ORDERS = {
    # the demo, in many words
    "pick up the red cube and put it in the blue bowl": PICK_PUT,
    "put the red cube in the blue bowl": PICK_PUT,
    "Could you please put the scarlet block into the navy basin?": PICK_PUT,
    "PICK UP THE RED CUBE!!! Then, drop it in the blue bowl.": PICK_PUT,
    "pick upp the rde cbue and putt it in teh blu bwol": PICK_PUT,
    "put redcube in bluebowl": PICK_PUT,
    "pick up red cube put blue bowl": PICK_PUT,
    "1. pick up the red cube 2. put it in the blue bowl": PICK_PUT,
    "I want the red cube in the blue bowl": PICK_PUT,
    "make sure the red cube ends up in the blue bowl": PICK_PUT,
    "the red cube belongs in the blue bowl": PICK_PUT,
    "In the blue bowl, put the red cube.": PICK_PUT,
    "transfer the red cube to the blue bowl": PICK_PUT,
    "throw the red cube into the blue bowl": PICK_PUT,
    "put the cube that is red in the bowl that is blue": PICK_PUT,
    "put the red cube on the low table in the blue bowl": PICK_PUT,
    "after picking up the red cube, put it in the blue bowl": PICK_PUT,
    "do you see the red cube? put it in the blue bowl": PICK_PUT,
    # bringing
    "bring the red cube to the person": BROUGHT,
    "bring me the red cube": BROUGHT,
    "hand me the red cube": BROUGHT,
    "give the person the red cube": BROUGHT,
    "could you get me the red cube please": BROUGHT,
    "bring the red cube over here": BROUGHT,
    "grab the red cube from the table, carry it to the person": BROUGHT,
    "the red cube: bring it to me": BROUGHT,
    "bring the red cube to the man by the door": BROUGHT,
    "pick up the red cube and walk it over to the lady": BROUGHT,
    "bring the red cube from the shelf to the door": (
        "pick up the red cube | walk to the door"
    ),
    # picking
    "grab the tall green thing": "pick up the green box",
    "get the round red object": "pick up the red ball",
    "take the yellow cylinder off the tray": "pick up the yellow cylinder",
    "pick up the can": "pick up the cylinder",
    "pick up the red cube, not the blue one": "pick up the red cube",
    "pick up the red cube instead of the blue one": "pick up the red cube",
    "do not pick up the blue cube, pick up the red cube": "pick up the red cube",
    "pick up the red cube but don't drop it": "pick up the red cube",
    "go and get the red cube": "pick up the red cube",
    "take hold of the red cube and lift it": "pick up the red cube",
    "carry the red cube and go to the door": (
        "pick up the red cube | walk to the door"
    ),
    "grab the red cube, head for the blue bowl and drop it in": (
        "pick up the red cube | walk to the blue bowl | put it in the blue bowl"
    ),
    # several
    "put the red cube in the red bowl and the blue ball in the tray": (
        "pick up the red cube | put it in the red bowl"
        " | pick up the blue ball | put it in the tray"
    ),
    "put the red cube and the blue ball on the tray": (
        "pick up the red cube | put it on the tray"
        " | pick up the blue ball | put it on the tray"
    ),
    "first walk to the table, then face the shelf, finally wave": (
        "walk to the table | turn to face the shelf | wave"
    ),
    "Walk to the door. Turn around; wave!": (
        "walk to the door | turn 180 degrees left | wave"
    ),
    "before you wave, walk to the door": "walk to the door | wave",
    "wave after walking to the door": "walk to the door | wave",
    "go to the door and the chair": "walk to the door | walk to the chair",
    "walk to the door and wait there": "walk to the door",
    "turn left, then right": "turn 90 degrees left | turn 90 degrees right",
    "wave twice": "wave | wave",
    "where is the door? go there": "walk to the door",
    # places
    "Make your way towards the potted plant, please": "walk to the plant",
    "I need you by the door": "walk to the door",
    "come here": "walk to the person",
    "to the door, quickly": "walk to the door",
    "go to the table on the right": "walk to the right table",
    "stand next to the low table": "walk to the low table",
    "walk up to the red cube": "walk to the red cube",
    "moev to the dor": "walk to the door",
    "go to the door, not the chair": "walk to the door",
    "turn towards the shelf": "turn to face the shelf",
    "look at me": "turn to face the person",
    # standing
    "stop": "stand still",
    "Don't move!": "stand still",
    "wait here": "stand still",
    "stop walking": "stand still",
    "hold on": "stand still",
    # waving
    "say hello": "wave",
    "wave goodbye to the person": "wave",
    "give me a wave": "wave",
}


@pytest.mark.parametrize("text", ORDERS)
def test_an_order_becomes_its_goals(text: str) -> None:
    assert told(text) == ORDERS[text]


MOVES = {
    "walk forward one metre": (1, 0, 0),
    "walk a metre and a half": (1.5, 0, 0),
    "walk two and a half metres ahead": (2.5, 0, 0),
    "go three quarters of a metre forward": (0.75, 0, 0),
    "walk 1,5 metres back": (-1.5, 0, 0),
    "walk 1/2 m forward": (0.5, 0, 0),
    "walk ½ m forward": (0.5, 0, 0),
    "walk 50cm": (0.5, 0, 0),
    "walk a hundred and twenty centimetres forward": (1.2, 0, 0),
    "walk one point five metres forward": (1.5, 0, 0),
    "walk 1 metre and 50 centimetres forward": (1.5, 0, 0),
    "go forward 3 ft": (0.9144, 0, 0),
    "take two steps back": (-1, 0, 0),
    "take half a step to the left": (0, 0.25, 0),
    "step back": (-0.5, 0, 0),
    "wlak forwrad tow steps": (1, 0, 0),
    "a couple of steps forward please": (1, 0, 0),
    "sidestep right by 30 centimetres": (0, -0.3, 0),
    "back up half a metre": (-0.5, 0, 0),
    "move back a bit": (-0.25, 0, 0),
    "turn left": (0, 0, 90),
    "turn to your right": (0, 0, -90),
    "turn left ninety degrees": (0, 0, 90),
    "turn right by 45°": (0, 0, -45),
    "rotate one hundred and twenty degrees clockwise": (0, 0, -120),
    "turn left 1.5707963 radians": (0, 0, 90),
    "a quarter turn to the left": (0, 0, 90),
    "make a half turn": (0, 0, 180),
    "turn around": (0, 0, 180),
    "do a 180": (0, 0, 180),
    "make a left turn of thirty degrees": (0, 0, 30),
    "I would like you to turn slightly to the right": (0, 0, -15),
}


@pytest.mark.parametrize("text", MOVES)
def test_an_amount_is_metres_and_radians(text: str) -> None:
    (goal,) = goals_of(text)
    assert goal.skill is Skill.MOVE_BY
    assert goal.amount is not None
    dx, dy, degrees = MOVES[text]
    np.testing.assert_allclose(goal.amount, [dx, dy, np.deg2rad(degrees)], atol=1e-6)


def test_more_than_half_a_turn_is_cut_into_parts() -> None:
    goals = goals_of("do a full turn to the left")
    total = sum(goal.amount[2] for goal in goals if goal.amount is not None)
    assert total == pytest.approx(2 * np.pi)
    assert len(goals) == 3


@pytest.mark.parametrize(
    ("text", "hand"),
    [
        ("pick up the red cube", RIGHT),
        ("with your left hand, pick up the red cube", LEFT),
        ("pick up the red cube using the right arm", RIGHT),
        ("put the red cube in the bowl with the left hand", LEFT),
        ("wave your left hand", LEFT),
    ],
)
def test_the_named_hand_is_used(text: str, hand: int) -> None:
    assert {goal.hand for goal in goals_of(text)} == {hand}


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("walk to the azure sphere", {"object": "blue ball"}),
        ("face the navy dish", {"receptacle": "blue bowl"}),
        ("go to the coffee table", {"landmark": "low table"}),
        ("pick up the violet carton", {"object": "purple box"}),
        ("pick up the orange", {"object": "orange object"}),
        ("pick up the cylindrical thing", {"object": "cylinder"}),
    ],
)
def test_phrases_are_canonical(text: str, phrases: dict[str, str]) -> None:
    assert goals_of(text)[0].phrases == phrases


def test_every_goal_keeps_the_words_that_asked_for_it() -> None:
    goals = goals_of("put the red cube in the bowl")
    assert {goal.instruction for goal in goals} == {"put the red cube in the bowl"}


def test_relation_is_in_for_a_bowl_and_on_for_a_tray_when_not_said() -> None:
    relations = [
        goals_of(f"move the red cube to the {place}")[-1].relation
        for place in ("bowl", "bin", "tray")
    ]
    assert relations == ["in", "in", "on"]
