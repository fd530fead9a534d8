"""Results as Markdown."""

import dataclasses
from collections.abc import Callable

from . import figures, goals
from .systems import PINNED, UNPINNED

MODES = {
    PINNED: "Broker and generator on one core each",
    UNPINNED: "Broker and generator wherever the kernel puts them",
}
NAMES = {
    "cpu": "CPU per {unit}", "cpu_user": "user CPU per {unit}", "memory": "resident memory",
    "rate": "{unit}s/s"}


@dataclasses.dataclass(frozen=True)
class Column:
    title: str
    # From what a row is of to what stands in it: the runs of one system under one load, or a goal.
    cell: Callable


def figure(name, title):
    return Column(title, lambda runs: cell(runs, name))


def total(runs, name):
    return sum(run[name] for run in runs if "error" not in run)


def most(runs, name):
    values = [run[name] for run in runs if "error" not in run and name in run]
    return f"{max(values):,}" if values else "–"


RUNS = Column("runs", figures.states)
LOST = Column("lost", lambda runs: f"{total(runs, 'lost'):,}")
ALLOCATIONS = Column("allocations", lambda runs: most(runs, "allocations"))
STOLEN = Column("stolen ms: steal, broker, generator", lambda runs: ", ".join(
    number(total(runs, name)) for name in ("steal_ms", "broker_delay_ms", "generator_delay_ms")))


