"""The command line of dev/bench."""

import argparse
import json
import signal
import sys

from . import claim, document, machine, readme
from .comparisons import COMPARISONS
from .systems import PINNED, UNPINNED

# What is published takes at least so long.
MINUTES = 30.0


def arguments(words=None):
    parser = argparse.ArgumentParser(
        prog="dev/bench", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="\n".join(
            f"{name:<8} {comparison.text}" for name, comparison in COMPARISONS.items())
        + "\nclaim    what is promised, measured here in a minute; 'claim --help' has its options"
          "\nlist     names the workloads of each"
          "\nrender   writes what was measured again, after a change of how it is shown")
    parser.add_argument(
        "what", nargs="?", default="compare", choices=(*COMPARISONS, "render", "list"))
    parser.add_argument("--quick", action="store_true", help="one short round; publishes nothing")
    parser.add_argument("--rounds", type=int, help="of all systems in turn")
    parser.add_argument("--seconds", type=float, default=3.0, help="that count, of each run")
    parser.add_argument("--warmup", type=float, default=1.0, help="seconds before they do")
    parser.add_argument("--only", nargs="+", metavar="WORKLOAD")
    parser.add_argument("--systems", nargs="+", metavar="SYSTEM")
    parser.add_argument("--modes", nargs="+", choices=(PINNED, UNPINNED))
    parser.add_argument("--minutes", type=float, default=MINUTES, help="of each system's soak")
    parser.add_argument("--window", type=float, default=10.0, help="seconds of a soak's windows")
    parser.add_argument("--scratch", action="store_true", help="publish nothing in docs")
    options = parser.parse_args(words)
    # What is not the whole of it must not stand for the whole.
    options.publishes = not (
        options.quick or options.scratch or options.systems or options.only or options.modes
        or options.minutes < MINUTES)
    if options.what in COMPARISONS:
        choose(parser, options, COMPARISONS[options.what])
    if options.quick:
        options.rounds, options.seconds, options.warmup = 1, 0.5, 0.2
        options.minutes, options.window = 0.5, 5.0
    return options


def choose(parser, options, comparison):
    """Rounds and modes as they are measured; an error where there is no such workload or mode."""
    if options.rounds is None:
        options.rounds = comparison.rounds_min
    options.publishes &= options.rounds >= comparison.rounds_min
    names = list(dict.fromkeys(workload.name for workload in comparison.all_workloads()))
    unknown = [
        *(set(options.only or ()) - set(names)),
        *(set(options.modes or ()) - set(comparison.modes))]
    if unknown:
        parser.error(
            f"'{comparison.name}' has no {', '.join(unknown)}; its workloads are "
            f"{', '.join(names)}, and its modes {', '.join(comparison.modes)}")
    usual = comparison.modes[:1] if options.quick else comparison.modes
    options.modes = [mode for mode in comparison.modes if mode in (options.modes or usual)]


def render(options, folder):
    """Tables and plots of earlier measurements, after a change of how they are shown."""
    found = [
        comparison for comparison in COMPARISONS.values() if (folder / comparison.file).exists()]
    if not found:
        raise SystemExit(f"error: nothing was measured yet in {folder.relative_to(machine.ROOT)}")
    for comparison in found:
        show(comparison, folder, options.publishes)


def show(comparison, folder, publishes):
    """Always from the file, so that the same can be made of it again."""
    results = json.loads((folder / comparison.file).read_text())
    document.write(comparison, results, folder, publishes)
    if publishes:
        readme.publish()
    return comparison.passed(results)


def print_workloads():
    for name, comparison in COMPARISONS.items():
        print(f"{name}: {comparison.text}")
        for workload in comparison.workloads:
            print(f"    {workload.name:<14} {workload.text}")


def set_up():
    """What a measurement needs of this process."""
    machine.enter_own_network()
    machine.raise_file_limit()
    # Also in the background, and when told to end: servers must end too.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def run_claim(words):
    options = claim.arguments(words)
    set_up()
    try:
        return claim.run(options)
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130


def main():
    if sys.argv[1:2] == ["claim"]:
        return run_claim(sys.argv[2:])
    options = arguments()
    folder = document.FOLDER if options.publishes else document.SCRATCH
    if options.what == "list":
        print_workloads()
        return 0
    if options.what == "render":
        render(options, folder)
        return 0
    set_up()
    comparison = COMPARISONS[options.what]
    try:
        comparison.measure(comparison, options, folder / comparison.file)
        return 0 if show(comparison, folder, options.publishes) else 1
    except KeyboardInterrupt:
        print("\nstopped; 'render' shows the rounds that were complete", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
