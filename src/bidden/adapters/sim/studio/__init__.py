"""Pictures to learn from: the simulated world as a photo studio."""

from .views import Label as Label
from .views import Studio as Studio
from .views import View as View
