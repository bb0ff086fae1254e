"""The way of an instruction: rules, grammar, plan; goals or a reply come out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from bidden.brain.models import Precision
from bidden.core.clauses import Clause, Context, Reply, Understanding
from bidden.core.messages import Array, Goal

from .encoder import Encoder, english_words
from .heads import Heads
from .parser import Parser

Gate = Callable[[str], Reply | None]


class Plan(Protocol):
    """What planning offers to this package; `system` passes it in."""

    def __call__(
        self, clauses: Sequence[Clause], context: Context | None, *, text: str
    ) -> tuple[Goal, ...] | Reply:
        """Goals for clauses, or why there are none."""
        ...


class LanguagePipeline:
    """Understands one instruction at a time; total and bounded for any text."""

    def __init__(
        self, parser: Parser, plan: Plan, *, gate: Gate, encoder: Encoder | None = None
    ) -> None:
        self._parser = parser
        self._plan = plan
        self._gate = gate
        self._encoder = encoder

    @staticmethod
    def load(plan: Plan, precision: Precision = "int8") -> LanguagePipeline:
        """The shipped grammar, gate and networks.

        Args:
            plan: `brain.planning.plan`, or one for another robot.
            precision: of the trained heads.

        Raises:
            AssetError: the sentence encoder was not fetched, or is damaged.
            ModelError: a network and its contract do not match.
        """
        encoder = Encoder.load()
        parser = Parser(english_words(), Heads.load(encoder, precision).read)
        return LanguagePipeline(parser, plan, gate=lambda text: None, encoder=encoder)

    def understand(self, text: str, context: Context | None = None) -> Understanding:
        """Goals for an instruction, or a reply that says why there are none.

        Never raises for any text; nothing moves by it.
        """
        if refused := self._gate(text):
            return Understanding(text=text, reply=refused)
        parsed = self._parser.parse(text)
        if isinstance(parsed, Reply):
            return Understanding(text=text, reply=parsed)
        goals = self._plan(parsed, context, text=text.strip())
        if isinstance(goals, Reply):
            return Understanding(text=text, reply=goals, parsed=parsed)
        return Understanding(
            text=text, goals=goals, parsed=parsed, embedding=self._embed(text)
        )

    def _embed(self, text: str) -> Array | None:
        return self._encoder.pool(text) if self._encoder else None
