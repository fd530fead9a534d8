"""From single runs to medians, spreads and ratios. Nothing here measures."""

import dataclasses
import statistics

FIGURES = (
    "rate", "p50", "p90", "p99", "p99.9", "max", "cpu", "cpu_user", "cpu_kernel", "memory")
SATURATED = 0.9

VALID = "valid"
# The generator could not do more and the broker could: what a message costs counts, nothing else.
COST_ONLY = "cost only"
# The generator was so late that this alone could explain the latency.
VOID = "void"
FAILED = "failed"

COST_FIGURES = ("cpu", "cpu_user", "cpu_kernel", "cpu_broker", "cpu_service")

# At least so much of the rate that was asked for, and at most so late, is sustained.
RATE_SHARE_MIN = 0.99
P99_MAX_US = 10_000


def state(run):
    if "error" in run:
        return FAILED
    if run["generator_busy"] >= SATURATED and run["broker_share"] < SATURATED:
        return COST_ONLY
    return VALID if run["on_time"] else VOID


def why_not(run):
    """In words, why a run counts for nothing or for its costs alone."""
    if state(run) == FAILED:
        return f"failed: {run['error'].splitlines()[0]}"
    if state(run) == COST_ONLY:
        generator, broker = (100 * run[name] for name in ("generator_busy", "broker_share"))
        return (f"cost only: the generator had work for {generator:.0f} % of its time, and the broker "
                f"for {broker:.0f} %")
    if "p99" not in run:
        return "void: nothing arrived"
    return (f"void: the generator was late, with a p99 of {run['lateness_p99']:,.1f} µs, over a tenth "
            f"of the {run['p99']:,.1f} µs that it reports")


def usable(run, figure):
    """The run's figure if it counts, else None."""
    counts = state(run) == VALID or (state(run) == COST_ONLY and figure in COST_FIGURES)
    return run.get(figure) if counts else None


def sustains(run):
    """Whether a system has done what it was asked for, in time."""
    return (
        "error" not in run and run["lost"] == 0 and run.get("p99", P99_MAX_US) < P99_MAX_US
        and run["rate"] >= RATE_SHARE_MIN * run["asked"])


@dataclasses.dataclass(frozen=True)
class Spread:
    median: float
    least: float
    most: float
    count: int

    @staticmethod
    def of(values):
        values = [value for value in values if value is not None]
        if not values:
            return None
        return Spread(statistics.median(values), min(values), max(values), len(values))


def select(runs, **wanted):
    return [run for run in runs if all(run.get(name) == value for name, value in wanted.items())]


def spread(runs, figure):
    return Spread.of(usable(run, figure) for run in runs)


def ratio(subjects, references, figure, value=usable):
    """Each round's figure as a multiple of that round's figure of another system; `value` takes it
    from a run, or None."""
    by_round = {run["round"]: value(run, figure) for run in references}
    ratios = []
    for run in subjects:
        mine, other = value(run, figure), by_round.get(run["round"])
        if mine is not None and other:
            ratios.append(mine / other)
    return Spread.of(ratios)


def rate_at_least(subjects, references):
    """The ratio of rates, also where the generator could not take more from the first system: then
    that one's rate is at least what was seen."""
    by_round = {run["round"]: usable(run, "rate") for run in references}
    return Spread.of(
        run["rate"] / by_round[run["round"]] for run in subjects
        if state(run) in (VALID, COST_ONLY) and by_round.get(run["round"]))


def kept_up(runs):
    """1 for each round in which a system sustains the rate and 0 for the others. A run in which the
    generator was late or could not do more says nothing against the system."""
    counting = [run for run in runs if state(run) in (VALID, FAILED)]
    return Spread.of([1.0 if sustains(run) else 0.0 for run in counting])


def states(runs):
    """How many runs of each state there are, as words; nothing but the number if all are valid."""
    count = {name: 0 for name in (VALID, COST_ONLY, VOID, FAILED)}
    for run in runs:
        count[state(run)] += 1
    if count[VALID] == len(runs):
        return str(len(runs))
    return ", ".join(f"{number} {name}" for name, number in count.items() if number)
