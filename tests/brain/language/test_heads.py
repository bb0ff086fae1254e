"""The trained heads read verbs that no template held, and know when they do not."""

from __future__ import annotations

import re
import tomllib
from importlib import resources

import numpy as np
import pytest

from bidden.brain.language.encoder import Encoder, english_words
from bidden.brain.language.heads import INTENTS, Heads
from bidden.brain.language.parser import Parser, Reading
from bidden.brain.language.pipeline import LanguagePipeline
from bidden.brain.planning import describe, plan
from bidden.core.clauses import Context, Intent, Reply, ReplyKind, Told
from bidden.training.language.data import load_templates, sentences

ENCODER = Encoder.load()


@pytest.fixture(scope="module")
def heads() -> Heads:
    return Heads.load(ENCODER)


@pytest.fixture(scope="module")
def language() -> LanguagePipeline:
    return LanguagePipeline.load(plan)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("nab the green ball from the table", "pick"),
        ("saunter over to the door", "walk_to"),
        ("lug the red cube to the person", "bring"),
        ("plop the cube into the bin", "put"),
        ("set an alarm for six", "other"),
        ("lick the red cube", "other"),
    ],
)
def test_unseen_verbs_are_read(heads: Heads, text: str, intent: str) -> None:
    reading = heads.read(text)
    assert reading.intent == intent
    assert reading.probability > 0.6


def test_entities_and_relation_come_in_words(heads: Heads) -> None:
    found = heads.analyse("plop the crimson cube into the blue bowl")
    assert found.entities == (("object", "crimson cube"), ("receptacle", "blue bowl"))
    assert found.intent.sum() == pytest.approx(1.0, abs=1e-5)
    assert np.isfinite(found.embedding).all()


def test_int8_says_the_same_as_fp32(heads: Heads) -> None:
    exact = Heads.load(ENCODER, "fp32")
    rng = np.random.default_rng(3)
    said = list(sentences(load_templates(), rng, part="check", each=12))
    same = [heads.read(s.text).intent == exact.read(s.text).intent for s in said]
    assert np.mean(same) >= 0.97


def test_no_training_template_is_a_paraphrase_of_the_evaluation() -> None:
    text = resources.files("bidden.evaluation").joinpath("paraphrases.toml")
    table = tomllib.loads(text.read_text("utf-8"))
    held_out = {
        _bare(row if isinstance(row, str) else row["text"])
        for skill, rows in table.items()
        if skill != "words"
        for row in rows
    }
    templates = load_templates()
    trained = {_bare(t) for rows in templates.wordings.values() for t in rows} | {
        _bare(pattern.replace("{verb}", verb))
        for intent, patterns in templates.patterns.items()
        for pattern in patterns
        for verb in templates.verbs.get(intent, ("",))
    }
    assert not held_out & trained


def _bare(text: str) -> str:
    slots = re.sub(r"\{\w+\}", "{}", text.lower())
    return " ".join(re.findall(r"[a-z{}]+", slots))


def test_intents_of_heads_are_those_of_clauses() -> None:
    assert tuple(i.value for i in Intent) == INTENTS[:-1]


@pytest.mark.parametrize("probability", [0.5, 0.79])
def test_an_unsure_reading_asks(probability: float) -> None:
    parser = Parser(english_words(), lambda text: Reading(
        intent="put", probability=probability))  # fmt: skip
    reply = parser.parse("plonk the red cube in the bowl")
    assert isinstance(reply, Reply)
    assert reply.kind is ReplyKind.QUESTION
    assert "'plonk'" in reply.text
    assert "to put" in reply.text


def test_a_reading_never_hides_a_lost_direction() -> None:
    parser = Parser(english_words(), lambda text: Reading(
        intent="move_by", probability=1.0))  # fmt: skip
    assert isinstance(parser.parse("step aside"), Reply)


def test_the_whole_way_gives_goals_and_an_embedding(language: LanguagePipeline) -> None:
    order = Told(text="Nab the red cube, then plop it into the blue bowl!")
    got = language.understand(order, Context(holding=""))
    assert [describe(goal) for goal in got.goals] == [
        "pick up the red cube",
        "put it in the blue bowl",
    ]
    assert got.reply is None
    assert got.embedding is not None
    assert got.embedding.shape == (384,)


def test_the_whole_way_gives_a_reply_and_no_goals(language: LanguagePipeline) -> None:
    got = language.understand(Told(text="lick the red cube"))
    assert not got.goals
    assert got.reply is not None
