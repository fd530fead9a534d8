"""The release binary as a running broker, and raw clients of it, for the scripts in this folder."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Tests/AllocationTests"))
from broker import Broker, Client, binary, drain  # noqa: E402, F401
from counts import ALLOCATIONS, Counter  # noqa: E402, F401
