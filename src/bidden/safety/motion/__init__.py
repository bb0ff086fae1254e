"""Bending a command to what is allowed; what leads away from a thing is never cut."""

from .arms import ArmMotion as ArmMotion
from .arms import limit_joints as limit_joints
from .base import Obstacles as Obstacles
from .base import limit_base as limit_base
from .gaps import ArmGaps as ArmGaps
from .step import Step as Step
from .sweep import Sweep as Sweep
