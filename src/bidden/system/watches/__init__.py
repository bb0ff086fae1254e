"""Watches: they see every chunk before it moves, and may ask the shield for care."""

from .doubt import DoubtWatch as DoubtWatch
from .identity import weights_of as weights_of
