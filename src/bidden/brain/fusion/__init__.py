"""Words and picture together: where each phrase points."""

from .ground import Answer as Answer
from .ground import Ask as Ask
from .ground import Seen as Seen
from .ground import Sighting as Sighting
from .ground import ground as ground
