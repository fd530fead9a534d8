"""The command line of dev/bench."""

import argparse
import json
import signal
import sys

from . import document, machine, orders, pace, rounds, soak, table
from .systems import PINNED, UNPINNED, all_systems, installed
from .workloads import BY_NAME, NAMES, WORKLOADS

# What is published takes at least so much.
ROUNDS = 5
MINUTES = 30.0


def arguments():
    parser = argparse.ArgumentParser(prog="dev/bench")
    parser.add_argument(
        "what", nargs="?", default="compare", choices=("compare", "orders", "pace", "soak", "render", "list"),
        help="compare (the default), orders (validated and answered), pace (what settings gain), "
             "soak, list the workloads, or render what was measured again")
    parser.add_argument("--quick", action="store_true", help="one short round; publishes nothing")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=3.0, help="that count, of each run")
    parser.add_argument("--warmup", type=float, default=1.0, help="seconds before they do")
    parser.add_argument("--only", nargs="+", metavar="WORKLOAD", choices=NAMES)
    parser.add_argument("--systems", nargs="+", metavar="SYSTEM")
    parser.add_argument("--modes", nargs="+", choices=(PINNED, UNPINNED))
    parser.add_argument("--minutes", type=float, default=MINUTES, help="of each system's soak")
    parser.add_argument("--window", type=float, default=10.0, help="seconds of a soak's windows")
    parser.add_argument("--scratch", action="store_true", help="publish nothing in docs")
    options = parser.parse_args()
    if options.what == "orders" and (options.only or options.modes):
        parser.error("orders are measured pinned and whole: --only and --modes are not for them")
    # What is not the whole of it must not stand for the whole.
    partial = options.quick or options.scratch or options.systems
    if options.what == "soak":
        options.publishes = not (partial or options.minutes < MINUTES)
    else:
        options.publishes = not (
            partial or options.only or options.modes or options.rounds < ROUNDS)
    modes = options.modes or ([PINNED] if options.quick else [PINNED, UNPINNED])
    options.modes = sorted(set(modes), key=[PINNED, UNPINNED].index)
    if options.quick:
        options.rounds, options.seconds, options.warmup = 1, 0.5, 0.2
    return options


def possible_workloads(wanted):
    limit = machine.raise_file_limit()
    chosen = [BY_NAME[name] for name in wanted] if wanted else list(WORKLOADS)
    for workload in chosen:
        if workload.files > limit:
            print(f"left out: {workload.name}, which takes {workload.files:,} open files; this "
                  f"user may have {limit:,} (ulimit -n)", flush=True)
    return [workload for workload in chosen if workload.files <= limit]


def compare(options, folder):
    systems, left_out = installed(all_systems(), options.systems)
    workloads = possible_workloads(options.only)
    steps = list(rounds.plan(systems, workloads, options.modes, options.rounds))
    results = {
        "machine": machine.facts(), "rounds": options.rounds, "seconds": options.seconds,
        "warmup": options.warmup, "left_out": left_out,
        "systems": {system.name: system.version_text() for system in systems}}
    path = folder / "results.json"
    rounds.measure_all(
        steps, machine.two_cores(), options.warmup, options.seconds,
        lambda runs: rounds.write(path, {**results, "runs": runs}))
    show_comparison(json.loads(path.read_text()), folder, options.publishes)


def show_comparison(results, folder, publishes):
    document.write_comparison(results, folder, publishes)
    print(f"\n{table.ratio_table(results)}\n\n{table.goal_table(results)}\n")
    print(f"written: {folder.relative_to(machine.ROOT)}/"
          + (f" and {document.PAGE.relative_to(machine.ROOT)}" if publishes else ""))


def render(options, folder):
    """Tables and plots of earlier measurements, after a change of how they are shown."""
    found = False
    for name, show in (
            ("results.json", lambda results: show_comparison(results, folder, options.publishes)),
            ("orders.json",
             lambda results: orders.write(results, folder, options.publishes)),
            ("pace.json", lambda results: pace.write(results, folder, options.publishes)),
            ("soak.json", lambda results: soak.write(results, folder, options.publishes))):
        if (folder / name).exists():
            show(json.loads((folder / name).read_text()))
            found = True
    if not found:
        raise SystemExit(f"error: nothing was measured yet in {folder.relative_to(machine.ROOT)}")


def main():
    options = arguments()
    if options.what == "list":
        for workload in WORKLOADS:
            print(f"{workload.name:<14} {workload.text}")
        return 0
    folder = document.FOLDER if options.publishes else document.SCRATCH
    if options.what == "render":
        render(options, folder)
        return 0
    machine.enter_own_network()
    # Also in the background, and when told to end: servers must end too.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        return measure(options, folder)
    except KeyboardInterrupt:
        print("\nstopped; 'render' shows the rounds that were complete", file=sys.stderr)
        return 130


def measure(options, folder):
    machine.raise_file_limit()
    if options.what == "compare":
        compare(options, folder)
        return 0
    if options.what == "orders":
        orders.run(options, folder)
        return 0
    if options.what == "pace":
        pace.run(options, folder)
        return 0
    systems, _ = installed(all_systems(), options.systems)
    minutes = 0.5 if options.quick else options.minutes
    window = 5.0 if options.quick else options.window
    passed = soak.run(
        systems, machine.two_cores(), minutes, folder, options.publishes, window)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
