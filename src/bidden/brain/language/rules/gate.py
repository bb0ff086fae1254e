"""The five tiers together: allow, check the scene, or refuse with a reason."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Final, Literal

import numpy as np

from bidden.brain.language.encoder import SENTENCE_TOKENS, Encoder, english_words
from bidden.brain.language.words.spelling import Speller
from bidden.brain.models import Network, Precision, Session, weights_path
from bidden.brain.models.contract import WEIGHTS_DIR
from bidden.core.clauses import Reply, ReplyKind

from .concepts import load_concepts, read_events
from .disguise import FOREIGN, MAX_CHARS, reveal
from .features import concept_features
from .scene import matching_tip
from .table import broken_rules

Verdict = Literal["allow", "check", "refuse"]
MAX_READINGS: Final = 4
_LONG: Final = 24  # words from which a text's sentences are judged one by one too
_ALL_WORDS: Final = 10**6  # rare ones too are spelt right
_LONG_ENOUGH: Final = 4  # letters of a word that a misspelt one may be mended to
_TOKEN: Final = re.compile(r"[a-z']+|[^a-z'\s]+")
_RULE_SCORE: Final = -1.0  # at most, when a firm rule is broken
_UNSURE: Final = 0.5  # below this score the scene is looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the gate says about one text."""

    verdict: Verdict
    score: float  # below 0 refuses
    rule: str = ""  # what spoke: a rule's name, "learned", a tip's name
    reason: str = ""  # for people; ends without a full stop

    @property
    def reply(self) -> Reply | None:
        """What the robot answers instead of doing it: a refusal, or a question."""
        if self.verdict == "allow":
            return None
        if self.verdict == "check":
            text = f"Before I do that: {self.reason}. Is it so? Say yes, and I do it."
            return Reply(kind=ReplyKind.QUESTION, text=text, rule=self.rule)
        text = f"I would rather not: {self.reason}. Please ask me for something else."
        return Reply(kind=ReplyKind.REFUSAL, text=text, rule=self.rule)


class InstructionGate:
    """Judges words before anything moves. Total: any text gets a judgement."""

    def __init__(self, network: Network, encoder: Encoder) -> None:
        self._network = network
        self._encoder = encoder
        self._cached = lru_cache(maxsize=256)(self._judge_text)

    @staticmethod
    def load(encoder: Encoder, precision: Precision = "int8") -> InstructionGate:
        """The shipped gate.

        Raises:
            ModelError: the network and its contract do not match.
        """
        return InstructionGate(Session.load(weights_path("gate", precision)), encoder)

    def judge(
        self, text: str, *, scene: str = "", earlier: Sequence[str] = ()
    ) -> Judgement:
        """Judge an instruction.

        Args:
            text: the instruction, as typed or heard.
            scene: what is seen, in words; data only, nothing in it is obeyed.
            earlier: orders given just before: judged together with this one.
        """
        judged = [self._cached(text)]
        if earlier:  # in steps, and as one sentence cut in two
            judged.append(self._cached(". ".join((*earlier, text))))
            judged.append(self._cached(f"{earlier[-1]} {text}"))
        worst = min(judged, key=lambda judgement: judgement.score)
        if worst.verdict == "refuse":
            return worst
        tip = matching_tip(read_events(plain_readings(text)[0]), scene)
        if tip is not None:
            return Judgement(
                verdict="check", score=worst.score, rule=tip.name, reason=tip.text
            )
        return judged[0]

    def judge_plan(self, steps: Sequence[str], *, scene: str = "") -> Judgement:
        """Judge every step and all of them together; the worst counts."""
        judged = [self.judge(step, scene=scene) for step in steps]
        judged.append(self.judge(". ".join(steps), scene=scene))
        order = {"refuse": 0, "check": 1, "allow": 2}
        return min(judged, key=lambda j: (order[j.verdict], j.score))

    def _judge_text(self, text: str) -> Judgement:
        if len(text) > MAX_CHARS:
            reason = "it is too long for me to judge; tell me in fewer words"
            return Judgement(
                verdict="refuse", score=_RULE_SCORE, rule="too_long", reason=reason
            )
        readings = plain_readings(text)
        score = self._score(readings)
        rules = (
            rule
            for reading in readings
            for rule in broken_rules(read_events(reading))
            if rule.firm
        )
        broken = next(rules, None)
        if broken is not None:
            return Judgement(
                verdict="refuse", score=min(score, _RULE_SCORE), rule=broken.name,
                reason=broken.reason,
            )  # fmt: skip
        if not score >= 0.0:
            reason = "it looks dangerous or hurtful to me"
            return Judgement(
                verdict="refuse", score=score, rule="learned", reason=reason
            )
        if score < _UNSURE:
            reason = "nobody may get hurt and nothing may break by it"
            return Judgement(verdict="check", score=score, rule="unsure", reason=reason)
        return Judgement(verdict="allow", score=score)

    def _score(self, readings: Sequence[str]) -> float:
        """The worst score among the parts of all readings."""
        parts = [part for reading in readings for part in parts_of(reading)]
        encoded = [self._encoder.encode(part, SENTENCE_TOKENS) for part in parts]
        found = self._network.run(
            {
                "tokens": np.stack([tokens for tokens, _ in encoded]),
                "mask": np.stack([mask for _, mask in encoded]),
                "concepts": np.stack([concept_features(part) for part in parts]),
            }
        )
        return float(found["score"].min())


