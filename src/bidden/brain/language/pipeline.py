"""The way of an instruction: rules, grammar, plan; goals or a reply come out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bidden.brain.models import Precision
from bidden.core.clauses import Clause, Context, Reply, Understanding
from bidden.core.messages import Array, Goal

from .encoder import Encoder, english_words
from .heads import Heads
from .parser import Parser
from .rules import InstructionGate, Judgement


class Gate(Protocol):
    """What may be asked; `InstructionGate`, or a stricter one."""

    def judge(
        self, text: str, *, scene: str = "", earlier: Sequence[str] = ()
    ) -> Judgement:
        """Allow, check the scene, or refuse."""
        ...


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
            precision: of the trained heads and the gate.

        Raises:
            AssetError: the sentence encoder was not fetched, or is damaged.
            ModelError: a network and its contract do not match.
        """
        encoder = Encoder.load()
        parser = Parser(english_words(), Heads.load(encoder, precision).read)
        gate = InstructionGate.load(encoder, precision)
        return LanguagePipeline(parser, plan, gate=gate, encoder=encoder)

    def understand(self, text: str, context: Context | None = None) -> Understanding:
        """Goals for an instruction, or a reply that says why there are none.

        Never raises for any text; nothing moves by it.
        """
        earlier = context.recent if context is not None else ()
        judged = self._gate.judge(text, earlier=earlier)
        if judged.reply is not None:
            return Understanding(text=text, reply=judged.reply)
        parsed = self._parser.parse(text)
        if isinstance(parsed, Reply):
            return Understanding(text=text, reply=parsed)
        goals = self._plan(parsed, context, text=text.strip())
        if isinstance(goals, Reply):
            return Understanding(text=text, reply=goals, parsed=parsed)
        return Understanding(
            text=text,
            goals=goals,
            parsed=parsed,
            embedding=self._embed(text),
            caution=judged.reason,
        )

    def _embed(self, text: str) -> Array | None:
        return self._encoder.pool(text) if self._encoder else None
