"""All runs of a comparison in turn, with their progress."""

import time

from . import document, figures, machine, measure, search
from .systems import PINNED, installed


def run(comparison, options, path):
    """Measures all of it and records the results, also while it goes on."""
    comparison.prepare()
    systems, left_out = installed(comparison.systems(), options.systems)
    workloads = possible(chosen(comparison, options))
    steps = list(plan(comparison, systems, workloads, options.modes, options.rounds))
    results = {
        "machine": machine.facts(), "rounds": options.rounds, "seconds": options.seconds,
        "warmup": options.warmup, "left_out": left_out,
        "systems": {system.name: system.version_text() for system in systems}}
    measure_all(
        steps, machine.two_cores(), options,
        lambda runs: document.record(path, {**results, "runs": runs}))


def chosen(comparison, options):
    usual = (options.quick and comparison.quick_workloads) or comparison.workloads
    if not options.only:
        return usual
    by_name = {workload.name: workload for workload in (*comparison.all_workloads(), *usual)}
    return [workload for name, workload in by_name.items() if name in options.only]


def possible(workloads):
    limit = machine.raise_file_limit()
    for workload in workloads:
        if workload.files > limit:
            print(f"left out: {workload.name}, which takes {workload.files:,} open files; this "
                  f"user may have {limit:,} (ulimit -n)", flush=True)
    return [workload for workload in workloads if workload.files <= limit]


def plan(comparison, systems, workloads, modes, rounds):
    """(round, workload, mode, system) in order. Systems take turns, and each round starts with
    another one."""
    for round_number in range(rounds):
        for workload in workloads:
            for mode in modes:
                for system in in_turn(systems, round_number):
                    if system.wire not in workload.wires:
                        continue
                    if mode == modes[0] or system.name in comparison.in_every_mode:
                        yield round_number, workload, mode, system


def in_turn(systems, round_number):
    """All of them, another one first in each round."""
    turn = round_number % len(systems)
    return (*systems[turn:], *systems[:turn])


def measure_all(steps, cores, options, save):
    """The figures of all runs; `save` is called with them after each round."""
    runs, found = [], {}
    began = time.monotonic()
    for number, (round_number, workload, mode, system) in enumerate(steps):
        if runs and runs[-1]["round"] != round_number:
            save(runs)
        run = one(system, workload, mode, cores, options, found)
        runs.append({**run, "round": round_number})
        left = (time.monotonic() - began) / (number + 1) * (len(steps) - number - 1)
        print(f"[{number + 1:>{len(str(len(steps)))}}/{len(steps)}] {line(run)}   {minutes(left)}",
              flush=True)
    save(runs)
    return runs


def one(system, workload, mode, cores, options, found):
    """A run, or a look for the highest rate, from where an earlier round `found` it."""
    if workload.rate_most is None:
        return measure.run(system, workload, mode, cores, options.warmup, options.seconds)
    # Tries are many and may be short, but must see enough of what a collection of garbage does.
    seconds = options.seconds if options.quick else max(1.0, options.seconds / 2)
    key = workload.name, mode, system.name
    run = search.highest_run(
        lambda rate: measure.run(
            system, workload, mode, cores, options.warmup, seconds, rate),
        workload.rate_most, found.get(key))
    if "error" not in run:
        found[key] = run["asked"]
    return run


def line(run):
    start = f"{run['workload']:<14} {run['mode']:<8} {run['system']:<13}"
    if "error" in run:
        return f"{start} failed: {run['error'].splitlines()[0][:60]}"
    text = f"{start} {run['rate']:>11,.0f}/s"
    if "p50" in run:
        text += f"  p50 {run['p50']:>8,.1f}  p99 {run['p99']:>9,.1f} µs"
    text += f"  CPU {run.get('cpu', 0):>6.2f} µs  {run['memory']:>6.1f} MiB"
    if figures.state(run) != figures.VALID:
        text += f"  {figures.state(run)}"
    if run["lost"]:
        text += f"  {run['lost']} lost"
    if "asked" in run and not figures.sustains(run):
        text += "  not sustained"
    stolen = run["steal_ms"] + (run["generator_delay_ms"] if run["mode"] == PINNED else 0)
    return text + (f"  stolen {stolen:.0f} ms" if stolen >= 1 else "")


def minutes(seconds):
    return f"~{seconds / 60:.0f} min left" if seconds >= 90 else f"~{seconds:.0f} s left"
