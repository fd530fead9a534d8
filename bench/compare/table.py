"""Results as Markdown."""

from . import figures, goals
from .systems import MARTLET, NATS, PINNED, UNPINNED
from .workloads import BY_NAME

MODES = {
    PINNED: "Broker and generator on one core each",
    UNPINNED: "Broker and generator wherever the kernel puts them",
}
COLUMNS = (
    ("rate", "messages/s"), ("p50", "p50 µs"), ("p90", "p90 µs"), ("p99", "p99 µs"),
    ("p99.9", "p99.9 µs"), ("max", "max µs"), ("cpu_user", "CPU user µs"),
    ("cpu_kernel", "CPU kernel µs"), ("memory", "memory MiB"))
NAMES = {"cpu": "CPU per message", "memory": "resident memory", "rate": "messages/s"}


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


def about(results):
    facts = results["machine"]
    systems = "; ".join(results["systems"].values())
    left_out = "".join(f" Left out: {text}." for text in results["left_out"])
    return (
        f"{facts['processor']}, {facts['cores']} cores, {facts['memory_gib']} GiB; Linux "
        f"{facts['kernel']}; {facts['compiler']}; commit {facts['commit']}; {facts['date']}. "
        f"{systems}. {results['rounds']} rounds of {results['seconds']:g} s after a warm-up of "
        f"{results['warmup']:g} s, systems in turns, congestion control {facts['congestion']}."
        f"{left_out}")


def goal_table(results):
    """The goals beside what was measured; medians of the rounds' ratios to nats-server."""
    lines = [
        "| workload | mode | figure | goal | ratio to nats-server | rounds that count | |",
        "|---|---|---|---|---|---|---|"]
    for goal in goals.load():
        ratio = goals.ratio(goal, results["runs"])
        lines.append(
            f"| {BY_NAME[goal.workload].text} | {goal.mode} | {NAMES.get(goal.figure, goal.figure)} "
            f"| {goal.text} | {spread(ratio)} | {ratio.count if ratio else 0} "
            f"of {results['rounds']} | {goal.verdict(ratio)} |")
    return "\n".join(lines)


def ratio_table(results):
    """Every workload in both modes as ratios; below 1 is better but for messages/s."""
    shown = ("rate", "p50", "p99", "cpu", "memory")
    heads = " | ".join(NAMES.get(name, name) for name in shown)
    lines = [
        f"| workload | mode | {heads} | runs | stolen ms a run |",
        "|---|---|" + "---|" * (len(shown) + 2)]
    for name, mode in pairs(results):
        both = [
            figures.select(results["runs"], workload=name, mode=mode, system=system)
            for system in (MARTLET, NATS)]
        if all(both):
            ratios = " | ".join(spread(figures.ratio(*both, figure)) for figure in shown)
            runs = "; ".join(figures.states(runs) for runs in both)
            lines.append(
                f"| {BY_NAME[name].text} | {mode} | {ratios} | {runs} | {stolen(both)} |")
    return "\n".join(lines)


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


def pairs(results):
    """Workloads and modes, in the order of their runs."""
    return list(dict.fromkeys((run["workload"], run["mode"]) for run in results["runs"]))


def mixed_line(results):
    """What large messages do to the p99 of small ones, as a ratio to the same without them."""
    parts = []
    for system in results["systems"]:
        mixed, alone = (
            figures.select(results["runs"], workload=name, mode=PINNED, system=system)
            for name in ("small-mixed", "small-alone"))
        ratio = figures.ratio(mixed, alone, "p99")
        if ratio:
            parts.append(f"{system} {spread(ratio)}")
    return "p99 of small messages with 1 MB ones beside them, as a multiple of that without: " \
        + ", ".join(parts) + "." if parts else ""


def full_tables(results):
    """Every figure of every system."""
    parts = []
    for mode, title in MODES.items():
        names = [name for name, its_mode in pairs(results) if its_mode == mode]
        if names:
            parts.append(f"## {title}\n")
        for name in names:
            parts.append(f"### {BY_NAME[name].text}\n\n{workload_table(results, name, mode)}\n")
    return "\n".join(parts)


def workload_table(results, name, mode):
    heads = " | ".join(title for _, title in COLUMNS)
    lines = [
        f"| system | {heads} | runs | lost | stolen ms: steal, broker, generator |",
        "|---|" + "---|" * (len(COLUMNS) + 3)]
    for system in results["systems"]:
        runs = figures.select(results["runs"], workload=name, mode=mode, system=system)
        if not runs:
            continue
        cells = [spread(figures.spread(runs, figure)) for figure, _ in COLUMNS]
        good = [run for run in runs if "error" not in run]
        stolen = ", ".join(
            number(sum(run[key] for run in good))
            for key in ("steal_ms", "broker_delay_ms", "generator_delay_ms"))
        lost = sum(run["lost"] for run in good)
        lines.append(
            f"| {system} | {' | '.join(cells)} | {figures.states(runs)} | {lost:,} | {stolen} |")
    return "\n".join(lines)
