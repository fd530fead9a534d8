"""Where another system is ahead of Martlet, of all that is recorded. Nothing here measures."""

import dataclasses

from . import figures, table
from .comparisons.brokers import BROKERS
from .comparisons.footprint import FOOTPRINT, MOMENTS
from .figures import Spread
from .systems import MARTLET, PINNED, UNPINNED

# A ratio nearer to 1 than this is level.
MARGIN = 1.05
FIGURES = ("rate", "p50", "p99", "p99.9", "cpu", "memory")
MODES = {PINNED: "one core", UNPINNED: "all cores"}


@dataclasses.dataclass(frozen=True)
class Lead:
    """One figure under one load in which another system is better, by so many times."""
    figure: str
    system: str
    load: str
    mine: str
    theirs: str
    times: Spread


def markdown(results):
    leads = [
        *(of_brokers(results[BROKERS.name]) if BROKERS.name in results else ()),
        *(of_footprint(results[FOOTPRINT.name]) if FOOTPRINT.name in results else ())]
    by_figure = {}
    for lead in leads:
        by_figure.setdefault((lead.figure, lead.system), []).append(lead)
    rows = []
    for found in by_figure.values():
        most = max(found, key=lambda lead: lead.times.median)
        rows.append([
            most.figure, most.system, most.load, most.mine, most.theirs, table.spread(most.times),
            str(most.times.count), str(len(found))])
    heads = ["figure", "ahead", "load", "Martlet", "there", "times", "rounds", "loads"]
    return table.markdown(heads, rows) if rows else "Nowhere."


def of_brokers(results):
    for figure in FIGURES:
        for system in results["systems"]:
            for workload, mode in table.loads(results):
                both = [
                    table.runs_of(results, workload, mode, name) for name in (MARTLET, system)]
                # More messages a second are better, and less of everything else.
                times = figures.ratio(*(reversed(both) if figure == "rate" else both), figure)
                if times and times.median > MARGIN:
                    yield Lead(
                        table.figure_name(BROKERS, figure), f"{system}, {MODES[mode]}",
                        BROKERS.workload_text(workload), *(table.cell(runs, figure) for runs in both),
                        times)


def of_footprint(results):
    found = results["results"]
    mine = found.get(MARTLET)
    for system, theirs in found.items() if mine else ():
        starts = Spread.of(
            own / other for own, other in zip(mine["ready_ms"], theirs["ready_ms"]))
        cells = [table.spread(Spread.of(side["ready_ms"])) for side in (mine, theirs)]
        if starts.median > MARGIN:
            yield Lead("ms to take a connection", system, "start", *cells, starts)
        for moment in MOMENTS:
            sizes = [side["memory_mib"][moment] for side in (mine, theirs)]
            if sizes[0] > MARGIN * sizes[1]:
                yield Lead("memory of idle connections", system, moment, *map(table.number, sizes),
                           Spread.of([sizes[0] / sizes[1]]))