def number(value):
    """Three digits that say something."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def spread(value):
    if value is None:
        return "–"
    median, least, most = (number(part) for part in (value.median, value.least, value.most))
    return median if least == most else f"{median} ({least}..{most})"


def cell(runs, name):
    """A median with its spread. A highest rate that the generator limited is at least that."""
    value = figures.spread(runs, name)
    if name in figures.COST_FIGURES and value and not value.most:
        return "–"
    bounded = name == "rate" and any(run.get("limited_by") == "generator" for run in runs)
    if bounded and value is None:
        value = figures.Spread.of(run.get("rate") for run in runs)
    return ("≥ " if bounded and value else "") + spread(value)


def markdown(heads, rows):
    lines = [
        "|" + "".join(f" {head} |" if head else " |" for head in heads),
        "|" + "---|" * len(heads)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def machine(facts):
    cores = "one core" if facts["cores"] == 1 else f"{facts['cores']} cores"
    return (
        f"{facts['processor']}, {cores}, {facts['memory_gib']} GiB; Linux {facts['kernel']}; "
        f"{facts['compiler']}; commit {facts['commit']}; {facts['date']}.")


def left_out(results):
    return "".join(f" Left out: {text}." for text in results.get("left_out", []))


def about(results):
    return (
        f"{machine(results['machine'])} {'; '.join(results['systems'].values())}. "
        f"{results['rounds']} rounds of {results['seconds']:g} s after a warm-up of "
        f"{results['warmup']:g} s, systems in turns, congestion control "
        f"{results['machine']['congestion']}.{left_out(results)}")


def figure_name(comparison, name):
    return NAMES.get(name, name).format(unit=comparison.unit)


def loads(results):
    """Workloads and modes, in the order of their runs."""
    return list(dict.fromkeys((run["workload"], run["mode"]) for run in results["runs"]))


def runs_of(results, workload, mode, system):
    return figures.select(results["runs"], workload=workload, mode=mode, system=system)


def for_each_workload(comparison, results, title="**{}**"):
    """A table of all systems for each load."""
    parts = []
    for mode, mode_title in MODES.items():
        names = [name for name, its_mode in loads(results) if its_mode == mode]
        if names and len(comparison.modes) > 1:
            parts.append(f"## {mode_title}\n")
        for name in names:
            text = comparison.workload_text(name)
            parts.append(
                f"{title.format(text[0].upper() + text[1:])}\n\n"
                f"{systems_table(comparison, results, name, mode)}\n")
    return "\n".join(parts)


def systems_table(comparison, results, workload, mode):
    rows = []
    for system in results["systems"]:
        runs = runs_of(results, workload, mode, system)
        if runs:
            rows.append([system, *(column.cell(runs) for column in comparison.columns)])
    return markdown(["system", *(column.title for column in comparison.columns)], rows)


def ratios_to(reference):
    """A layout: one table of all loads, with the p50, p99 and CPU of each system as multiples of one
    system's in the same round. So a load that another comparison measures has its absolute figures
    there alone."""
    def layout(comparison, results):
        names = [system.name for system in comparison.systems() if system.name != reference]
        rows = []
        for workload, mode in loads(results):
            text, theirs = (
                comparison.workload_text(workload), runs_of(results, workload, mode, reference))
            for name in names:
                mine = runs_of(results, workload, mode, name)
                if mine and theirs:
                    # A late generator takes nothing from what a message costs.
                    cpu = figures.ratio(mine, theirs, "cpu", dict.get)
                    rows.append([
                        text, name, *(spread(figures.ratio(mine, theirs, figure))
                                      for figure in ("p50", "p99")), spread(cpu)])
                    text = ""
        return markdown(
            ["workload", "", "p50", "p99", figure_name(comparison, "cpu")], rows)
    return layout


def goal_table(comparison, results):
    """The goals beside what was measured; a column that would say the same in each row is left
    out."""
    wanted = goals.load().get(comparison.name, [])
    others = list(dict.fromkeys(goal.beside for goal in wanted))
    measured = f"ratio to {others[0]}" if len(others) == 1 else wanted[0].system
    columns = [
        Column("workload", lambda goal: comparison.workload_text(goal.workload)),
        *([Column("mode", lambda goal: goal.mode)] if len(comparison.modes) > 1 else []),
        Column("figure", lambda goal: figure_name(comparison, goal.figure)),
        *([Column("beside", lambda goal: goal.beside)] if len(others) > 1 else []),
        Column("goal", lambda goal: goal.text),
        Column(measured, lambda goal: outcome(goal, results)),
        *([Column(comparison.floor, lambda goal: outcome(goal, results, comparison.floor))]
          if comparison.floor else []),
        Column("rounds that count", lambda goal: counted(goal, results)),
        Column("", lambda goal: goal.verdict(goal.outcome(results["runs"]))),
    ]
    return markdown(
        [column.title for column in columns],
        [[column.cell(goal) for column in columns] for goal in wanted])


def outcome(goal, results, floor=None):
    if goal.figure != goals.SUSTAINED:
        return spread(goal.outcome(results["runs"], floor))
    own = kept_up(goal, results, floor or goal.system)
    if floor or goal.outcome(results["runs"]) is None:
        return own
    return f"{own}; {goal.beside} {kept_up(goal, results, goal.beside)}"


def kept_up(goal, results, system):
    """In how many rounds a system keeps a rate up, in words."""
    runs = goal.runs(results["runs"], system)
    return f"in {sum(map(figures.sustains, runs))} of {len(runs)}" if runs else "–"


def counted(goal, results):
    value = goal.outcome(results["runs"])
    return f"{value.count if value else 0} of {results['rounds']}"


def ratio_table(comparison, results, system, beside):
    """Every load as ratios of one system to another; below 1 is better but for messages/s."""
    shown = ("rate", "p50", "p99", "cpu", "memory")
    rows = []
    for workload, mode in loads(results):
        both = [runs_of(results, workload, mode, name) for name in (system, beside)]
        if all(both):
            rows.append([
                comparison.workload_text(workload), mode,
                *(spread(figures.ratio(*both, name)) for name in shown),
                "; ".join(figures.states(runs) for runs in both), stolen(both)])
    names = [figure_name(comparison, name) for name in shown]
    return markdown(["workload", "mode", *names, "runs", "stolen ms a run"], rows)


def stolen(both):
    """Steal of the machine below with the delay of the generator's thread, a run of each system.
    Unpinned the generator also waits for the broker, so that only steal says something."""
    keys = ("steal_ms", "generator_delay_ms")
    parts = []
    for runs in both:
        sums = [
            sum(run[key] for key in keys if run["mode"] == PINNED or key == "steal_ms")
            for run in runs if "error" not in run]
        parts.append(spread(figures.Spread.of(sums)))
    return "; ".join(parts)
