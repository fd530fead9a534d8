"""What the settings `spin` and `coalesce` gain and cost, beside the defaults and nats-server."""

import dataclasses

from . import document, figures, machine, rounds, table
from .systems import MARTLET, NATS, PINNED, all_systems, installed
from .workloads import BY_NAME

WORKLOADS = ("request-1", "request-20k", "request-50k", "pubsub-50k", "fanout-50")
SETTINGS = ("spin: 50us", "coalesce: 50us", "coalesce: 200us")
FIGURES = (("p50", "p50 µs"), ("p99", "p99 µs"), ("cpu", "CPU µs per message"))


def systems():
    """nats-server, Martlet as it comes, and Martlet with each of the settings."""
    known = {system.name: system for system in all_systems()}
    martlet = known[MARTLET]
    return [known[NATS], martlet, *(
        dataclasses.replace(
            martlet, name=setting, configuration=f"martlet {{{{ {setting} }}}}\n",
            arguments=(*martlet.arguments, "-c", "{folder}/configuration"))
        for setting in SETTINGS)]


def run(options, folder):
    found, left_out = installed(systems(), None)
    workloads = [BY_NAME[name] for name in options.only or WORKLOADS]
    results = {
        "machine": machine.facts(), "rounds": options.rounds, "seconds": options.seconds,
        "warmup": options.warmup, "left_out": left_out,
        "systems": {system.name: system.version_text() for system in found}}
    path = folder / "pace.json"
    runs = rounds.measure_all(
        list(rounds.plan(found, workloads, [PINNED], options.rounds)), machine.two_cores(),
        options.warmup, options.seconds,
        lambda runs: rounds.write(path, {**results, "runs": runs}))
    write({**results, "runs": runs}, folder, options.publishes)


def write(results, folder, publishes):
    text = section(results)
    document.write_section("pace", text, folder, publishes)
    print("\n" + text)


def section(results):
    lines = [
        f"{table.about(results)} Broker and generator on one core each; medians with their range.", "",
        "| workload | | " + " | ".join(title for _, title in FIGURES) + " |",
        "|---|---|---|---|---|"]
    names = list(dict.fromkeys(run["workload"] for run in results["runs"]))
    for name in names:
        text = BY_NAME[name].text
        for system in results["systems"]:
            found = figures.select(results["runs"], workload=name, system=system)
            columns = " | ".join(cell(found, figure) for figure, _ in FIGURES)
            lines.append(f"| {text} | {system} | {columns} |")
            text = ""
    return "\n".join(lines)


def cell(runs, figure):
    """CPU of every run that went through: a late generator takes nothing from it."""
    if figure != "cpu":
        return table.spread(figures.spread(runs, figure))
    return table.spread(figures.Spread.of(run.get(figure) for run in runs))
