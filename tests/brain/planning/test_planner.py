"""Goals depend on what was said before and on what is held."""

from __future__ import annotations

import pytest

from bidden.brain.planning import Abilities, Planner, describe, plan, thing_of
from bidden.core.clauses import Clause, Context, Intent, Reply, ReplyKind, Sort, Thing
from bidden.core.messages import LEFT, Goal, Skill

CUBE = Thing(sort=Sort.OBJECT, noun="cube", colour="red")
BOWL = Thing(sort=Sort.RECEPTACLE, noun="bowl", colour="blue")
IT = Thing(sort=Sort.PRONOUN, noun="it")
HELD = Thing(sort=Sort.HELD, noun="held")
PERSON = Thing(sort=Sort.LANDMARK, noun="person")


def put(thing: Thing | None, target: Thing | None = BOWL) -> Clause:
    return Clause(intent=Intent.PUT, text="", object=thing, target=target)


def skills(got: tuple[Goal, ...] | Reply) -> list[str]:
    assert not isinstance(got, Reply), got.text
    return [goal.skill.value for goal in got]


def reply(got: tuple[Goal, ...] | Reply) -> Reply:
    assert isinstance(got, Reply)
    return got


@pytest.mark.parametrize("thing", [IT, HELD, CUBE, None])
def test_what_is_held_is_put_without_picking(thing: Thing | None) -> None:
    assert skills(plan([put(thing)], Context(holding="red cube"))) == ["put"]


@pytest.mark.parametrize("thing", [IT, HELD])
def test_unknown_hands_are_taken_at_their_word(thing: Thing) -> None:
    assert skills(plan([put(thing)], Context())) == ["put"]


@pytest.mark.parametrize("thing", [IT, HELD])
def test_empty_hands_put_nothing(thing: Thing) -> None:
    got = reply(plan([put(thing)], Context(holding="")))
    assert got.kind is ReplyKind.QUESTION
    assert got.text == "I hold nothing. What should I put in or on the blue bowl?"


def test_it_means_the_object_of_the_instruction_before() -> None:
    goals = plan([put(IT)], Context(holding="", last_object="red cube"))
    assert skills(goals) == ["pick", "put"]


def test_full_hands_pick_nothing_else() -> None:
    pick = Clause(intent=Intent.PICK, text="", object=CUBE)
    got = reply(plan([pick], Context(holding="green ball")))
    assert got.text == "I hold the green ball. Where should I put it first?"


def test_what_is_held_already_is_noted() -> None:
    pick = Clause(intent=Intent.PICK, text="", object=CUBE)
    assert reply(plan([pick], Context(holding="red cube"))).kind is ReplyKind.NOTED


def test_the_hand_that_holds_is_the_hand_that_puts() -> None:
    goals = plan([put(IT)], Context(holding="red cube", hand=LEFT))
    assert not isinstance(goals, Reply)
    assert goals[0].hand == LEFT


def test_the_free_hand_waves() -> None:
    wave = Clause(intent=Intent.WAVE, text="")
    goals = plan([wave], Context(holding="red cube", hand=0))
    assert not isinstance(goals, Reply)
    assert goals[0].hand == LEFT


def test_bringing_what_is_held_is_walking() -> None:
    bring = Clause(intent=Intent.BRING, text="", object=IT, target=PERSON)
    assert skills(plan([bring], Context(holding="red cube"))) == ["walk_to"]


def test_there_means_the_place_before() -> None:
    there = Thing(sort=Sort.PRONOUN, noun="there")
    walk = Clause(intent=Intent.WALK_TO, text="", target=there)
    goals = plan([walk], Context(last_place="low table"))
    assert not isinstance(goals, Reply)
    assert goals[0].phrases == {"landmark": "low table"}


def test_abilities_limit_what_is_walked() -> None:
    clause = Clause(intent=Intent.MOVE_BY, text="", amount=(2.0, 0.0, 0.0))
    small = Planner(Abilities(max_walk_m=1.0))
    assert "at most 1 metres" in reply(small.plan([clause])).text


def test_bad_abilities_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        Abilities(max_walk_m=float("nan"))


@pytest.mark.parametrize("phrase", ["red cube", "blue bowl", "low table", "person"])
def test_a_phrase_names_its_thing(phrase: str) -> None:
    assert thing_of(phrase).phrase == phrase


def test_goals_are_told_in_plain_words() -> None:
    goal = Goal(skill=Skill.WALK_TO, instruction="", phrases={"object": "red cube"})
    assert describe(goal) == "walk to the red cube"
