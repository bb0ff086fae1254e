"""From clauses to goals."""

from .describe import describe as describe
from .planner import Abilities as Abilities
from .planner import Planner as Planner
from .planner import plan as plan
from .planner import thing_of as thing_of
