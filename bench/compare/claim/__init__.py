"""`dev/bench claim`: what the project promises, measured here in about a minute. It publishes nothing."""

import argparse

from .. import machine, rounds
from ..systems import MARTLET, NATS, PINNED, brokers, installed
from . import counting, promises, report
from .workload import WORKLOAD

PEERS = (NATS, "node")
ROUNDS, WARMUP_SECONDS = 5, 0.7
# What the rounds of all systems take together, warm-ups included; with what is counted, and with the
# starts of the brokers, a minute.
SECONDS = 42.0
SECONDS_EACH_MIN = 0.3


def arguments(words):
    parser = argparse.ArgumentParser(
        prog="dev/bench claim",
        description="What README.md and docs/PERFORMANCE.md promise, measured on this machine.",
        epilog="The exit status is 1 where something could not be measured, and not because this "
               "machine is slow.")
    parser.add_argument(
        "--beside", nargs="+", default=[], choices=PEERS, help="other brokers, in turns with it")
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help="of all rounds together (%(default)g)")
    return parser.parse_args(words)


def seconds_each(seconds, system_count):
    """What counts of each run, so that more systems take no longer."""
    return max(SECONDS_EACH_MIN, seconds / (ROUNDS * system_count) - WARMUP_SECONDS)


def run(options):
    known = [system for system in brokers().values() if system.name in (MARTLET, *options.beside)]
    systems, left_out = installed(known, None)
    if systems[:1] != known[:1]:
        raise SystemExit(f"error: no {known[0].program}; {known[0].install}")
    cores = machine.two_cores()
    timing = argparse.Namespace(
        warmup=WARMUP_SECONDS, quick=False,
        seconds=seconds_each(options.seconds, len(systems)))
    steps = [
        (number, WORKLOAD, PINNED, system)
        for number in range(ROUNDS) for system in rounds.in_turn(systems, number)]
    runs = rounds.measure_all(steps, cores, timing, lambda _: None)
    counts = counting.count(known[0], cores)
    findings = promises.findings(runs, counts, options.beside, left_out)
    print("\n" + report.text(
        machine.facts(), timing.seconds, [system.name for system in systems], runs, findings))
    return promises.exit_status(findings)
