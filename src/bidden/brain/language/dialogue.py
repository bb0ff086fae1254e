"""What one order leaves for the next: earlier orders, things seen, a question."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Literal

from bidden.core.clauses import Context, Reply, ReplyKind, Understanding
from bidden.core.messages import Grounding

from .rules.disguise import fold

RECENT: Final = 4  # orders that a danger may be split over
SEEN: Final = 16  # things that are remembered as seen
SURE_SEEN: Final = 0.6  # confidence from which a thing counts as seen

ONLY_READ: Final = Reply(
    kind=ReplyKind.NOTED,
    text="I have read that, but I only do what I am told.",
    rule="read_not_told",
)
Answer = Literal["yes", "no", ""]
_POLITE: Final = r"(?:please|robot|thanks|thank you|now|then|it is|its|it's|i am sure)"
_YES: Final = re.compile(
    r"(?:yes|yeah|yep|sure|ok|okay|right|correct|go ahead|go on|do it|proceed|continue|"
    r"confirmed?|checked|i (?:have )?(?:checked|looked)|all (?:clear|safe|good|fine)|"
    r"(?:that is |it is |it's |its )?(?:safe|fine|clear))"
)
_NO: Final = re.compile(
    r"(?:no|nope|nah|stop|cancel|leave it|forget it|never ?mind|wait|"
    r"do not|don't|not (?:safe|yet|now)|better not)"
)


def answer_of(text: str) -> Answer:
    """Whether a text is nothing but a yes or a no."""
    words = re.sub(r"[^a-z' ]+", " ", fold(text))
    bare = " ".join(re.sub(rf"\b{_POLITE}\b", " ", words).split()) or words.strip()
    if re.fullmatch(rf"{_NO.pattern}(?: {_NO.pattern})*(?: do it)?", bare):
        return "no"
    if re.fullmatch(rf"{_YES.pattern}(?: (?:and )?{_YES.pattern})*", bare):
        return "yes"
    return ""


def after(context: Context, understood: Understanding) -> Context:
    """The context once an order was understood.

    An order that the gate refused is forgotten: it was not done, so nothing that
    follows can complete it. One that waits for a yes counts when the yes comes.
    """
    reply = understood.reply
    if reply is ONLY_READ:
        return context
    refused = reply is not None and bool(reply.rule)
    waits = bool(understood.awaits)
    answered = reply is not None and reply.kind is ReplyKind.NOTED
    if refused or waits or answered or not understood.text.strip():
        return replace(context, unconfirmed=understood.awaits)
    recent = (*context.recent, understood.text.strip())[-RECENT:]
    return replace(context, recent=recent, unconfirmed="")


def having_seen(context: Context, found: Sequence[Grounding]) -> Context:
    """The context with the things that were just found, newest last."""
    new = {g.phrase for g in found if g.confidence >= SURE_SEEN}
    if new <= set(context.seen[-len(new) :] if new else ()):
        return context
    kept = tuple(label for label in context.seen if label not in new)
    return replace(context, seen=(*kept, *sorted(new))[-SEEN:])
