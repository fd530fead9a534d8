"""What `dev/bench claim` says: figures beside the published ones, what does not count, verdicts."""

import json
import textwrap

from .. import document, figures, table
from ..comparisons.brokers import BROKERS
from ..systems import MARTLET, PINNED
from .workload import WORKLOAD

PUBLISHED = "published"
# Of a terminal.
COLUMNS = 100
ROWS = (
    table.figure("rate", "requests/s"),
    *(table.figure(name, f"{name} µs") for name in ("p50", "p99", "p99.9", "max")),
    table.figure("cpu", "CPU µs a request"), table.figure("memory", "memory MiB"),
    table.RUNS, table.LOST)
STOLEN = (
    ("steal_ms", "stolen ms: steal"), ("broker_delay_ms", "  broker ready, no core"),
    ("generator_delay_ms", "  load ready, no core"))


def text(facts, seconds, systems, runs, findings):
    published = recorded()
    columns = {name: figures.select(runs, system=name) for name in systems}
    columns = {MARTLET: columns.pop(MARTLET), **published_runs(published), **columns}
    return "\n".join(part for part in (
        f"{WORKLOAD.text}; broker and load on a core each",
        table.machine(facts),
        f"{len(columns[MARTLET])} rounds of {seconds:.1f} s, in turns: medians (least..most)",
        published_where(published), "", *aligned(rows(columns)), "",
        *voids(runs), *verdicts(findings)) if part is not None)


def recorded():
    """The published results; None in a tree that has none."""
    path = document.FOLDER / BROKERS.file
    return json.loads(path.read_text()) if path.exists() else None


def published_runs(results):
    found = table.runs_of(results, WORKLOAD.name, PINNED, MARTLET) if results else []
    return {PUBLISHED: found} if found else {}


def published_where(results):
    if results is None:
        return None
    facts = results["machine"]
    return (f"published: Martlet's in docs/PERFORMANCE.md, commit {facts['commit']}, {facts['date']}, "
            f"{facts['processor']}, {facts['cores']} cores")


def rows(columns):
    """The heads, and a row for each figure with all systems."""
    stolen = [
        table.Column(title, lambda runs, key=key: table.number(table.total(runs, key)))
        for key, title in STOLEN]
    return [
        ["", *columns],
        *([row.title, *map(row.cell, columns.values())] for row in (*ROWS, *stolen))]


def aligned(lines):
    widths = [max(map(len, column)) for column in zip(*lines)]
    return ["  ".join(f"{part:<{width}}" for part, width in zip(line, widths)).rstrip()
            for line in lines]


def voids(runs):
    """Why runs do not count, a line each."""
    lines = [
        f"round {run['round'] + 1}, {run['system']}: {figures.why_not(run)}"
        for run in runs if figures.state(run) != figures.VALID]
    return ["These runs do not count:", *(f"  {line}" for line in lines), ""] if lines else []


def verdicts(findings):
    width = max(len(finding.verdict) for finding in findings)
    indent = " " * (width + 4)
    return [
        f"{finding.verdict:<{width}}  {finding.promise}\n" + textwrap.fill(
            finding.seen, COLUMNS, initial_indent=indent, subsequent_indent=indent)
        for finding in findings]
