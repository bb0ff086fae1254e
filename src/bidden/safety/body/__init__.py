"""What the body says of itself: health, stuck sensors, loads, and the way back."""

from .health import Condition as Condition
from .health import check_health as check_health
