"""The way of an instruction: rules, grammar, plan; goals or a reply come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Protocol

from bidden.brain.models import Precision
from bidden.core.clauses import (
    Clause,
    Context,
    Read,
    Reply,
    ReplyKind,
    Told,
    Understanding,
)
from bidden.core.messages import Array, Goal

from .dialogue import ONLY_READ, answer_of
from .encoder import Encoder, english_words
from .heads import Heads
from .parser import Parser
from .rules import InstructionGate, Judgement

_LEFT: Final = Reply(kind=ReplyKind.NOTED, text="All right, I leave it.")


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
            precision: of the trained heads; the gate has one.

        Raises:
            AssetError: the sentence encoder was not fetched, or is damaged.
            ModelError: a network and its contract do not match.
        """
        encoder = Encoder.load()
        parser = Parser(english_words(), Heads.load(encoder, precision).read)
        gate = InstructionGate.load(encoder)
        return LanguagePipeline(parser, plan, gate=gate, encoder=encoder)

    def understand(
        self, said: Told | Read, context: Context | None = None
    ) -> Understanding:
        """Goals for what was told, or a reply that says why there are none.

        What was merely read (a sign, a memory) never makes a goal. An order that needs
        a look at the scene is asked back first, with what to look for; a yes then does
        it. Never raises for any text; nothing moves by it.
        """
        if not isinstance(said, Told):
            return Understanding(text=said.text, reply=ONLY_READ)
        context = context or Context()
        answer = answer_of(said.text) if context.unconfirmed else ""
        if answer == "no":
            return Understanding(text=said.text, reply=_LEFT)
        if answer == "yes":
            return self._judged(context.unconfirmed, context, looked=True)
        return self._judged(said.text, context, looked=False)

    def _judged(self, text: str, context: Context, *, looked: bool) -> Understanding:
        """Understand an order that the gate lets pass; `looked`: the user said yes."""
        scene = ", ".join(context.seen)
        judged = self._gate.judge(text, scene=scene, earlier=context.recent)
        reply = judged.reply
        if reply is not None and (judged.verdict == "refuse" or not looked):
            awaits = text if judged.verdict == "check" else ""
            return Understanding(text=text, reply=reply, awaits=awaits)
        understood = self._planned(text, context)
        return replace(understood, caution=judged.reason if understood.goals else "")

    def _planned(self, text: str, context: Context) -> Understanding:
        parsed = self._parser.parse(text)
        if isinstance(parsed, Reply):
            return Understanding(text=text, reply=parsed)
        goals = self._plan(parsed, context, text=text.strip())
        if isinstance(goals, Reply):
            return Understanding(text=text, reply=goals, parsed=parsed)
        embedding = self._embed(text)
        return Understanding(text=text, goals=goals, parsed=parsed, embedding=embedding)

    def _embed(self, text: str) -> Array | None:
        return self._encoder.pool(text) if self._encoder else None
