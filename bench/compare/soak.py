"""A long run of everything at once, by windows of ten seconds, beside nats-server's."""

import time

from . import document, machine, plot, processes, rounds, table, windows
from .measure import Generator, sleep_until
from .systems import NATS, MARTLET, PINNED, Server
from .workloads import SOAK

WARMUP_SECONDS = 5


def measure(system, cores, seconds, window_seconds, mode=PINNED):
    """The windows of one system's run, and what its generator reports."""
    arguments = [*SOAK.split(), "--window", str(window_seconds)]
    samples = []
    with Server(system, mode, cores[0]) as server, Generator(
            server, arguments, mode, cores[1], WARMUP_SECONDS, seconds) as generator:
        count = -(-seconds // window_seconds)
        for number in range(int(count) + 1):
            sleep_until(min(
                generator.start_ns + int(number * window_seconds * 1e9), generator.end_ns))
            samples.append(processes.sample(server.pid, generator.pid))
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
          f"min  {samples[-1].resident_bytes / 2**20:7.1f} MiB", flush=True)


def joined(window, before, after):
    latency = window["latency_us"]
    return {
        "second": window["second"], "received": window["received"],
        **{name: latency[name] for name in ("p50", "p99", "max")},
        "lateness_p99": window["lateness_us"]["p99"],
        "memory": after.resident_bytes / 2**20,
        "stolen_ms": processes.stolen_ms(before, after),
    }


def run(systems, cores, minutes, folder, publishes, window_seconds):
    wanted = [system for system in systems if system.name in (MARTLET, NATS)]
    results = {
        "machine": machine.facts(), "minutes": minutes, "load": SOAK,
        "window_seconds": window_seconds,
        "systems": {system.name: system.version_text() for system in wanted}, "runs": {}}
    for system in wanted:
        results["runs"][system.name] = measure(
            system, cores, round(minutes * 60), window_seconds)
        rounds.write(folder / "soak.json", results)
    write(results, folder, publishes)
    return all(
        verdict != "failed" for _, verdict, _ in verdicts(results["runs"].get(MARTLET)))


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


def write(results, folder, publishes):
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in plots(results).items():
        (folder / name).write_text(picture)
    text = section(results)
    document.write_section("soak", text, folder, publishes)
    print("\n" + text)


def plots(results):
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


def section(results):
    facts = results["machine"]
    lines = [
        f"{facts['processor']}, {facts['cores']} cores; Linux {facts['kernel']}; commit "
        f"{facts['commit']}; {facts['date']}. {', '.join(results['systems'].values())}. "
        f"{results['minutes']:g} minutes each, one after the other, windows of "
        f"{results['window_seconds']:g} s: `martlet-load {results['load']}`.", "",
        "| system | p50 µs | p99 µs | max µs | check | | |", "|---|---|---|---|---|---|---|"]
    for name, run in results["runs"].items():
        whole = " | ".join(table.number(run["whole"][figure]) for figure in ("p50", "p99", "max"))
        for number, (check, verdict, why) in enumerate(verdicts(run)):
            start = f"{name} | {whole}" if number == 0 else " | | | "
            lines.append(f"| {start} | {check} | {verdict} | {why} |")
    lines += ["", *(f"![{name}](performance/{name})" for name in plots(results)),
              "", "[Every window](performance/soak.json)"]
    return "\n".join(lines)
