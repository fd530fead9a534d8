"""Where another system is ahead of Martlet, of all that is recorded. Nothing here measures."""

import dataclasses

from . import figures, table
from .comparisons.brokers import BROKERS
from .comparisons.footprint import FOOTPRINT, MOMENTS
from .comparisons.orders import ECHO, ORDERS, PLAIN, RULES
from .figures import Spread
from .systems import MARTLET, PINNED, UNPINNED

# A ratio nearer to 1 than this is level.
MARGIN = 1.05
# Martlet's own other forms, and what looks at no order.
NOT_OTHERS = (MARTLET, RULES, PLAIN, ECHO)
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
        *(of_runs(BROKERS, results[BROKERS.name], MARTLET) if BROKERS.name in results else ()),
        *(of_runs(ORDERS, results[ORDERS.name], RULES) if ORDERS.name in results else ()),
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


def of_runs(comparison, results, subject):
    # Where each is at a rate of its own, that rate alone can be compared.
    own_rates = {workload.name for workload in comparison.workloads if workload.rate_most}
    for figure in FIGURES:
        for system in (name for name in results["systems"] if name not in NOT_OTHERS):
            for workload, mode in table.loads(results):
                if workload in own_rates and figure != "rate":
                    continue
                both = [
                    table.runs_of(results, workload, mode, name) for name in (subject, system)]
                # More messages a second are better, and less of everything else.
                times = figures.ratio(*(reversed(both) if figure == "rate" else both), figure)
                if times and times.median > MARGIN:
                    yield Lead(
                        table.figure_name(comparison, figure), f"{system}, {MODES[mode]}",
                        lead_text(comparison, workload),
                        *(table.cell(runs, figure) for runs in both), times)


def lead_text(comparison, workload):
    text = comparison.workload_text(workload)
    return text if comparison is BROKERS else f"{comparison.name}: {text}"


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
