"""What one system takes at the rate at which another has filled its core."""

from . import figures
from .table import number

# Of a core: as good as all of it.
FULL = 0.9


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
    """(messages/s, share of a core) of each load, as medians of the rounds that count."""
    found = []
    for workload in dict.fromkeys(run["workload"] for run in runs):
        mine = [
            run for run in figures.select(runs, workload=workload, system=system)
            if figures.state(run) in (figures.VALID, figures.COST_ONLY)]
        if mine:
            rate, share = (
                figures.Spread.of(run[name] for run in mine) for name in ("rate", "broker_share"))
            found.append((rate.median, share.median))
    return found


def line(results, busy, system, titles):
    """In words; `titles` are what the two systems are called there."""
    runs = results["runs"]
    rate = crossing(shares(runs, busy), FULL)
    if rate is None:
        return f"{titles[0]} did not pass {FULL * 100:.0f} % of its core at any rate."
    share = at(shares(runs, system), rate)
    start = (f"At {number(rate)} requests/s {titles[0]} passes {FULL * 100:.0f} % of its core; "
             f"there {titles[1]} uses ")
    if share is None:
        return start + "what was not measured."
    return f"{start}**{share * 100:.0f} %** (both between the rates measured)."
