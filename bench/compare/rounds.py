"""All runs of a measurement in turn, with their progress."""

import json
import time

from . import figures, measure
from .systems import MARTLET, NATS, PINNED


def plan(systems, workloads, modes, rounds):
    """(round, workload, mode, system) in order. Systems take turns and each round starts with
    another one; only the two that ratios are made of run in more than the first mode."""
    for round_number in range(rounds):
        turn = round_number % len(systems)
        for workload in workloads:
            for mode in modes:
                for system in (*systems[turn:], *systems[:turn]):
                    if system.wire not in workload.wires:
                        continue
                    if mode == modes[0] or system.name in (MARTLET, NATS):
                        yield round_number, workload, mode, system


def measure_all(steps, cores, warmup, seconds, save):
    """The figures of all runs; `save` is called with them after each round."""
    runs = []
    began = time.monotonic()
    for number, (round_number, workload, mode, system) in enumerate(steps):
        if runs and runs[-1]["round"] != round_number:
            save(runs)
        run = measure.run(system, workload, mode, cores, warmup, seconds)
        run["round"] = round_number
        runs.append(run)
        left = (time.monotonic() - began) / (number + 1) * (len(steps) - number - 1)
        print(f"[{number + 1:>{len(str(len(steps)))}}/{len(steps)}] {line(run)}   {minutes(left)}",
              flush=True)
    save(runs)
    return runs


def line(run):
    start = f"{run['workload']:<13} {run['mode']:<8} {run['system']:<11}"
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
    stolen = run["steal_ms"] + (run["generator_delay_ms"] if run["mode"] == PINNED else 0)
    return text + (f"  stolen {stolen:.0f} ms" if stolen >= 1 else "")


def minutes(seconds):
    return f"~{seconds / 60:.0f} min left" if seconds >= 90 else f"~{seconds:.0f} s left"


def write(path, results):
    path.parent.mkdir(parents=True, exist_ok=True)
    rounded = json.loads(json.dumps(results), parse_float=lambda text: round(float(text), 4))
    path.write_text(by_line(rounded) + "\n")


def by_line(value, depth=0):
    """JSON with one run or window a line, so that a change of it can be read."""
    if isinstance(value, dict) and depth < 3:
        parts = [f"{json.dumps(name)}: {by_line(part, depth + 1)}" for name, part in value.items()]
        return "{\n" + ",\n".join(parts) + "\n}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(json.dumps(part) for part in value) + "\n]"
    return json.dumps(value)
