# ruff: noqa: SIM905 - word lists read best as one string
"""Words and what they mean here. Left: canonical; right: other ways to say it.

An underscore joins the words of one name. Plurals and verb forms are derived.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bidden.core.clauses import Sort


def _invert(table: Mapping[str, str]) -> dict[str, str]:
    """Every way to say a thing -> its canonical word."""
    return {
        word.replace("_", " "): name
        for name, words in table.items()
        for word in (name, *words.split())
    }


COLOUR_WORDS: Final = _invert(
    {
        "red": "crimson scarlet ruby cherry vermilion vermillion maroon reddish",
        "blue": "navy azure cobalt sapphire cyan bluish indigo",
        "green": "emerald lime olive jade mint greenish",
        "yellow": "golden gold lemon mustard canary yellowish",
        "purple": "violet lilac lavender mauve plum purplish",
        "orange": "tangerine amber apricot orangish",
    }
)
# Colours that people name and this world does not hold.
FOREIGN_COLOURS: Final = frozenset(
    "black white grey gray pink brown silver beige turquoise magenta teal".split()
)
_OBJECTS: Final = _invert(
    {
        "cube": "block dice die",
        "ball": "sphere orb globe marble",
        "cylinder": "can tube tin canister pipe tin_can soda_can drinks_can",
        "box": "carton brick packet package",
        "object": "thing one item toy something anything everything",
    }
)
# "the round thing": the adjective names the shape when the noun does not.
SHAPE_ADJECTIVES: Final = {
    **dict.fromkeys("round spherical circular".split(), "ball"),
    **dict.fromkeys("square cubic cubical".split(), "cube"),
    **dict.fromkeys("cylindrical tubular".split(), "cylinder"),
    **dict.fromkeys("rectangular tall upright oblong".split(), "box"),
}
_RECEPTACLES: Final = _invert(
    {
        "bowl": "dish basin",
        "tray": "plate platter serving_tray",
        "bin": "basket bucket pail dustbin wastebasket trash garbage"
        + " ".join(
            f"{what}_{vessel}"
            for what in ("trash", "garbage", "waste", "rubbish", "wastepaper")
            for vessel in ("can", "bin", "basket")
        ),
    }
)
_LANDMARKS: Final = _invert(
    {
        "door": "doorway entrance exit",
        "chair": "seat stool armchair",
        "shelf": "bookshelf book_shelf bookcase shelves rack shelving bookshelves",
        "plant": "potted_plant pot_plant house_plant houseplant tree flower "
        "flowerpot flower_pot",
        "person": "human man woman guy lady somebody someone people everyone "
        "everybody boy girl user operator owner human_being",
        "table": "desk counter countertop workbench tabletop table_top",
    }
)
LOW_TABLES: Final = frozenset({"coffee table", "side table"})
NOUNS: Final[dict[str, tuple[Sort, str]]] = {
    **{word: (Sort.OBJECT, name) for word, name in _OBJECTS.items()},
    **{word: (Sort.RECEPTACLE, name) for word, name in _RECEPTACLES.items()},
    **{word: (Sort.LANDMARK, name) for word, name in _LANDMARKS.items()},
    **dict.fromkeys(LOW_TABLES, (Sort.LANDMARK, "table")),
}
# Nouns that are another word unless a determiner or an adjective stands before them.
NEED_DETERMINER: Final = frozenset(
    "can one die trash user object tin exit seat item thing dish plate".split()
)
SPEAKER: Final = frozenset("me us him her myself".split())  # whom we can only see
PRONOUNS: Final = frozenset("it that this".split())
PLURAL_PRONOUNS: Final = frozenset("them these those".split())
DETERMINERS: Final = frozenset(
    "the a an that this these those my your his her our their its some any".split()
)
MANY: Final = frozenset("all both every each several two three four five six".split())
SIDES: Final = {
    **dict.fromkeys("low lower short".split(), "low"),
    **dict.fromkeys("high higher tall taller".split(), "high"),
    **dict.fromkeys("left leftmost lefthand".split(), "left"),
    **dict.fromkeys("right rightmost righthand".split(), "right"),
}
# Adjectives that tell nothing apart in this world.
PLAIN_ADJECTIVES: Final = frozenset(
    "big small little tiny large wooden plastic metal shiny nice dark light "
    "bright deep pale nearest closest same coloured colored colour color "
    "solid whole empty plain single friendly good nearby other lovely cute "
    "pretty".split()
)
RELATIONS: Final = _invert(
    {
        "in": "inside inside_of within",
        "into": "in_to",
        "on": "on_top_of upon atop",
        "onto": "on_to",
        "over": "above",
        "to": "towards toward over_to up_to across_to back_to around_to round_to "
        "down_to out_to over_towards over_toward along_to right_up_to",
        "at": "by over_by",
        "around": "round",
        "through": "",
        "next_to": "beside near close_to alongside near_to nearer_to closer_to against",
        "in_front_of": "opposite",
        "left_of": "to_the_left_of on_the_left_of on_the_left_side_of "
        "to_the_left_side_of",
        "right_of": "to_the_right_of on_the_right_of on_the_right_side_of "
        "to_the_right_side_of",
        "behind": "in_back_of",
        "under": "underneath below beneath",
        "between": "in_between",
        "from": "off off_of out_of away_from",
        "with": "using",
        "for": "",
    }
) | {"next to": "next_to", "in front of": "in_front_of"}
DIRECTIONS: Final = _invert(
    {
        "front": "forward forwards ahead onward onwards frontward",
        "back": "backward backwards rearward rearwards",
        "left": "leftward leftwards counterclockwise anticlockwise",
        "right": "rightward rightwards clockwise",
        "around": "round about",
    }
)
# Verb kinds; `frames` gives each its meaning from the words around it.
VERBS: Final = _invert(
    {
        "go": "walk head come run navigate travel proceed stroll march hurry wander "
        "trot stride approach visit return drive rush scoot shuffle saunter amble "
        "pace reach position journey hike tiptoe jog scurry dash creep cross arrive "
        "venture",
        "step": "sidestep",
        "advance": "",
        "retreat": "reverse",
        "stay": "stand wait park remain",
        "turn": "rotate spin pivot swivel twist swing revolve",
        "face": "look aim point orient gaze stare glance watch peer peek",
        "pick": "pickup grab lift grasp collect snatch scoop hold raise seize clutch "
        "pluck retrieve clasp acquire gather grip obtain nab remove elevate hoist",
        "take": "get fetch",
        "put": "place set drop lay deposit leave release insert rest dump stow store "
        "stick pop plop slide slip tip discard dispose lower slot tuck nestle unload",
        "belong": "",
        "empty": "",
        "move": "transfer shift relocate",
        "bring": "carry deliver hand give pass haul lug ferry convey transport",
        "wave": "greet",
        "stop": "halt freeze pause cease quit abort cancel desist",
        "find": "see locate spot notice identify",
    }
)
# Orders that people give and this robot cannot follow.
UNSUPPORTED: Final = frozenset(
    "open close shut lock unlock push pull press pour cut cook clean wash "
    "throw kick jump dance sing sit lie kneel climb eat drink read write "
    "count stack unstack sweep wipe knock hit touch poke shake hug kiss play "
    "draw paint fold unfold squeeze swim fly crawl bow nod clap sort assemble "
    "build juggle smile speak talk tell say sleep dust vacuum mop toggle "
    "activate deactivate start plug unplug heat cool chop slice peel stir mix "
    "feed iron tidy type print call buy fight follow chase hide tie untie "
    "bend crouch squat salute catch flip drag remind order book schedule "
    "email search switch resume continue repeat undo play pet arrange "
    "organise organize separate burn show break smash spill spray destroy "
    "kill attack hurt punch stab".split()
)
QUESTION_WORDS: Final = frozenset(
    "what where who whom whose why how which is are was were does did am".split()
)
FILLERS: Final = frozenset(
    "please kindly just now robot bidden hey hi hello ok okay well so um uh "
    "er hmm oh ah whoa thanks thank you yourself your own could would can "
    "will shall should must may might i we want need like love wish to also "
    "too again here straight fast quick sir buddy friend mate pal dear "
    "alright sure yes yeah yep have has had got let be been if possible do up "
    "down over across along away out sideways of by do together through very "
    "bit still soon today once about roughly only more another first next "
    "second third last there way side for as at on in off with that is are it "
    "carefully perhaps maybe".split()
)
# Little words of other languages: when they abound, the text is not English.
FOREIGN_WORDS: Final = frozenset(
    "el la los las un una por favor en y de que der die das und den dem ein "
    "eine bitte auf le les et une dans sur du des au il lo gli nel per di o "
    "os na no para uma het een van met".split()
)


def known_words() -> frozenset[str]:
    """Every single word of this file: towards these a misspelt word is mended."""
    tables = (
        COLOUR_WORDS, FOREIGN_COLOURS, SHAPE_ADJECTIVES, NOUNS, PLAIN_ADJECTIVES,
        RELATIONS, DIRECTIONS, VERBS, UNSUPPORTED, QUESTION_WORDS, FILLERS, DETERMINERS,
        MANY, SIDES, SPEAKER, PRONOUNS, PLURAL_PRONOUNS,
    )  # fmt: skip
    return frozenset(
        word for table in tables for name in table for word in name.split()
    )
