"""The tables of README.md: what was recorded, and where another system is ahead."""

import dataclasses
import json

from . import ahead, document, figures, table
from .comparisons import COMPARISONS
from .comparisons.brokers import BROKERS
from .comparisons.footprint import FOOTPRINT
from .comparisons.orders import MAXIMUM, NODE, ORDERS, RULES
from .figures import Spread
from .machine import ROOT
from .systems import MARTLET, NATS, PINNED, UNPINNED

PAGE = ROOT / "README.md"
NAME = "figures"

# A column each: its head, the system, and the mode.
COLUMNS = (
    ("Martlet, one core", MARTLET, PINNED), ("nats-server, one core", NATS, PINNED),
    ("Node.js", "node", PINNED), ("Martlet, all cores", MARTLET, UNPINNED),
    ("nats-server, all cores", NATS, UNPINNED))
# Loads of the comparison of brokers, by name, with the figures that are shown of each.
LOADS = (
    ("request-1", "one request in flight", ("p50", "p99")),
    ("request-50k", "50,000 requests a second", ("p50", "p99", "p99.9", "cpu", "memory")),
    ("fanout-50", "fan-out to 50", ("p50", "p99")),
    ("fanout-64k", "64 KB to 8", ("p50", "p99")),
    ("full-16", "full rate of 16 B", ("rate",)))
TITLES = {
    "p50": "p50 µs", "p99": "p99 µs", "p99.9": "p99.9 µs", "cpu": "CPU µs each",
    "memory": "memory MiB", "rate": "messages a second"}
# Who checks and answers orders, by the column in which that stands.
ORDERS_COLUMNS = {0: RULES, 1: "nats + node", 2: NODE}


@dataclasses.dataclass(frozen=True)
class Cell:
    text: str = "–"
    count: int | None = None


def recorded():
    """The results that there are, by the name of the comparison."""
    paths = {name: document.FOLDER / comparison.file for name, comparison in COMPARISONS.items()}
    return {name: json.loads(path.read_text()) for name, path in paths.items() if path.exists()}


def publish():
    page = PAGE.read_text()
    PAGE.write_text(document.replace_section(page, NAME, section(recorded())))


def section(results):
    rows = [
        *(broker_rows(results[BROKERS.name]) if BROKERS.name in results else ()),
        *(footprint_rows(results[FOOTPRINT.name]) if FOOTPRINT.name in results else ()),
        *(orders_rows(results[ORDERS.name]) if ORDERS.name in results else ())]
    heads = ["", *(title for title, _, _ in COLUMNS), "rounds that count"]
    return "\n\n".join((
        *(about(results, name) for name in (BROKERS.name, FOOTPRINT.name, ORDERS.name)
          if name in results),
        table.markdown(heads, [line(title, cells) for title, cells in rows]),
        "Where another system is ahead of Martlet by over 5 %, in any of the loads, orders and starts "
        "that were measured; of each figure the load where it is most:",
        ahead.markdown(results)))


def about(results, name):
    facts = results[name]
    rounds = facts.get("rounds") or facts.get("starts")
    what = {BROKERS.name: "Loads", FOOTPRINT.name: "Start and idle connections",
            ORDERS.name: "Orders"}[name]
    return (
        f"{what}: commit {facts['machine']['commit']}, {facts['machine']['date']}, {rounds} rounds in "
        f"turns; {facts['machine']['processor']}, {facts['machine']['cores']} cores.")


def line(title, cells):
    counts = ["–" if cell.count is None else str(cell.count) for cell in cells]
    return [title, *(cell.text for cell in cells), ", ".join(counts)]


def broker_rows(results):
    for workload, text, shown in LOADS:
        for figure in shown:
            yield f"{text}, {TITLES[figure]}", [
                broker_cell(table.runs_of(results, workload, mode, system), figure)
                for _, system, mode in COLUMNS]


def broker_cell(runs, figure):
    """A rate that the generator limited is at least what was seen."""
    value = figures.spread(runs, figure)
    if value is None and figure == "rate":
        value = Spread.of(
            run["rate"] for run in runs if figures.state(run) == figures.COST_ONLY)
        return Cell(f"≥ {table.spread(value)}", value.count) if value else Cell(count=0)
    return Cell(table.spread(value), value.count if value else 0)


def footprint_rows(results):
    """As their users start them; Node.js has one thread wherever it runs."""
    def of_each(cell):
        found = results["results"]
        places = (None, None, "node", MARTLET, NATS)
        return [cell(found[name]) if name in found else Cell() for name in places]
    yield "ms from start until it takes a connection", of_each(
        lambda found: Cell(table.spread(Spread.of(found["ready_ms"])), len(found["ready_ms"])))
    yield f"memory MiB with {results['connections']:,} idle connections", of_each(
        lambda found: Cell(table.number(found["memory_mib"]["connections"]), 1))


def orders_rows(results):
    cells = [Cell()] * len(COLUMNS)
    for place, system in ORDERS_COLUMNS.items():
        cells[place] = broker_cell(table.runs_of(results, MAXIMUM, PINNED, system), "rate")
    yield ("orders checked and answered a second: by a rule, by a service in Node.js, by the broker "
           "in Node.js"), cells
