"""The networks of the compact policy, as torch modules named for what they are."""

from .crops import CropNet as CropNet
from .crops import Crops as Crops
from .crops import sample_crops as sample_crops
from .fusion import Fusion as Fusion
from .fusion import FusionConfig as FusionConfig
from .vision import Vision as Vision
from .vision import VisionConfig as VisionConfig
