"""Tasks come from the seed alone, name what is there, and nothing else."""

from typing import Any

import numpy as np
import pytest

from bidden.adapters.sim.scene.catalog import HELD_OUT_PAIRS
from bidden.core.errors import ConfigError
from bidden.evaluation.household.tasks import (
    OBJECT_SKILLS,
    SKILLS,
    SPLITS,
    draw_swap,
    draw_task,
)
from bidden.evaluation.household.wording import PLAIN, Wording, paraphrases

World = Any


@pytest.mark.parametrize("split", ["seen", "unseen-pairs", "paraphrase"])
@pytest.mark.parametrize("seed", range(900_000, 900_040))
def test_tasks_name_only_what_is_there(world: World, split: Any, seed: int) -> None:
    task = draw_task(world.snapshot(), split=split, seed=seed)
    again = draw_task(world.snapshot(), split=split, seed=seed)
    assert (task.skill, task.sayings, task.roles) == (
        again.skill, again.sayings, again.roles,
    )  # fmt: skip
    assert set(task.roles.values()) <= set(world.things)
    kinds = {role: world.things[name].kind for role, name in task.roles.items()}
    assert all(role == kind for role, kind in kinds.items())
    assert all(saying and "{" not in saying for saying in task.sayings)
    if split == "unseen-pairs":
        colour, shape = task.roles["object"].split()
        assert (colour, shape) in HELD_OUT_PAIRS
        assert task.skill in OBJECT_SKILLS


def test_skills_go_round_with_the_seed(world: World) -> None:
    skills = [
        draw_task(world.snapshot(), split="seen", seed=900_000 + k).skill
        for k in range(len(SKILLS))
    ]
    assert sorted(skills) == sorted(SKILLS)


def test_what_a_room_lacks_is_not_asked_for(world: World) -> None:
    for name in ("door", "blue bowl", "red bin"):
        del world.things[name]
    skills = {
        draw_task(world.snapshot(), split="seen", seed=seed).skill for seed in range(40)
    }
    assert skills == {"pick", "move_by", "wave"}


def test_room_without_held_out_objects_is_an_error_in_unseen_pairs(
    world: World,
) -> None:
    del world.things["green cube"]
    with pytest.raises(ConfigError, match="seed 5: the scene holds nothing to ask for"):
        draw_task(world.snapshot(), split="unseen-pairs", seed=5)


@pytest.mark.parametrize("split", ["seen", "paraphrase"])
def test_walks_by_an_amount_stay_in_the_free_middle(world: World, split: Any) -> None:
    rng = np.random.default_rng(0)
    for seed in range(SKILLS.index("move_by"), 400, len(SKILLS)):
        world.pose = np.array([*rng.uniform(-0.4, 0.4, 2), rng.uniform(-3, 3)])
        task = draw_task(world.snapshot(), split=split, seed=seed)
        assert task.amount is not None
        x, y, yaw = world.pose
        forward = np.array([np.cos(yaw), np.sin(yaw)])
        left = np.array([-forward[1], forward[0]])
        end = np.array([x, y]) + task.amount[0] * forward + task.amount[1] * left
        assert np.hypot(*end) <= 0.96


@pytest.mark.parametrize("seed", range(900_000, 900_020))
def test_swap_says_the_same_of_two_objects(world: World, seed: int) -> None:
    one, two = draw_swap(world.snapshot(), seed=seed)
    assert one.roles["object"] != two.roles["object"]
    assert one.skill == two.skill
    assert one.roles.get("receptacle") == two.roles.get("receptacle")
    as_two = [s.replace(one.roles["object"], two.roles["object"]) for s in one.sayings]
    assert as_two == list(two.sayings)


def test_swap_needs_two_objects(world: World) -> None:
    for name in ("red cube", "blue ball"):
        del world.things[name]
    with pytest.raises(ConfigError, match="a swap needs two objects"):
        draw_swap(world.snapshot(), seed=1)


def test_every_split_is_known() -> None:
    assert SPLITS == ("seen", "unseen-pairs", "paraphrase", "swap")


def test_no_paraphrase_is_a_plain_wording() -> None:
    said = paraphrases()
    for skill, templates in PLAIN.templates.items():
        plain = {template.lower().strip(" .!?") for template in templates}
        assert not plain & {t.lower().strip(" .!?") for t in said.templates[skill]}


def test_every_paraphrase_can_be_said() -> None:
    said = paraphrases()
    slots = {"object": "red cube", "receptacle": "blue bowl", "landmark": "door"}
    rng = np.random.default_rng(0)
    for skill, templates in said.templates.items():
        for template in templates:
            one = Wording(
                templates={skill: (template,)}, moves=(), synonyms=said.synonyms
            )
            assert "{" not in one.say(skill, slots, rng)
    assert max(abs(move.amount[2]) for move in said.moves) == pytest.approx(np.pi)


def test_synonyms_replace_colour_and_shape() -> None:
    wording = Wording(
        templates={"pick": ("take the {hue} {form}",)},
        moves=(),
        synonyms={"red": ("scarlet",), "cube": ("block",)},
    )
    rng = np.random.default_rng(0)
    assert wording.say("pick", {"object": "red cube"}, rng) == "take the scarlet block"


def test_slot_without_a_phrase_is_named() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ConfigError, match="needs 'landmark'; known: object"):
        PLAIN.say("face", {"object": "red cube"}, rng)
    with pytest.raises(ConfigError, match="unknown skill 'dance'"):
        PLAIN.say("dance", {}, rng)
