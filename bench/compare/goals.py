"""bench/goals.json: how Martlet is meant to stand to nats-server, and whether it does."""

import dataclasses
import json

from . import figures
from .machine import ROOT
from .systems import MARTLET, NATS

FILE = ROOT / "bench/goals.json"
MET, MISSED, OPEN = "met", "missed", "not measured"


class Bound:
    """What a goal with a `most` or a `least` says, and whether a median keeps to it."""

    @property
    def text(self):
        return f"≤ {self.most:.3g}" if self.most is not None else f"≥ {self.least:g}"

    def verdict(self, value):
        if value is None:
            return OPEN
        if self.most is not None:
            return MET if value.median <= self.most else MISSED
        return MET if value.median >= self.least else MISSED


@dataclasses.dataclass(frozen=True)
class Goal(Bound):
    workload: str
    mode: str
    figure: str
    # A ratio to nats-server, as a median over rounds.
    most: float | None = None
    least: float | None = None


def load():
    return [Goal(**goal) for goal in json.loads(FILE.read_text())]


def ratio(goal, runs):
    """What the runs say about a goal; None if nothing of them counts."""
    found = [
        figures.select(runs, workload=goal.workload, mode=goal.mode, system=system)
        for system in (MARTLET, NATS)]
    if goal.figure == "rate" and goal.least is not None:
        return figures.rate_at_least(*found)
    return figures.ratio(*found, goal.figure)
