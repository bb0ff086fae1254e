"""An instruction to clauses, or to a reply that says what is unclear.

The grammar decides; a trained reader is asked only about words that the grammar does
not know, and only believed when it is sure. Total: any text gives a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from bidden.core.clauses import Clause, Intent, Reply, ReplyKind, Sort, Thing

from .grammar.frames import ABILITIES, make_clauses, named, refusal
from .grammar.moves import question
from .grammar.scan import Item, scan
from .grammar.segments import Segment, arguments, in_order, segment
from .words.amounts import AMOUNT_WORDS
from .words.idioms import idiom_words, plainer
from .words.lexicon import FILLERS, FOREIGN_WORDS, QUESTION_WORDS, known_words
from .words.spelling import MAX_CHARS, MAX_WORDS, Speller, normalise, tokenise

SURE: Final = 0.8  # probability from which a trained reading counts
LIKELY: Final = 0.4  # from which it is worth a question
MAX_CLAUSES: Final = 12
_ENDS: Final = frozenset(".!?;")
_VERB_OF: Final[dict[str, str]] = {
    "walk_to": "go",
    "move_by": "go",
    "face": "face",
    "pick": "pick",
    "put": "put",
    "bring": "bring",
    "wave": "wave",
    "stop": "stop",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a trained reader makes of a text."""

    intent: str  # a value of `Intent`, or "other"
    probability: float


_PLAIN_VERB: Final = {"pick": "pick up", "go": "go", "face": "look at"} | {
    verb: verb for verb in ("put", "bring", "wave", "stop")
}
Reader = Callable[[str], Reading]


class Parser:
    """English orders to canonical clauses."""

    def __init__(
        self, english: Mapping[str, int] | None = None, reader: Reader | None = None
    ) -> None:
        """A parser.

        Args:
            english: words that are spelt right although they mean nothing here, with
                their rank by frequency.
            reader: asked about verbs that the grammar does not know.
        """
        self._speller = Speller(
            known_words() | idiom_words() | AMOUNT_WORDS, english or {}
        )
        self._reader = reader

    def parse(self, text: str) -> tuple[Clause, ...] | Reply:
        """Clauses in the order of doing, or why there are none; never raises."""
        if unreadable := _unreadable(text):
            return unreadable
        tokens = self._speller.correct(tokenise(normalise(text)))
        found: list[Clause] = []
        mention: Thing | None = None
        asked = False
        for sentence in _sentences(plainer(" ".join(tokens)).split()):
            items = _without_reasons(in_order(scan(sentence)))
            if condition := _condition(items):
                return condition
            if _is_question(sentence):
                asked = True
                mention = _first_thing(items) or mention
                continue
            for part in segment(items):
                read = self._read_segment(part, sentence)
                if isinstance(read, Reply):
                    return _in_english(read, tokens)
                if isinstance(read, Thing):
                    mention = read
                    continue
                found += [_with_mention(clause, mention) for clause in read]
        return _conclude(found, mention, asked=asked, tokens=tokens)

    def _read_segment(
        self, part: Segment, sentence: list[str]
    ) -> list[Clause] | Thing | Reply:
        """Clauses of one order, or the thing that it only mentions."""
        args = arguments(part)
        text = " ".join(sentence[slice(*part.span)])
        if part.verb is None and not args.words:
            if args.moves and not args.subject and not args.direct:
                verb = "turn" if _is_turn(part.items) else "go"
                return _finish(make_clauses(verb, args), part, text)
            if any(r == "to" and t.sort is Sort.LANDMARK for r, t in args.places):
                return _finish(make_clauses("go", args), part, text)
            thing = _first_thing(part.items)
            return thing if thing is not None else []
        if part.verb is not None and part.verb.kind == "unsupported":
            if part.negated:
                return []
            return refusal(f"'{part.verb.word}' is not one of my skills. {ABILITIES}")
        if part.verb is None:
            return self._read_unknown_verb(part, text)
        if part.verb.word == "find" and (thing := _first_thing(part.items)):
            return thing
        clauses = make_clauses(part.verb.word, args)
        if not isinstance(clauses, Reply) and not part.negated:
            clauses = self._doubt(clauses, args.words, text) or clauses
        return _finish(clauses, part, text)

    def _read_unknown_verb(self, part: Segment, text: str) -> list[Clause] | Reply:
        args = arguments(part)
        word = args.words[0]
        reading = self._reader(text) if self._reader else None
        verb = _VERB_OF.get(reading.intent) if reading is not None else None
        if reading is None or verb is None or reading.probability < LIKELY:
            return _unknown_word(word)
        if reading.probability < SURE:
            return question(
                f"I do not know what '{word[:24]}' means. If it is to "
                f"{_PLAIN_VERB[verb]}, please say it with that word."
            )
        args.words.remove(word)
        args.direct += args.subject
        args.subject.clear()
        clauses = make_clauses(verb, args)
        if not isinstance(clauses, Reply) and args.words:
            return _unknown_word(args.words[0])
        return _finish(clauses, part, text)

    def _doubt(
        self, clauses: list[Clause], words: list[str], text: str
    ) -> Reply | None:
        """A question, when words were left over that may change the meaning."""
        left = [w for w in words if not any(_uses(clause, w) for clause in clauses)]
        if not left:
            return None
        moves = any(clause.intent is Intent.MOVE_BY for clause in clauses)
        reading = self._reader(text) if self._reader and not moves else None
        if reading is not None and reading.probability >= SURE:
            agrees = any(clause.intent.value == reading.intent for clause in clauses)
            if agrees:
                return None
        return question(
            f"I did not understand '{left[0][:24]}'. Please say it in other words."
        )


