"""The gate's training sentences: well-formed, paired, and none of the held-out ones."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np

from bidden.training.language.hazards import gate_examples, load_around
from bidden.training.language.lines import read_lines, say

HELD_OUT = Path(__file__).parents[3] / "benchmarks" / "data"
LINES = read_lines()


def words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z']+", text.lower()))


def test_every_line_says_something_whole() -> None:
    rng = np.random.default_rng(700001)
    for line in LINES:
        for _ in range(5):
            said = say(line.text, rng)
            assert said, line.text
            assert not re.search(r"[\[\]{}|#]", said), said
            assert "  " not in said


def test_every_danger_has_a_twin_in_its_group() -> None:
    dangers = [line.group for line in LINES if line.source == "danger"]
    twins = [line.group for line in LINES if line.source == "twin"]
    assert dangers == twins
    assert len(set(dangers)) == len(dangers) > 400
    everyday = {line.group for line in LINES if line.source not in ("danger", "twin")}
    assert not everyday & set(dangers)


def test_the_same_seed_says_the_same() -> None:
    first, second = (
        [say(line.text, np.random.default_rng(7)) for line in LINES] for _ in range(2)
    )
    assert first == second


def test_words_around_an_order_stand_around_dangers_and_twins_alike() -> None:
    first, second = (
        list(gate_examples(np.random.default_rng(700003), each=1)) for _ in range(2)
    )
    assert first == second
    before = tuple(words for words in load_around()["before"] if len(words) > 12)
    share = {
        source: np.mean(
            [e.text.startswith(before) for e in first if e.source == source]
        )
        for source in ("danger", "twin")
    }
    assert all(0.03 < part < 0.2 for part in share.values()), share


def test_no_held_out_sentence_is_trained_on() -> None:
    held_out = {
        words(json.loads(line)["text"])
        for path in HELD_OUT.glob("*.jsonl")
        for line in path.read_text("utf-8").splitlines()
    }
    long = [said for said in held_out if len(said) >= 5]
    assert len(long) > 600
    sizes = np.array([len(said) for said in long])
    number = {word: i for i, word in enumerate(sorted(frozenset().union(*long)))}
    holds = np.zeros((len(number), len(long)), np.uint8)
    for row, other in enumerate(long):
        holds[[number[word] for word in other], row] = 1

    def is_near(said: frozenset[str]) -> bool:
        shared = holds[[number[word] for word in said if word in number]].sum(0)
        return bool((shared > 0.85 * np.maximum(sizes, len(said))).any())

    rng = np.random.default_rng(700002)
    near = [
        (line.source, said)
        for line in LINES
        for said in {say(line.text, rng) for _ in range(8)}
        if is_near(words(said))
    ]
    assert [said for source, said in near if source == "danger"] == []
    # everyday talk repeats itself: "shake hands with the mayor"; measured: 8 of 2,284
    assert len(near) < 0.004 * len(LINES)
