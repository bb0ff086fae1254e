"""What may reach the motors: limits, checks, and the shield that applies them."""

from .checks import ADVISED as ADVISED
from .checks import Check as Check
from .judge import Judge as Judge
from .limits import Limits as Limits
from .limits import limits_from as limits_from
from .memory import Outcome as Outcome
from .memory import ShieldState as ShieldState
from .scene import EMPTY_SCENE as EMPTY_SCENE
from .scene import Scene as Scene
from .shield import Shield as Shield
