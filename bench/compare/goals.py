"""bench/goals.json: how Martlet is meant to stand to others, and whether it does."""

import dataclasses
import json

from . import figures
from .machine import ROOT

FILE = ROOT / "bench/goals.json"
MET, MISSED, OPEN = "met", "missed", "not measured"
# A figure of goals alone: in how many of the rounds a system keeps a rate up.
SUSTAINED = "sustained"


@dataclasses.dataclass(frozen=True)
class Goal:
    workload: str
    mode: str
    # One of figures.FIGURES, as a ratio to the other system's, the median over rounds; or SUSTAINED.
    figure: str
    system: str
    beside: str
    most: float | None = None
    least: float | None = None

    @property
    def text(self):
        if self.figure == SUSTAINED:
            return "all rounds"
        return f"≤ {self.most:.3g}" if self.most is not None else f"≥ {self.least:g}"

    def verdict(self, value):
        if value is None:
            return OPEN
        if self.most is not None:
            return MET if value.median <= self.most else MISSED
        # Kept up in most rounds is not kept up.
        reached = value.least if self.figure == SUSTAINED else value.median
        return MET if reached >= self.least else MISSED

    def runs(self, runs, system):
        return figures.select(runs, workload=self.workload, mode=self.mode, system=system)

    def outcome(self, runs, system=None):
        """What the runs say about it; None if nothing of them counts. `system` takes the place of
        its own, for what the goal would be for a system that does the least there is to do."""
        mine, other = self.runs(runs, system or self.system), self.runs(runs, self.beside)
        if self.figure == SUSTAINED:
            return figures.kept_up(mine)
        if self.figure == "rate" and self.least is not None:
            return figures.rate_at_least(mine, other)
        return figures.ratio(mine, other, self.figure)


def load():
    """The goals of each comparison, by its name."""
    return {
        comparison: [Goal(**goal) for goal in rows]
        for comparison, rows in json.loads(FILE.read_text()).items()}