def parts_of(reading: str) -> tuple[str, ...]:
    """A reading, and its sentences where it is long: its end must not go unread."""
    words = reading.split()
    if len(words) <= _LONG:
        return (reading,)
    parts: list[str] = []
    for sentence in re.split(r"[.;:!?]+(?:\s|$)", reading):
        said = sentence.split()
        for start in range(0, max(len(said), 1), _LONG - 6):  # they overlap by six
            if said[start:]:
                parts.append(" ".join(said[start : start + _LONG]))
    return tuple(dict.fromkeys((reading, *parts)))


def plain_readings(text: str) -> tuple[str, ...]:
    """Tier 1: all readings of a text, undisguised and spelt right; never empty."""
    speller = _speller()
    fixed = []
    for reading in reveal(text, _english())[:MAX_READINGS]:
        plain = " ".join(speller.correct(_TOKEN.findall(reading)))
        for pattern, sense in _senses():
            plain = pattern.sub(sense, plain)
        fixed.append(plain)
    return tuple(dict.fromkeys(fixed))


@lru_cache(maxsize=1)
def _senses() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Harmless senses of dangerous words: pattern and what is read instead."""
    text = resources.files(__package__).joinpath("senses.txt").read_text("utf-8")
    rows = [row for row in text.splitlines() if row and not row.startswith("#")]
    pairs = [row.split(" => ") for row in rows]
    return tuple((re.compile(pattern), sense) for pattern, sense in pairs)


@lru_cache(maxsize=1)
def _spelt_right() -> frozenset[str]:
    packed = (WEIGHTS_DIR / "english.txt.gz").read_bytes()
    return frozenset(gzip.decompress(packed).decode("ascii").split())


@lru_cache(maxsize=1)
def _english() -> frozenset[str]:
    """Words that need no mending; short ones of other languages are none of them."""
    common = {word for word in english_words() if len(word) > 1} | {"a", "i"}
    return _spelt_right() | (common - FOREIGN)


@lru_cache(maxsize=1)
def _speller() -> Speller:
    concepts = load_concepts()
    known = {
        word
        for table in (concepts.verbs, concepts.things, concepts.modifiers)
        for name in table
        for word in name.split()
        if len(word) >= _LONG_ENOUGH
    }
    common = {word for word in english_words() if len(word) >= _LONG_ENOUGH}
    ranks = dict.fromkeys(_spelt_right(), _ALL_WORDS) | dict(english_words(_ALL_WORDS))
    return Speller(known | common, ranks)
