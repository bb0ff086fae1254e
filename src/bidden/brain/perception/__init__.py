"""What the robot sees and where it remembers it."""

from .ambiguity import Ambiguity as Ambiguity
from .ambiguity import find_ambiguity as find_ambiguity
from .pipeline import Look as Look
from .pipeline import VisionPipeline as VisionPipeline
from .tracker import Track as Track
from .tracker import Tracker as Tracker
from .tracker import TrackerConfig as TrackerConfig
