"""Watches of chunks and states; each can only make the shield stricter."""

from .foresight import FallLookout as FallLookout
from .foresight import ForesightWatch as ForesightWatch
