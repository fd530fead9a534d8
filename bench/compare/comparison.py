"""What a comparison is: systems, the loads that each of them gets, and how the outcome is shown."""

import dataclasses
import shlex
from collections.abc import Callable

from . import document, rounds, table
from .systems import PINNED

NATS_WIRE = ("nats",)
ANY_WIRE = ("nats", "redis", "mqtt")


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    text: str
    # Arguments of martlet-load; `{rate}` is the rate that is asked for.
    load: str
    wires: tuple = ANY_WIRE
    # Files that a process opens, beyond a few.
    files: int = 0
    # Messages a second, where a run is also judged by whether it keeps them up.
    rate: int | None = None
    # Up to how many a second the highest rate that is kept up is looked for, in place of one run.
    rate_most: int | None = None

    def arguments(self, rate=None):
        asked = self.rate if rate is None else rate
        return shlex.split(self.load.replace("{rate}", str(asked)))


@dataclasses.dataclass(frozen=True)
class Comparison:
    # Of the command, the recorded results, the goals, and the section of docs/PERFORMANCE.md.
    name: str
    text: str
    # Called when it is measured, because it looks at what is installed.
    systems: Callable
    workloads: tuple
    # Of the short form, where not the same.
    quick_workloads: tuple = ()
    # The first is the usual one; in the others only these systems are measured.
    modes: tuple = (PINNED,)
    in_every_mode: tuple = ()
    # In turns; what is published takes at least so many.
    rounds_min: int = 5
    # What is made before anything is started.
    prepare: Callable = lambda: None
    # Records results in a file: (comparison, options, path).
    measure: Callable = rounds.run
    # Whether they are what is promised, for the exit status.
    passed: Callable = lambda results: True
    # What a message is called.
    unit: str = "message"
    columns: tuple = ()
    # A system that does the least there is to do: what goals would be for it stands beside them.
    floor: str | None = None
    # What a reader of the tables must know.
    explanation: str = ""
    # What else the results say, each from the results to a line.
    remarks: tuple = ()
    # How all figures are laid out: table.for_each_workload or table.ratios_to(…).
    tables: Callable = table.for_each_workload
    # From the comparison and the results to Markdown, and to {name of a file: its text}.
    section: Callable = document.section
    files: Callable = document.pictures
    pictures: tuple = ()

    @property
    def file(self):
        return f"{self.name}.json"

    def workload_text(self, name):
        """Results may be of a workload that there is no more."""
        known = {workload.name: workload.text for workload in self.all_workloads()}
        return known.get(name, name)

    def all_workloads(self):
        return (*self.workloads, *self.quick_workloads)
