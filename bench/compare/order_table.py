"""Orders as Markdown and plots."""

from . import figures, order_goals, plot
from .order_goals import MAXIMUM, SUSTAINED
from .order_run import P99_MAX_US, sustains
from .order_systems import ECHO, NODE, RULES
from .table import about, number, spread

COLUMNS = (
    ("rate", "requests/s"), ("cpu_user", "user µs"), ("cpu_kernel", "kernel µs"),
    ("cpu", "CPU µs"), ("cpu_broker", "of it broker"), ("cpu_service", "of it service"),
    ("p50", "p50 µs"), ("p99", "p99 µs"), ("p99.9", "p99.9 µs"), ("max", "max µs"))
# What counts also of a run in which the generator could not do more.
COSTS = ("cpu_user", "cpu_kernel", "cpu", "cpu_broker", "cpu_service")
NAMES = {"cpu": "CPU per request", "cpu_user": "user CPU per request", SUSTAINED: "sustained"}


def title(workload):
    if workload == MAXIMUM:
        return f"each one's highest rate with p99 < {P99_MAX_US // 1000} ms and nothing lost"
    return f"{float(workload.removeprefix('orders-').removesuffix('k')) * 1000:,.0f} requests/s"


def goal_table(results):
    lines = [
        "| load | figure | beside | goal | martlet rules | C echo | rounds that count | |",
        "|---|---|---|---|---|---|---|---|"]
    for goal in order_goals.load():
        value = order_goals.outcome(goal, results["runs"])
        shown = spread(value)
        if goal.figure == SUSTAINED and value:
            shown = f"{kept(results, goal.workload, RULES)}; {goal.beside} " \
                f"{kept(results, goal.workload, goal.beside)}"
        lines.append(
            f"| {title(goal.workload)} | {NAMES.get(goal.figure, goal.figure)} | {goal.beside} "
            f"| {'all rounds' if goal.figure == SUSTAINED else goal.text} | {shown} "
            f"| {floor(goal, results)} "
            f"| {value.count if value else 0} of {results['rounds']} | {goal.verdict(value)} |")
    return "\n".join(lines)


def floor(goal, results):
    """The same of a server that looks at nothing."""
    if goal.figure == SUSTAINED:
        return kept(results, goal.workload, ECHO)
    return spread(order_goals.outcome(goal, results["runs"], ECHO))


def kept(results, workload, system):
    """In how many rounds a system sustains a rate, in words."""
    runs = figures.select(results["runs"], workload=workload, system=system)
    return f"in {sum(map(sustains, runs))} of {len(runs)}" if runs else "–"


def busy_line(results):
    """What Martlet takes where Node.js has filled its core."""
    rate, share = order_goals.busy_core(results["runs"], NODE)
    if rate is None:
        return "Node.js did not pass 90 % of its core at any rate."
    start = f"At {number(rate)} requests/s Node.js passes 90 % of its core; there Martlet uses "
    if share is None:
        return start + "what was not measured."
    return f"{start}**{share * 100:.0f} %** (both between the rates measured)."


def tables(results):
    parts = []
    for workload in dict.fromkeys(run["workload"] for run in results["runs"]):
        parts.append(f"**{title(workload)[0].upper()}{title(workload)[1:]}**\n\n"
                     f"{rate_table(results, workload)}\n")
    return "\n".join(parts)


def rate_table(results, workload):
    heads = " | ".join(head for _, head in COLUMNS)
    lines = [
        f"| system | {heads} | allocations | lost | runs |",
        "|---|" + "---|" * (len(COLUMNS) + 3)]
    for system in results["systems"]:
        runs = figures.select(results["runs"], workload=workload, system=system)
        if not runs:
            continue
        cells = [cell(runs, name) for name, _ in COLUMNS]
        good = [run for run in runs if "error" not in run]
        allocations = [run["allocations"] for run in good if "allocations" in run]
        cells.append(f"{max(allocations):,}" if allocations else "–")
        cells.append(f"{sum(run['lost'] for run in good):,}")
        lines.append(f"| {system} | {' | '.join(cells)} | {figures.states(runs)} |")
    return "\n".join(lines)


def cell(runs, figure):
    """A median with its spread. A highest rate that the generator limited is at least that."""
    value = figures.spread(runs, figure)
    if figure in COSTS:
        value = figures.Spread.of(
            run[figure] for run in runs
            if figures.state(run) in (figures.VALID, figures.COST_ONLY))
        if value and not value.most:
            return "–"
    bounded = figure == "rate" and any(run.get("limited_by") == "generator" for run in runs)
    if bounded and value is None:
        value = figures.Spread.of(run.get("rate") for run in runs)
    return ("≥ " if bounded and value else "") + spread(value)


EXPLANATION = f"""A request carries one order of 349 bytes; the reply is 91 bytes of JSON with three
of its fields, and any other reply fails the run. Eight connections send requests when they are due,
whether or not replies have come. Broker and service share one core, the generator has the other one.
CPU is user and kernel time of broker and service per request; "user" and "kernel" are in the
proportion of the kernel's ticks. "martlet plain" has no rules: the generator answers, so that two
more messages pass the broker. "C echo" looks at nothing and is what two packets cost: its column
in the table of goals is about the least that a ratio can be at that rate.
A rate is sustained if 99 % of it arrives with p99 < {P99_MAX_US // 1000} ms and nothing lost; at most
5 % lie between the highest rate and one that is not sustained. "≥": there the generator could not do
more. Allocations are the most that /varz counted in a run. "Void" and "cost only" as above."""


def section(results):
    return f"""{about(results)}

{EXPLANATION}

{goal_table(results)}

{busy_line(results)}

{tables(results)}
[Every run](performance/orders.json)

![CPU per request by rate and system](performance/orders-cpu.svg)
![p99 by rate and system](performance/orders-p99.svg)
![Highest rate of each system](performance/orders-maximum.svg)"""


def plots(results):
    workloads = list(dict.fromkeys(run["workload"] for run in results["runs"]))

    def groups(figure, names):
        return [
            (name.removeprefix("orders-"), {
                system: median(results, name, system, figure) for system in results["systems"]})
            for name in names]
    paced = [name for name in workloads if name != MAXIMUM]
    return {
        "orders-cpu.svg": plot.bars(
            "CPU per request", "µs, logarithmic", groups("cpu", workloads), logarithmic=True),
        "orders-p99.svg": plot.bars(
            "p99", "µs, logarithmic", groups("p99", paced), logarithmic=True),
        "orders-maximum.svg": plot.bars(
            "highest rate with p99 < 10 ms", "requests/s, logarithmic",
            groups("rate", [name for name in workloads if name == MAXIMUM]), logarithmic=True),
    }


def median(results, workload, system, figure):
    runs = figures.select(results["runs"], workload=workload, system=system)
    value = figures.Spread.of(
        run.get(figure) for run in runs if workload == MAXIMUM or "error" not in run
        and figures.usable(run, figure) is not None)
    return value.median if value else None
