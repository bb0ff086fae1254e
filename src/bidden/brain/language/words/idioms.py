"""Turns of phrase, rewritten to plainer words before the grammar reads them.

Patterns see lower-case tokens joined by one space. Capitals are markers that no
speaker can type: HELD, LEFTHAND, RIGHTHAND, HAND, HANDS, HALFWAY, ALSO.
"""

from __future__ import annotations

import re
from typing import Final

from .lexicon import COLOUR_WORDS, NOUNS

_COLOUR = "|".join(sorted(COLOUR_WORDS, key=len, reverse=True))
_NOUN = "|".join(sorted(NOUNS, key=len, reverse=True))
_HOLD = r"(?:hold|have|carry|grasp|grip|pick up|take)"
_HOLDING = r"(?:holding|carrying|grasping|gripping|having|clutching|held|got)"
_YOUR = r"(?:your|the|its|thy)"
_TABLE: Final[tuple[tuple[str, str], ...]] = (
    # courtesy and framing
    (r"^(?:excuse me|pardon me|listen|attention)\b", ""),
    (r"\bdo (?:me|us) (?:a|the|one) (?:favou?r|kindness)(?: and| of)?\b", ""),
    (r"\b(?:be so|so) (?:kind|good|nice) (?:as to|and)\b", ""),
    (
        r"\bif (?:you (?:can|could|please|like|want|would|may|do not mind|wish)"
        r"|possible|it is not too much trouble)(?: to)?\b",
        "",
    ),
    (r"\b(?:would|do) you mind\b", ""),
    (
        r"\b(?:are you able|is it possible(?: for you)?|could i (?:ask|get) you"
        r"|may i ask you|i would ask you) to\b",
        "",
    ),
    (
        r"\bi (?:would be (?:glad|happy|grateful)|(?:would )?appreciate it) if you"
        r"(?: could| would)?\b",
        "",
    ),
    (
        r"\b(?:why do not you|how about(?: you)?|what about|let us see you|let me see you"
        r"|go ahead and|feel free to|be sure to|do not forget to|remember to"
        r"|it is time to|your (?:task|job|mission) is to|you (?:have|need|ought) to"
        r"|you (?:should|must|can|may)|time to|proceed to|begin to|start to)\b",
        "",
    ),
    (r"\bproceed (?=\w+ing\b)", ""),
    (r"\b(?:start|begin|keep|continue|go on|try) (?=(?!to\b)\w{2,}ing\b)", ""),
    (r"\b(?:try|manage|attempt) to\b", ""),
    (r"\b(?:make sure|make certain|ensure|see to it|see)(?: that)? (?=the |it )", ""),
    (
        r"\bfor (?:me|us|a (?:moment|second|minute|while|bit)|one (?:moment|second)"
        r"|the (?:camera|crowd|audience)|now)(?= *(?:$|[.,!?;]|and\b|then\b))",
        "",
    ),
    (r"\b(?:right|straight) (?:now|away|there|here)\b|\bover there\b", ""),
    (
        r"\bas (?:quickly|fast|soon|carefully|gently|slowly|well) as (?:possible|you can)",
        "",
    ),
    (r"\b(?:at once|at this moment|of course|for sure|all right|no problem)\b", ""),
    (
        r"\bwithout (?:walking|moving(?: your feet)?|stepping|dropping it|spilling"
        r"(?: it| anything)?|hitting anything|falling|rushing|hurry)\b",
        "",
    ),
    (r"\b(?:on the spot|in place|where you (?:are standing|stand))\b(?= |$)", ""),
    (r"\bwith (?:care|caution)\b", ""),
    (r"\b(?:from|right) where it (?:lies|is|stands|sits)\b", ""),
    (r"\bto where (the .{1,40}?) (?:is|are|stands|lies)\b", r"to \1"),
    (
        r"\buntil you (?:are|stand|get|come)(?: standing)? (at|by|next to|in front of|to|"
        r"near|beside)\b",
        r"\1",
    ),
    (r"\buntil you (?:reach|arrive at|hit)\b", "to"),
    (r"\b(?:so|such) that you (?:are )?(?=looking|facing|face|look)", ""),
    (r"\bturn around (?=(?:looking|facing|to face|to look|and face|and look)\b)", ""),
    (r"\b(?:until|to) (?:you )?(?:are )?(?=(?:looking|facing|face|look)\b)", ""),
    # order of steps
    (
        r"\b(?:and )?(?:after (?:that|this|which)|afterwards?|thereafter|subsequently"
        r"|and next|once (?:that is )?done|when (?:you are )?(?:done|finished)"
        r"|followed by|before finally)\b",
        "then",
    ),
    (r"^(?:first|firstly|to begin with|initially)\b", ""),
    (r"\b(?:next|finally|lastly|secondly|thirdly|last)(?= ?,)", "then"),
    (r"^(?:next|finally|lastly|second|third|then)\b", ""),
    (r"\bat the same time\b|\bsimultaneously\b|\bmeanwhile\b", "MEANWHILE"),
    # hands and what they hold
    (
        r"\b(?:what|whatever|anything|everything|which ?ever)(?: it is)?(?: that)? you"
        rf"(?: are)?(?: currently)? (?:{_HOLD}|{_HOLDING})(?: now)?"
        r"(?: (?:in|with) your (?:left |right )?hands?)?\b",
        "HELD",
    ),
    (
        r"\b(?:what|whatever|the (?:thing|object|item|one)) (?:(?:that )?is )?in "
        rf"{_YOUR} (?:left |right )?(?:hands?|grip|grasp|gripper)\b",
        "HELD",
    ),
    (
        r"\b(?:the|your) (?:thing|object|item|one)(?: that)? you(?: are)?"
        rf"(?: currently)? (?:{_HOLD}|{_HOLDING})\b",
        "HELD",
    ),
    (r"\b(?:the|your) (?:held|carried) (?:thing|object|item|one)\b", "HELD"),
    (r"\byour (?:load|cargo|burden|payload|object|item)\b", "HELD"),
    (r"\bempty your (?:hands?|gripper)\b", "put HELD"),
    (
        r"\b(?:(?:with|using|in|by|via|use|with the use of) )?"
        r"(?:both(?: of)? (?:your |the )?(?:hands|arms)|two hands)\b",
        "HANDS",
    ),
    (
        rf"\b(?:(?:with|using|in|by|via|use) )?(?:{_YOUR} )?left(?: |-)?"
        r"(?:hand|arm|gripper|claw|palm|fist)\b(?! side)",
        "LEFTHAND",
    ),
    (
        rf"\b(?:(?:with|using|in|by|via|use) )?(?:{_YOUR} )?right(?: |-)?"
        r"(?:hand|arm|gripper|claw|palm|fist)\b(?! side)",
        "RIGHTHAND",
    ),
    (r"\b(?:be|is|are|to be|end up)? ?in your (?:hands?|grip|grasp)\b", " INHAND "),
    (
        r"\b(?:with|using|by|at)? ?(?:your|a|one|an|the) (?:hands?|arms?|gripper|fingers)"
        r"\b",
        " HAND ",
    ),
    (
        r"\b(?:that )?you(?: are)?(?: currently| now)? "
        r"(?:holding|carrying|grasping|gripping|clutching|hold|carry)\b",
        "",
    ),
    (r"\blet (?:it )?go(?= *(?:$|[.,!?;]))", "put it"),
    (r"\btwice\b", "2 TIMES"),
    (r"\bthrice\b", "3 TIMES"),
    (r"\b(two|three|four|five|\d+) times\b", r"\1 TIMES"),
    # gestures
    (
        r"\b(?:raise|lift|put up|hold up|stretch out) (?:HAND|LEFTHAND|RIGHTHAND)"
        r"(?= and wave)",
        "",
    ),
    (
        r"\b(?:give|do|make|perform|show)(?: (?:me|us|them|him|her|everyone|everybody"
        r"|the \w+))? (?:a|your|one|an)(?: \w+)?(?: \w+)? (?:wave|waving)\b",
        "wave",
    ),
    (r"\b(?:a|one)(?: \w+)? wave\b", "wave"),
    (
        r"\b(?:say|tell \w+) (?:hello|hi|hey|goodbye|good bye|bye|bye bye|good morning"
        r"|farewell|good night)\b",
        "wave",
    ),
    (r"\bwave (?:hello|hi|goodbye|good bye|bye|bye bye)\b", "wave"),
    (r"\b(?:wave|greet)(?: with)? (LEFTHAND|RIGHTHAND)\b", r"wave \1"),
    (r"\bsay wave\b", "wave"),
    # standing still
    (
        r"\b(?:do not|never) (?:move|budge|stir)(?: (?:a|any) \w+)?(?= *(?:$|[.!?,;]))",
        "stop",
    ),
    (
        r"\bhold (?:it|on|still|your position|everything)(?: there)?(?= *(?:$|[.!?,;]))",
        "stop",
    ),
    (
        r"\b(?:stand|keep|be|stay|remain) (?:perfectly |very )?(?:still|put|there|here)\b",
        "stop",
    ),
    (r"\b(?:stay|remain|stand|wait|stop) (?:right )?where you are\b", "stop"),
    (
        r"\b(?:come|get|bring yourself) to (?:a|an)(?: \w+)? (?:halt|stop|standstill)\b",
        "stop",
    ),
    (r"^no (?:more|further) (?:motion|movement|moving|walking)\b", "stop"),
    (r"^(?:that is )?enough\b", "stop"),
    (
        r"\b(?:stop|quit|cease) (?:what you are doing|it|that|everything|all motion|now|"
        r"at once)\b",
        "stop",
    ),
    # walking and turning
    (r"\b(?:make|find|work) (?:your|the) way\b", "go"),
    (
        r"\b(?:get|take|bring|drive|move|position|place|put|park|plant|carry|station) "
        r"yourself\b",
        "go",
    ),
    (
        r"\b(?:aim|turn|orient|point|direct|rotate|align) (?:yourself|(?:your|the) "
        r"(?:body|head|gaze|eyes|chest|torso|camera|front|face|self))\b",
        "face",
    ),
    (r"\b(?:your )?eyes on\b", "face"),
    (
        r"\b(?:take|have|cast|get)(?: a| another)(?: \w+)? (?:look|glance|peek) "
        r"(?:at|to|towards)\b",
        "face",
    ),
    (r"\byour (?:destination|target|goal) is\b", "go to"),
    (
        r"\b(?:i )?(?:need|want|would like|would love|would prefer) you (?:to be |to come |"
        r"to go )?(?=(?:by|at|near|next|beside|in front|over|to the|close|behind)\b)",
        "go ",
    ),
    (r"\bget going\b|\bgo and stand\b|\bgo stand\b|\bcome and stand\b", "go"),
    (
        r"\b(?:go|come|walk|get|move|step) (?:over )?(?:here|closer(?: to me)?)"
        r"(?= *(?:$|[.,!?;]|and\b|then\b))",
        "go to me",
    ),
    (
        r"\b(?:bring|hand|give|pass|fetch|take) ((?:the|that|this|my|a) .{1,40}?|it) "
        r"(?:over )?here\b",
        r"bring \1 to me",
    ),
    (
        r"\b(?:back|go|move) (?:off|up|away)(?= *(?:$|[.!?]|by\b|a\b|an\b|\d|one|two|half))",
        "retreat",
    ),
    (r"\bback up\b", "retreat"),
    (r"\bin reverse\b", "back"),
    (r"\b(?:to|on|in|at) (?:the|your) (?:front|fore)\b(?! of)", "ahead"),
    (r"\bin front of (?:you|yourself)\b", "ahead"),
    (r"\bbehind (?:you|yourself)\b", "back"),
    (r"\b(?:to|on) (?:the|your) (?:rear|back)\b(?! of)", "back"),
    (r"\b(?:straight|directly) (?=ahead|forward|on\b)", ""),
    (
        r"\b(?:make|do|take|perform|give (?:me|us))? ?(?:a|an|one)? ?"
        r"(left|right)(?: |-)?(?:hand )?turn\b",
        r"turn \1",
    ),
    (
        r"\b(?:about|u)(?: |-)(?:turn|face)\b|\bdo (?:a|an) (?:180|one eighty)\b",
        "turn around",
    ),
    (r"\b(?:make|do|perform) (?:a )?turn around\b", "turn around"),
    (r"\bdo (?:a|an) (360)\b", r"turn left \1 degrees"),
    (
        r"\b(?:make|do|perform) (?=(?:a |an )?(?:quarter|half|full|three quarters?|complete"
        r"|\d+ degrees?) (?:of a )?(?:turn|rotation|spin|circle))",
        "turn ",
    ),
    (
        r"\b(?:turn|face|look|rotate) (?:to )?the (?:other|opposite) (?:way|direction|side)"
        r"\b",
        "turn around",
    ),
    (r"\bturn (?:your )?back around\b", "turn around"),
    (
        r"\b(?:take|do|make) (?=(?:a|an|one|two|three|four|five|six|seven|eight|nine|ten|"
        r"half|\d+|several|some|another)(?: \w+)? ?(?:a |of a |couple of )?(?:steps?|paces?"
        r"|strides?)\b)",
        "go ",
    ),
    (r"\b(?:take|do|make) (?=(?:a couple of|a few|half a|a half|a single)\b)", "go "),
    # picking, putting, bringing
    (
        r"\b(?:grab|take|get|catch|lay|seize|keep)(?: a| the| firm)? ?(?:hold|grip|grasp|"
        r"ahold) (?:of|on)\b",
        "pick",
    ),
    (
        r"\b(?:get|take|have) (?:me |us )?(?:a|the) (?:hold|grip|grasp) (?:of|on)\b",
        "pick",
    ),
    (r"\b(?:lay|put|get|place) (?:HAND|your hands) on\b", "pick"),
    (r"\b(?:wrap|close|put) (?:HAND|your \w+) around\b", "pick"),
    (r"\breach (?:out )?(?:for|and)\b|\bgo (?:for|get)\b(?= the| that| it)", "pick"),
    (r"\bpick(?:ing)? up\b|\bscoop up\b|\btake up\b", "pick"),
    (r"\b(pick|lift|grab|take) ((?:the|that|this|a) .{1,40}?|it) up\b", r"\1 \2"),
    (
        r"\b(?:let go of|let loose of|get rid of|drop off|put down|set down|throw away)\b",
        "put",
    ),
    (r"\b(?:release|let go)(?= (?:in|into|on|onto|over)\b)", "put it"),
    (
        r"\b(?:throw|toss|chuck|fling|sling)(?: away)? ((?:the|that|this) .{1,40}?|it|HELD)"
        r" (?=(?:in|into|inside|on|onto|to)\b)",
        r"put \1 ",
    ),
    (r"\b(?:throw|toss|chuck) (?:out|away)\b", "put"),
    (
        r"\bends? up\b|\bshould (?:be|go|end up)\b|\bneeds? to (?:be|go)\b|\bgoes\b(?= in)"
        r"|\bhas to (?:be|go)\b|\bmust (?:be|go)\b",
        "belong",
    ),
    (
        r"\b(?:i )?(?:need|want|would like|would love|would prefer|wish)(?: to (?:see|have))?"
        r" (?=(?:the|that|this|my|it)\b)",
        "want ",
    ),
    (
        r"\bwant ((?:the|that|this|my) .{1,40}?|it) (?:to (?:be|go) )?"
        r"(?=(?:in|on|into|onto|inside|over|by|at|next|near|beside|to)\b)",
        r"move \1 ",
    ),
    (r"\bwant ((?:the|that|this|my) .{1,40}?|it) INHAND", r"pick \1"),
    (r"\bthere(?= *(?:$|[.,!?;]|and\b|then\b|now\b))", "THERE"),
    (
        r"^(the .{1,30}?) is where (.{1,30}?) (?:goes|belongs?|should go|should be)\b",
        r"put \2 in \1",
    ),
    (
        r"\b(hand|bring|carry|pass|give|haul) (?:over|across|along|up|back|out|in) "
        r"(?=(?:the|that|this|a|my)\b)",
        r"\1 ",
    ),
    (rf"\b(something|anything) ({_COLOUR})\b", r"\2 object"),
    (r"\bblu\b", "blue"),
    (r"\btow (?=steps?|pac|met|feet)", "two "),
    # nouns with their colour behind
    (
        rf"\b({_NOUN}) (?:(?:that|which) (?:is|looks)|of colou?r|colou?red|(?:that|which) "
        rf"is colou?red|in) ({_COLOUR})\b(?! (?:{_NOUN}|one))",
        r"\2 \1",
    ),
    (rf"\b({_NOUN}) , the ({_COLOUR}) one\b", r"\2 \1"),
    (rf"\b(?:read|bread|rad) (?=(?:{_NOUN})\b)", "red "),  # as speech hears it
    (rf"\bblew (?=(?:{_NOUN})\b)", "blue "),
    (
        r"\b(?:that|which) (?:is|are|stands|lies|sits) (?=(?:lying |standing |sitting |placed "
        r"|located )?(?:in|on|next|near|by|behind|at)\b)",
        "",
    ),
    (
        r"\b(?:lying|standing|sitting|placed|located|resting) (?=(?:in|on|next|near|by|"
        r"behind|at|over there)\b)",
        "",
    ),
    (r"\bthis is\b|\bthere is\b|\bthere are\b", "see"),
)
IDIOMS: Final = tuple((re.compile(pattern), plain) for pattern, plain in _TABLE)


def plainer(text: str) -> str:
    """Rewrite idioms in a string of lower-case tokens joined by spaces."""
    for pattern, plain in IDIOMS:
        changed = pattern.sub(plain, text)
        if changed != text:
            text = " ".join(changed.split())
    return text


def idiom_words() -> frozenset[str]:
    """Words that occur in the patterns: they are spelt right."""
    return frozenset(
        word
        for pattern, _ in _TABLE
        for word in re.findall(r"[a-z]{2,}", re.sub(r"\\.", " ", pattern))
    )
