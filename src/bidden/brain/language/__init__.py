"""From words to intent, things and amounts."""

from .encoder import Encoder as Encoder
from .parser import Parser as Parser
from .pipeline import LanguagePipeline as LanguagePipeline