def _unreadable(text: str) -> Reply | None:
    if not text.strip():
        return question("Tell me what to do. " + ABILITIES)
    words = len(text[: 64 * MAX_CHARS].split())
    if len(text) > MAX_CHARS or words > MAX_WORDS:
        return refusal(
            f"That is too long for me: {words} words; I take up to {MAX_WORDS} words "
            f"and {MAX_CHARS} characters. Give me a few short orders at a time."
        )
    letters = [c for c in text if c.isalpha()]
    latin = sum(c.isascii() for c in normalise(text) if c.isalpha())
    if not letters or 2 * latin < len(letters):
        said = "I understand English only. " if letters else "I cannot read that. "
        return Reply(kind=ReplyKind.UNKNOWN, text=said + ABILITIES)
    return None


def _sentences(tokens: list[str]) -> Iterator[list[str]]:
    """Split behind each end mark; the mark stays, so that questions show."""
    start = 0
    for i, token in enumerate(tokens):
        if token in _ENDS:
            yield tokens[start : i + 1]
            start = i + 1
    if start < len(tokens):
        yield tokens[start:]


def _without_reasons(items: list[Item]) -> list[Item]:
    """Items up to "because": what follows is no order."""
    for i, item in enumerate(items):
        if item.word == "because":
            return items[:i]
    return items


def _condition(items: list[Item]) -> Reply | None:
    for item in items:
        if item.kind == "conjunction":
            return question(
                f"I cannot follow orders with '{item.word}' yet. "
                "Please tell me plainly what to do, step by step."
            )
        if item.word == "OTHERTHAN":
            return question("Tell me which one you mean, not which one you do not.")
        if item.word == "MEANWHILE":
            return refusal("I do one thing after another. Please tell me the order.")
    return None


def _is_question(sentence: list[str]) -> bool:
    words = [w for w in sentence if w not in ("hey", "robot", "ok", "so", ",", "well")]
    if not words or words[0] not in QUESTION_WORDS:
        return words[:2] in (["do", "you"], ["can", "i"], ["may", "i"], ["have", "you"])
    return True


def _first_thing(items: list[Item]) -> Thing | None:
    return next((it.thing for it in items if it.thing is not None), None)


def _is_turn(items: list[Item]) -> bool:
    return any(it.amount is not None and it.amount.dimension == "angle" for it in items)


def _finish(
    clauses: list[Clause] | Reply, part: Segment, text: str
) -> list[Clause] | Reply:
    if isinstance(clauses, Reply):
        return clauses if not part.negated else []
    return [replace(c, text=text, negated=part.negated) for c in clauses]


def _with_mention(clause: Clause, mention: Thing | None) -> Clause:
    """Let a pronoun mean what was only mentioned: "see the cube? Grab it"."""
    if mention is None or mention.sort is Sort.PRONOUN:
        return clause
    if clause.object is not None and clause.object.sort is Sort.PRONOUN:
        clause = replace(clause, object=mention)
    if clause.target is not None and clause.target.sort is Sort.PRONOUN:
        clause = replace(clause, target=mention)
    return clause


def _uses(clause: Clause, word: str) -> bool:
    things = (clause.object, clause.target)
    return any(thing is not None and word in thing.noun.split() for thing in things)


def _unknown_word(word: str) -> Reply:
    return Reply(
        kind=ReplyKind.UNKNOWN,
        text=f"I do not know what '{word[:24]}' means. {ABILITIES}",
    )


def _conclude(
    found: list[Clause], mention: Thing | None, *, asked: bool, tokens: list[str]
) -> tuple[Clause, ...] | Reply:
    """The clauses to follow, or the reply to a text without any."""
    orders = [clause for clause in found if not clause.negated]
    for no in (clause for clause in found if clause.negated):
        if any((c.intent, c.object, c.target) == (no.intent, no.object, no.target)
               for c in orders):  # fmt: skip
            return question("You want it and you do not want it; which is it?")
    if len(orders) > MAX_CLAUSES:
        return refusal(
            f"That is more than {MAX_CLAUSES} steps; give me fewer at a time."
        )
    if len(orders) > 1:  # "... and wait there" adds nothing
        orders = [c for c in orders if c.intent is not Intent.STOP or _says_stop(c)]
    if orders:
        return tuple(orders)
    if found:
        return Reply(kind=ReplyKind.NOTED, text="All right, I will not do that.")
    if mention is not None and not asked:
        return question(f"What should I do with {named(mention)}?")
    if asked:
        return Reply(
            kind=ReplyKind.UNKNOWN, text="I follow orders; I cannot answer questions. "
            + ABILITIES,
        )  # fmt: skip
    if not any(word.isalpha() and word not in FILLERS for word in tokens):
        return question("Yes? Tell me what to do. " + ABILITIES)  # "hello", "thanks"
    text = f"I did not understand that. {ABILITIES}"
    return _in_english(Reply(kind=ReplyKind.UNKNOWN, text=text), tokens)


def _in_english(reply: Reply, tokens: list[str]) -> Reply:
    """The reply; to another language it says which one we speak."""
    if reply.kind is ReplyKind.REFUSAL or not _is_foreign(tokens):
        return reply
    return replace(
        reply, kind=ReplyKind.UNKNOWN, text="I understand English only. " + reply.text
    )


def _is_foreign(tokens: list[str]) -> bool:
    """Whether a quarter of the words are little words of other languages."""
    return 4 * sum(token in FOREIGN_WORDS for token in tokens) >= max(len(tokens), 1)


def _says_stop(clause: Clause) -> bool:
    return "stop" in clause.text or "halt" in clause.text or "freeze" in clause.text
