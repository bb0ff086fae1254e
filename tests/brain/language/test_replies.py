"""Unclear or impossible: a question or a reason, never a guess, never a traceback."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidden.brain.language.encoder import english_words
from bidden.brain.language.parser import Parser
from bidden.brain.language.words.idioms import plainer
from bidden.brain.language.words.lexicon import known_words
from bidden.brain.planning import plan
from bidden.core.clauses import Context, Reply, ReplyKind
from bidden.core.messages import Goal

PARSER = Parser(english_words())
QUESTION, REFUSAL = ReplyKind.QUESTION, ReplyKind.REFUSAL
UNKNOWN, NOTED = ReplyKind.UNKNOWN, ReplyKind.NOTED


def answer(text: str, context: Context | None = None) -> tuple[Goal, ...] | Reply:
    clauses = PARSER.parse(text)
    if isinstance(clauses, Reply):
        return clauses
    return plan(clauses, context or Context(holding=""), text=text)


REPLIES = [
    ("", QUESTION, "Tell me what to do"),
    ("  \n\t ", QUESTION, "Tell me what to do"),
    ("go " * 10_000, REFUSAL, "10000 words"),
    ("x" * 5_000, REFUSAL, "2000 characters"),
    ("拿起红色方块", UNKNOWN, "English only"),
    ("возьми красный куб", UNKNOWN, "English only"),
    ("nimm den roten Würfel", UNKNOWN, "English only"),
    ("por favor recoge el cubo rojo", UNKNOWN, "English only"),
    ("prends le cube rouge et mets le dans le bol bleu", UNKNOWN, "English only"),
    ("🤖🤖🤖", UNKNOWN, "cannot read"),
    ("\x00\x01\xff\ufffd%$#", UNKNOWN, ""),
    ("asdf qwer zxcv", UNKNOWN, "asdf"),
    ("hello", QUESTION, "Tell me what to do"),
    ("what time is it?", UNKNOWN, "cannot answer questions"),
    ("open the door", REFUSAL, "open"),
    ("turn on the lamp", REFUSAL, "switch"),
    ("turn the red cube upside down", REFUSAL, "red cube"),
    ("play some music", REFUSAL, "play"),
    ("push the red cube", REFUSAL, "push"),
    # things
    ("pick up the banana", UNKNOWN, "banana"),
    ("pick up the pink cube", UNKNOWN, "pink cube"),
    ("pick up the red blue cube", UNKNOWN, "red blue cube"),
    ("go to the kitchen", UNKNOWN, "kitchen"),
    ("pick up something", QUESTION, "colour and shape"),
    ("pick up", QUESTION, "What should I pick up"),
    ("put the red cube", QUESTION, "Where should I put the red cube"),
    ("bring the red cube", QUESTION, "Where should I bring the red cube"),
    ("go", QUESTION, "Where"),
    ("red cube", QUESTION, "What should I do with the red cube"),
    ("find the red cube", QUESTION, "What should I do with the red cube"),
    ("put it", QUESTION, "nothing"),
    ("put it in the bowl", QUESTION, "nothing"),
    ("grab it", QUESTION, "'it'"),
    ("pick up both cubes", QUESTION, "one thing at a time"),
    ("dump everything in the bin", QUESTION, "one thing at a time"),
    ("pick up the red cube and the blue ball", QUESTION, "I hold the red cube"),
    ("pick up the red cube or the blue ball", QUESTION, "choice"),
    ("pick up a cube that is not red", QUESTION, "which one you mean"),
    ("put the red cube in the bowl in the bin", QUESTION, "where should it go"),
    ("pick up the door", REFUSAL, "cannot carry a door"),
    ("put the red cube on the table", REFUSAL, "bowl, tray or bin"),
    ("put the red cube behind the bowl", REFUSAL, "behind"),
    ("walk between the chair and the door", REFUSAL, "between"),
    ("pick up the red cube with both hands", REFUSAL, "one hand"),
    ("raise your left arm", REFUSAL, "hands"),
    # amounts
    ("walk 500 metres", REFUSAL, "at most 10 metres"),
    ("walk nan metres", REFUSAL, "at most 10 metres"),
    ("walk infinity metres forward", REFUSAL, "at most 10 metres"),
    ("turn 1e999 degrees left", REFUSAL, "at most 360 degrees"),
    ("turn 400 degrees left", REFUSAL, "at most 360 degrees"),
    ("walk -1 metres", QUESTION, "direction"),
    ("walk 0 metres", NOTED, "nothing to do"),
    ("walk forward", QUESTION, "How far"),
    ("walk 3", QUESTION, "Metres or steps"),
    ("turn ninety degrees", QUESTION, "left or right"),
    ("turn", QUESTION, "Which way"),
    ("walk left right one metre", QUESTION, "left and right"),
    ("walk forward backward one metre", QUESTION, "forward and back"),
    ("walk two metres to the door", QUESTION, "all the way"),
    ("move the red cube one metre to the left", REFUSAL, "not by an amount"),
    # orders that are none
    ("don't pick up the red cube", NOTED, "will not"),
    ("never go to the door", NOTED, "will not"),
    ("pick up the red cube and do not pick up the red cube", QUESTION, "which"),
    ("if you see a red cube, pick it up", QUESTION, "if"),
    ("wave and walk to the door at the same time", REFUSAL, "one thing after another"),
    ("wave. " * 30, REFUSAL, "12 steps"),
    ("wave 99 times", REFUSAL, "steps"),
]


@pytest.mark.parametrize(("text", "kind", "word"), REPLIES)
def test_a_reply_says_what_is_wrong(text: str, kind: ReplyKind, word: str) -> None:
    reply = answer(text)
    assert isinstance(reply, Reply), reply
    assert reply.kind is kind, reply.text
    assert word in reply.text


@pytest.mark.parametrize(
    "text",
    [
        "pick up the bell",  # a word of its own, not a misspelt ball
        "pick up the pen",
        "go to the floor",
        "put the red cube in the bow",
    ],
)
def test_real_words_are_not_bent_into_known_ones(text: str) -> None:
    assert isinstance(answer(text), Reply)


SOME_WORDS = st.sampled_from(
    [*sorted(known_words()), "1", "2.5", "-3", "1e9", ",", "."]
)


@settings(max_examples=300, deadline=500)
@given(st.text(max_size=300))
def test_any_text_gets_goals_or_a_reply(text: str) -> None:
    check(answer(text))


@settings(max_examples=500, deadline=500)
@given(text=st.lists(SOME_WORDS, max_size=40).map(" ".join), holds=st.booleans())
def test_any_known_words_get_goals_or_a_reply(text: str, *, holds: bool) -> None:
    check(answer(text, Context(holding="red cube" if holds else None)))


def check(got: tuple[Goal, ...] | Reply) -> None:
    if isinstance(got, Reply):
        assert got.text
        assert len(got.text) < 500
        return
    assert 0 < len(got) <= 16
    for goal in got:
        if goal.amount is not None:
            assert np.isfinite(goal.amount).all()
            assert np.hypot(*goal.amount[:2]) <= 10.0


@pytest.mark.parametrize(
    "text",
    ["a " * 200, "qwzxv " * 199, "1 " * 199, "put the " * 99, "x" * 2000, "½" * 2000],
)
def test_time_is_bounded(text: str) -> None:
    began = time.perf_counter()
    answer(text)
    assert time.perf_counter() - began < 0.5  # measured: 15 ms


def test_plainer_text_is_a_fixed_point_of_clean_orders() -> None:
    for text in ("pick the red cube", "put it in the blue bowl", "go to the door"):
        assert plainer(text) == text
