"""Watches of chunks and states: each can only make the shield stricter."""

from .camera import CameraWatch as CameraWatch
from .doubt import DoubtWatch as DoubtWatch
from .foresight import FallLookout as FallLookout
from .foresight import ForesightWatch as ForesightWatch
from .identity import weights_of as weights_of
from .sources import SourcesLookout as SourcesLookout
