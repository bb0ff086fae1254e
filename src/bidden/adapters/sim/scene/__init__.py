"""What stands where: the catalog, scenes as values, random scenes."""

from .config import FIRST_EVALUATION_SEED as FIRST_EVALUATION_SEED
from .config import TABLE_THICKNESS as TABLE_THICKNESS
from .config import Kind as Kind
from .config import SceneConfig as SceneConfig
from .config import ThingConfig as ThingConfig
from .config import load_scene as load_scene
from .draw import FREE_RADIUS as FREE_RADIUS
from .draw import Pairs as Pairs
from .draw import random_scene as random_scene
from .solids import known_scene as known_scene
