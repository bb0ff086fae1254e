# ruff: noqa: SIM905 - word lists read best as one string
"""The five tiers together: allow, check the scene, or refuse with a reason."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Final, Literal

import numpy as np

from bidden.brain.language.encoder import SENTENCE_TOKENS, Encoder, english_words
from bidden.brain.language.words.spelling import Speller
from bidden.brain.models import Network, Session, weights_path
from bidden.brain.models.contract import WEIGHTS_DIR
from bidden.core.clauses import Reply, ReplyKind

from .concepts import load_concepts, read_events
from .disguise import FOREIGN, MAX_CHARS, reveal
from .features import concept_features
from .scene import matching_tip
from .table import broken_rules

Verdict = Literal["allow", "check", "refuse"]
_LONG: Final = 24  # words of a sentence that are judged at once
_ALL_WORDS: Final = 10**6  # rare ones too are spelt right
_LONG_ENOUGH: Final = 4  # letters of a word that a misspelt one may be mended to
_FEWEST: Final = 3  # words of a sentence that is judged by itself
_SENTENCE_END: Final = re.compile(r"[.;:!?]+(?:\s|$)")
_TOKEN: Final = re.compile(r"[a-z']+|[^a-z'\s]+")
# Verbs and things that talk about orders and roles is full of too.
_FIGURES: Final = frozenset(
    "follow read open run use start play share remove bypass override ignore lead give "
    "point look find child".split()
)
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
    def load(encoder: Encoder) -> InstructionGate:
        """The shipped gate.

        Raises:
            ModelError: the network and its contract do not match.
        """
        return InstructionGate(Session.load(weights_path("gate")), encoder)

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
        tip = matching_tip(read_events(plain_text(text)), scene)
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
        plain = plain_text(text)
        score = self._score(plain)
        rules = (rule for rule in broken_rules(read_events(plain)) if rule.firm)
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

    def _score(self, plain: str) -> float:
        """The worst score among the parts of a text."""
        parts = parts_of(plain)
        encoded = [self._encoder.encode_deep(part, SENTENCE_TOKENS) for part in parts]
        tokens, deep, mask = (np.stack(each) for each in zip(*encoded, strict=True))
        longest = int(mask.sum(1).max())
        found = self._network.run(
            {
                "tokens": tokens[:, :longest],
                "deep": deep[:, :longest],
                "mask": mask[:, :longest],
                "concepts": np.stack([concept_features(part) for part in parts]),
            }
        )
        return float(found["score"].min())


def parts_of(plain: str) -> tuple[str, ...]:
    """A text and its sentences: none must hide behind the others, nor at the end."""
    parts = [plain]
    for sentence in _SENTENCE_END.split(plain):
        said = sentence.split()
        if len(said) < _FEWEST:
            continue
        for start in range(0, len(said), _LONG - 6):  # they overlap by six
            parts.append(" ".join(said[start : start + _LONG]))
    return tuple(dict.fromkeys(parts)) if len(parts) > 2 else (plain,)


def plain_text(text: str) -> str:
    """Tier 1: what a text says, undisguised, spelt right, harmless senses resolved."""
    said = reveal(text, _english(), _physical())
    plain = " ".join(_speller().correct(_TOKEN.findall(said)))
    for pattern, sense in _senses():
        plain = pattern.sub(sense, plain)
    return plain


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
def _english() -> dict[str, int]:
    """Words that need no mending; short ones of other languages are none of them."""
    right = _spelt_right()
    common = {
        word: rank
        for word, rank in english_words().items()
        if word not in FOREIGN and (word in right or len(word) >= _LONG_ENOUGH)
    }
    return dict.fromkeys(right, _ALL_WORDS) | common | _likely(common)


def _likely(common: Mapping[str, int]) -> dict[str, int]:
    """Words of what is done here, which are meant before others that are as near."""
    return {word: 0 for word in _concept_words() if word in common}


@lru_cache(maxsize=1)
def _concept_words() -> frozenset[str]:
    concepts = load_concepts()
    return frozenset(
        word
        for table in (concepts.verbs, concepts.things, concepts.modifiers)
        for name in table
        for word in name.split()
        if len(word) >= _LONG_ENOUGH
    )


@lru_cache(maxsize=1)
def _physical() -> frozenset[str]:
    """What can be done, and to what: words that no talk about orders has."""
    concepts = load_concepts()
    things = {name for name, of in concepts.things.items() if of != {"person"}}
    named = things | set(concepts.verbs)
    forms = {f"{name}{ending}" for name in named for ending in ("s", "ed", "ing")}
    return frozenset((named | forms) - _FIGURES)


@lru_cache(maxsize=1)
def _speller() -> Speller:
    common = {word for word in english_words() if len(word) >= _LONG_ENOUGH}
    ranks = dict.fromkeys(_spelt_right(), _ALL_WORDS) | dict(english_words(_ALL_WORDS))
    return Speller(_concept_words() | common, ranks | _likely(ranks))
