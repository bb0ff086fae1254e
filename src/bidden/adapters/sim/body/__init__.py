"""The G1 in MuJoCo: its model, light meshes, and the network that walks it."""

from .spec import ARM_KP as ARM_KP
from .spec import EFFORT as EFFORT
from .spec import THING_BIT as THING_BIT
from .spec import THING_MASK as THING_MASK
from .spec import robot_spec as robot_spec
