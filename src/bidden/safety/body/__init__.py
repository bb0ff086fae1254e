"""What the body says of itself: health, stuck sensors, loads, and the way back."""

from .effort import ArmEffort as ArmEffort
from .effort import check_effort as check_effort
from .effort import smoothed as smoothed
from .fence import bent_inside as bent_inside
from .fence import slowed_inside as slowed_inside
from .health import Condition as Condition
from .health import check_health as check_health
from .retreat import Retreat as Retreat
from .stuck import Stillness as Stillness
from .stuck import watch as watch
