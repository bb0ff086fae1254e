"""What is looked at every tick beside the shield, and tells it."""

from .sources import SourcesWatchdog as SourcesWatchdog
