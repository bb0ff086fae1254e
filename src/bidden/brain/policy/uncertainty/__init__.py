"""How far a policy can be believed: signs in its chunks and in what it sees."""

from .calibration import Calibration as Calibration
from .calibration import shipped_calibrations as shipped_calibrations
from .meter import Meter as Meter
from .meter import Reading as Reading
from .views import Glimpse as Glimpse
from .views import Views as Views
