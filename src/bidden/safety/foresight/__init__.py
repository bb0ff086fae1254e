"""What a chunk will probably do, before it moves anything."""

from .falls import FallMemory as FallMemory
from .falls import FallPredictor as FallPredictor
from .judgement import ChunkJudge as ChunkJudge
from .judgement import Judgement as Judgement
from .prediction import at_tenths as at_tenths
