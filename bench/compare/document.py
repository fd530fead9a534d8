"""Writes results as files: tables and plots in a folder, and a section of docs/PERFORMANCE.md."""

import re

from . import figures, plot, table
from .machine import ROOT
from .systems import PINNED

PAGE = ROOT / "docs/PERFORMANCE.md"
FOLDER = ROOT / "docs/performance"
# For measurements that are not to be published; git ignores it.
SCRATCH = ROOT / "bench/results"


def markers(name):
    return f"<!-- {name}: begin; written by dev/bench -->", f"<!-- {name}: end -->"


def replace_section(page, name, text):
    """The page with what stands between two markers replaced."""
    begin, end = markers(name)
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"{PAGE.name} has no '{begin}' followed by '{end}'")
    return pattern.sub(lambda _: f"{begin}\n{text.strip()}\n{end}", page, count=1)


def publish(name, text):
    PAGE.write_text(replace_section(PAGE.read_text(), name, text))


def write_section(name, text, folder, publishes):
    """Into the page, or as a file of its own into a folder that is not published."""
    folder.mkdir(parents=True, exist_ok=True)
    if publishes:
        publish(name, text)
    else:
        (folder / f"{name}.md").write_text(text + "\n")


def write_comparison(results, folder, publishes):
    folder.mkdir(parents=True, exist_ok=True)
    tables = f"# Every figure of every system\n\n{table.about(results)}\n\n" \
        f"{EXPLANATION}\n\n{table.full_tables(results)}"
    (folder / "tables.md").write_text(tables)
    for name, picture in plots(results).items():
        (folder / name).write_text(picture)
    if publishes:
        publish("comparison", section(results))
    else:
        (folder / "section.md").write_text(section(results) + "\n")


EXPLANATION = """Medians over the rounds, with the least and the most. A message is one delivery, or
one request with its reply. "void" runs, in which the generator was late by more than a tenth of the
p99 it reports, count for nothing; in "cost only" runs the generator could not do more though the
server could, so only CPU per message counts. Stolen: what the machine below took from all cores,
and how long threads of the broker and of the generator could have run but had no core, summed over
the rounds. A server with several threads on one core also waits for itself."""


def section(results):
    return f"""{table.about(results)}

### Goals

Ratios to nats-server: each round's, and of those the median (least..most).

{table.goal_table(results)}

### All ratios to nats-server

Below 1 is better, but for messages/s. A dash: no run counts, because the generator was late or
could not do more. Runs and stolen time are Martlet's and, after the semicolon, nats-server's.
[All figures of all systems](performance/tables.md), [every run](performance/results.json).

{table.ratio_table(results)}

{table.mixed_line(results)}

Allocations and system calls per message are counted, not timed: `Tests/AllocationTests/run` and
`bench/system-calls`, above.

![p50 by workload and system](performance/p50.svg)
![p99 by workload and system](performance/p99.svg)
![CPU per message by workload and system](performance/cpu.svg)
![Messages per second at full rate](performance/rate.svg)"""


def plots(results):
    names = [name for name, mode in table.pairs(results) if mode == PINNED] \
        or [name for name, _ in table.pairs(results)]
    mode = PINNED if any(run["mode"] == PINNED for run in results["runs"]) else None

    def groups(figure, workloads):
        found = []
        for name in workloads:
            values = {}
            for system in results["systems"]:
                wanted = {"workload": name, "system": system, **({"mode": mode} if mode else {})}
                value = figures.spread(figures.select(results["runs"], **wanted), figure)
                values[system] = value.median if value else None
            found.append((name, values))
        return found
    paced = [name for name in names if not name.startswith("full")]
    full = [name for name in names if name.startswith("full")]
    return {
        "p50.svg": plot.bars("p50", "µs, logarithmic", groups("p50", paced), logarithmic=True),
        "p99.svg": plot.bars("p99", "µs, logarithmic", groups("p99", paced), logarithmic=True),
        "cpu.svg": plot.bars(
            "CPU per message", "µs, logarithmic", groups("cpu", names), logarithmic=True),
        "rate.svg": plot.bars(
            "full rate", "messages/s, logarithmic", groups("rate", full), logarithmic=True),
    }
