"""Tier 1: what a text says once its disguise is off. Total and bounded."""

from .letters import MAX_CHARS as MAX_CHARS
from .letters import fold as fold
from .readings import reveal as reveal
from .wrappers import FOREIGN as FOREIGN
from .wrappers import unwrap as unwrap
