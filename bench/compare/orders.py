"""Orders that are checked and answered: Martlet's rules beside what people use today."""

import time

from . import document, figures, machine, order_run, order_systems, order_table, rounds, search
from .order_goals import MAXIMUM
from .systems import PINNED, installed

RATES = (5_000, 10_000, 20_000, 50_000)
# In the quick form, where only the way counts.
QUICK_RATES = (1_000, 5_000)
QUICK_MOST = 8_000


class Maximum:
    """Looks for each system's highest rate, in later rounds from where an earlier one found it."""

    FIRST_RATE = 10_000
    # A try must see enough of what a collection of garbage does.
    SECONDS_MIN = 1.0
    # A try in which the generator was late is made again, at most so often.
    TRIES_MOST = 3

    def __init__(self, run, most):
        self.run = run
        self.most = most
        self.found = {}

    def look(self, system):
        """The run at the highest rate that works, or the lowest that was tried."""
        tries = {}

        def works(rate):
            for _ in range(self.TRIES_MOST):
                tries[rate] = self.run(system, round(rate))
                if figures.state(tries[rate]) != figures.VOID:
                    break
            return order_run.sustains(tries[rate])
        known = self.found.get(system.name)
        rate = search.highest(
            works, known or self.FIRST_RATE, factor=1.15 if known else 2.0, most=self.most)
        if rate is None:
            return {**tries[min(tries)], "workload": MAXIMUM, "error": "no rate is sustained"}
        self.found[system.name] = rate
        limited = rate >= self.most or any(
            generator_limits(run) for tried, run in tries.items() if tried > rate)
        return {**tries[rate], "workload": MAXIMUM, "tries": len(tries),
                **({"limited_by": "generator"} if limited else {})}


def generator_limits(run):
    return "error" not in run and figures.state(run) != figures.VALID


def measure_all(systems, rates, options, cores, save, mode=PINNED, most=1_000_000):
    """The figures of all runs; `save` is called with them after each round."""
    runs = []
    began = time.monotonic()

    def once(system, rate, seconds=options.seconds):
        return order_run.run(system, rate, mode, cores, options.warmup, seconds)
    seconds = options.seconds if options.quick else max(
        Maximum.SECONDS_MIN, options.seconds / 2)
    maximum = Maximum(lambda system, rate: once(system, rate, seconds), most)
    for round_number in range(options.rounds):
        turn = round_number % len(systems)
        for rate in (*rates, None):
            for system in (*systems[turn:], *systems[:turn]):
                run = maximum.look(system) if rate is None else once(system, rate)
                runs.append({**run, "round": round_number})
                print(f"[{round_number + 1}/{options.rounds}] {line(runs[-1])}", flush=True)
        save(runs)
        left = (time.monotonic() - began) / (round_number + 1) * (options.rounds - round_number - 1)
        print(rounds.minutes(left), flush=True)
    return runs


def line(run):
    text = rounds.line({**run, "system": f"{run['system']:<13}"})
    return text if order_run.sustains(run) or "error" in run else f"{text}  not sustained"


def run(options, folder):
    order_systems.prepare()
    systems, left_out = installed(order_systems.order_systems(), options.systems)
    rates = QUICK_RATES if options.quick else RATES
    most = QUICK_MOST if options.quick else 1_000_000
    results = {
        "machine": machine.facts(), "rounds": options.rounds, "seconds": options.seconds,
        "warmup": options.warmup, "left_out": left_out,
        "systems": {system.name: system.version_text() for system in systems}}
    path = folder / "orders.json"
    runs = measure_all(
        systems, rates, options, machine.two_cores(),
        lambda runs: rounds.write(path, {**results, "runs": runs}), most=most)
    write({**results, "runs": runs}, folder, options.publishes)


def write(results, folder, publishes):
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in order_table.plots(results).items():
        (folder / name).write_text(picture)
    text = order_table.section(results)
    document.write_section("orders", text, folder, publishes)
    print(f"\n{order_table.goal_table(results)}\n\n{order_table.busy_line(results)}\n")
    print(f"written: {folder.relative_to(machine.ROOT)}/"
          + (f" and {document.PAGE.relative_to(machine.ROOT)}" if publishes else ""))
