"""bench/order-goals.json: how Martlet's rules are meant to stand to what people use today."""

import dataclasses
import json

from . import figures
from .goals import Bound
from .machine import ROOT
from .order_run import sustains
from .order_systems import RULES

FILE = ROOT / "bench/order-goals.json"
MAXIMUM = "orders-maximum"
SUSTAINED = "sustained"


@dataclasses.dataclass(frozen=True)
class OrderGoal(Bound):
    workload: str
    # One of figures.FIGURES as a ratio to the other system's, as a median over rounds; or
    # "sustained", the share of the rounds in which Martlet keeps up.
    figure: str
    beside: str
    most: float | None = None
    least: float | None = None


def load():
    return [OrderGoal(**goal) for goal in json.loads(FILE.read_text())]


def outcome(goal, runs, system=RULES):
    """What the runs say about a goal; None if nothing of them counts. `system` may be the floor's,
    for what the goal would be for a server that looks at nothing."""
    mine, other = (
        figures.select(runs, workload=goal.workload, system=name)
        for name in (system, goal.beside))
    if goal.figure == SUSTAINED:
        return kept_up(mine)
    return figures.ratio(mine, other, goal.figure)


def kept_up(runs):
    """1 for each round in which a system sustains the rate and 0 for the others. A run in which the
    generator was late or could not do more says nothing against the system."""
    counting = [run for run in runs if figures.state(run) in (figures.VALID, figures.FAILED)]
    return figures.Spread.of([1.0 if sustains(run) else 0.0 for run in counting])


def crossing(points, level):
    """Where a line through (x, y) points first reaches a level; None if it never does."""
    points = sorted(points)
    if points and points[0][1] >= level:
        return points[0][0]
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        if y0 < level <= y1:
            return x0 + (x1 - x0) * (level - y0) / (y1 - y0)
    return None


def at(points, x):
    """What the line through the points has at x; None outside of them."""
    points = sorted(points)
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        if x0 <= x <= x1:
            return y0 if x1 == x0 else y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return None


def shares(runs, system):
    """(requests/s, share of a core) of each rate, as medians of the rounds that count."""
    found = []
    for workload in dict.fromkeys(run["workload"] for run in runs):
        mine = figures.select(runs, workload=workload, system=system)
        rate, share = (
            figures.Spread.of(
                run[name] for run in mine
                if figures.state(run) in (figures.VALID, figures.COST_ONLY))
            for name in ("rate", "broker_share"))
        if rate:
            found.append((rate.median, share.median))
    return found


def busy_core(runs, busy, level=0.9):
    """(requests/s at which one system takes so much of a core, what Martlet's rules take there);
    parts that the runs do not say are None."""
    rate = crossing(shares(runs, busy), level)
    return rate, None if rate is None else at(shares(runs, RULES), rate)
