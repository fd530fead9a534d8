"""What dev/bench can compare, by name."""

from .brokers import BROKERS
from .footprint import FOOTPRINT
from .loops import LOOPS
from .orders import ORDERS
from .pace import PACE
from .saturation import SATURATION
from .soak import SOAK
from .validation import VALIDATION

COMPARISONS = {
    comparison.name: comparison for comparison in (
        BROKERS, ORDERS, VALIDATION, SATURATION, PACE, LOOPS, FOOTPRINT, SOAK)}
