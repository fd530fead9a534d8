"""A long run of everything at once, by windows of ten seconds, beside nats-server's."""

import time

from .. import document, machine, plot, processes, table, windows
from ..comparison import NATS_WIRE, Comparison, Workload
from ..measure import Generator, sleep_until
from ..server import Server
from ..systems import MARTLET, NATS, PINNED, brokers, installed

# Requests with everything that goes on beside them in a long day. In the fifth minute more
# connections have closed than either server remembers, 10,000: from then on nothing may grow.
WORKLOAD = Workload(
    "soak", "everything at once for a long time",
    "request --rate 50000 --pairs 8 --size 64 --churn 1000 --reconnects 40 "
    "--stopped 1 --stopped-rate 1000 --stopped-reads 500000", NATS_WIRE)
WARMUP_SECONDS = 5


def measure(system, workload, cores, seconds, window_seconds, mode=PINNED):
    """The windows of one system's run, and what its generator reports."""
    arguments = [*workload.arguments(), "--window", str(window_seconds)]
    samples = []
    with Server(system, mode, cores[0]) as server, Generator(
            server, arguments, mode, cores[1], WARMUP_SECONDS, seconds) as generator:
        count = -(-seconds // window_seconds)
        for number in range(int(count) + 1):
            sleep_until(min(
                generator.start_ns + int(number * window_seconds * 1e9), generator.end_ns))
            samples.append(processes.sample(server.pids, generator.pid))
            if number % 6 == 0:
                show(system, number * window_seconds, seconds, samples)
        report = generator.report()
    found = [
        joined(window, before, after)
        for window, before, after in zip(report["windows"], samples, samples[1:])
        if "latency_us" in window]
    kept = ("received", "lost", "churned", "reconnected", "stopped_sent", "stopped_closed", "valid")
    return {"windows": found, "report": {name: report[name] for name in kept},
            "whole": report["latency_us"], "lateness": report["lateness_us"]}


def show(system, second, seconds, samples):
    print(f"{time.strftime('%H:%M:%S')} {system.name:<11} {second / 60:5.1f} of {seconds / 60:g} "
          f"min  {memory(samples[-1]):7.1f} MiB", flush=True)


def joined(window, before, after):
    latency = window["latency_us"]
    return {
        "second": window["second"], "received": window["received"],
        **{name: latency[name] for name in ("p50", "p99", "max")},
        "lateness_p99": window["lateness_us"]["p99"],
        "memory": memory(after),
        "stolen_ms": processes.stolen_ms(before, after),
    }


def memory(sample):
    return sum(server.resident_bytes for server in sample.servers) / 2**20


def run(comparison, options, path):
    systems, left_out = installed(comparison.systems(), options.systems)
    workload, = comparison.workloads
    results = {
        "machine": machine.facts(), "minutes": options.minutes, "load": workload.load,
        "window_seconds": options.window, "left_out": left_out,
        "systems": {system.name: system.version_text() for system in systems}, "runs": {}}
    for system in systems:
        results["runs"][system.name] = measure(
            system, workload, machine.two_cores(), round(options.minutes * 60), options.window)
        document.record(path, results)


def passed(results):
    return all(verdict != "failed" for _, verdict, _ in verdicts(results["runs"].get(MARTLET)))


def verdicts(run):
    if run is None:
        return []
    found = run["windows"]
    lost = run["report"]["lost"]
    return [
        ("p99 by window", *windows.latency_verdict(found)),
        ("memory", *windows.memory_verdict(found)),
        ("messages", "failed" if lost else "passed", f"{lost:,} lost"),
        ("generator", "on time" if run["report"]["valid"] else "late",
         f"p99 of its lateness {run['lateness']['p99']:,.0f} µs"),
    ]


def pictures(comparison, results):
    def series(figure):
        return {
            name: [(window["second"], window[figure]) for window in run["windows"]]
            for name, run in results["runs"].items()}
    pictures = {
        f"soak-{figure}.svg": plot.lines(
            f"{figure} by window", "µs, logarithmic", series(figure), logarithmic=True)
        for figure in ("p50", "p99", "max")}
    pictures["soak-memory.svg"] = plot.lines("resident memory", "MiB", series("memory"))
    return pictures


def section(comparison, results):
    rows = []
    for name, run in results["runs"].items():
        start = [name, *(table.number(run["whole"][figure]) for figure in ("p50", "p99", "max"))]
        for verdict in verdicts(run):
            rows.append([*start, *verdict])
            start = [""] * len(start)
    heads = ["system", "p50 µs", "p99 µs", "max µs", "check", "", ""]
    links = "\n".join(f"![{name}](performance/{name})" for name in pictures(comparison, results))
    return f"""{about(results)}

{table.markdown(heads, rows)}

{links}

[Every window](performance/{comparison.file})"""


def about(results):
    return (
        f"{table.machine(results['machine'])} {', '.join(results['systems'].values())}. "
        f"{results['minutes']:g} minutes each, one after the other, windows of "
        f"{results['window_seconds']:g} s: `martlet-load {results['load']}`."
        f"{table.left_out(results)}")


SOAK = Comparison(
    name="soak", text="half an hour of everything at once, by windows",
    systems=lambda: tuple(brokers()[name] for name in (MARTLET, NATS)), workloads=(WORKLOAD,),
    measure=run, passed=passed, section=section, files=pictures)
