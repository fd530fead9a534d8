"""What was measured, as Markdown. Nothing here measures."""

from compare import figures

from .loads import LOADS

HEAD = ("loops", "server", "messages/s", "cores", "µs per message", "bound by",
        "at messages/s", "p50 µs", "p99 µs", "cores", "µs per message")
EXPLANATION = """\
First as fast as it goes, with 16,384 messages under way; then both at half of what the slower of the two has
done, where latency counts from when a message was due. Messages are those received, of 16 bytes. CPU is the
server's (schedstat). nats-server has GOMAXPROCS of the number of loops; for auto both are left to choose.
Bound by *broker*: over 90 % of its cores; *one thread*: over 90 % of one core, and not of all; *load*: a process
of the load had work for over 90 % of its time, so the server could do more (≥); *waiting*: nobody was busy.
*void*: something else kept server or load from running, or the load was late by more than a tenth of the p99.
One run each."""


def bound(run):
    """What kept a run as fast as it goes from going faster."""
    if run["is_disturbed"]:
        return "void"
    if run["broker_share"] >= figures.SATURATED:
        return "broker"
    if run["generator_busy"] >= figures.SATURATED:
        return "load"
    return "one thread" if run["busiest_thread"] >= figures.SATURATED else "waiting"


def document(results):
    machine = results["machine"]
    lines = [
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB; Linux "
        f"{machine['kernel']}; {machine['date']}. martlet {results['versions']['martlet']} "
        f"(commit {machine['commit']}), nats-server {results['versions']['nats-server']}; "
        f"congestion control {machine['congestion']}; {results['took_seconds']:.0f} s.", "",
        *EXPLANATION.splitlines(), "", "Cores:", ""]
    lines += [f"- {case['text']}: {case['cores']}" for case in results["cases"]]
    for load in LOADS:
        rows = section(results, load)
        if rows:
            lines += ["", f"**{load.text[0].upper()}{load.text[1:]}**", "", *rows]
    lines += notes("Failed", failures(results["runs"]))
    lines += notes("Messages that had not come two seconds after the end", losses(results["runs"]))
    lines += notes("Left out", results["left_out"])
    return "\n".join(lines) + "\n"


def section(results, load):
    """The table of one load; nothing if none of it was measured."""
    rows = []
    for case in results["cases"]:
        for server in results["versions"]:
            found = figures.select(
                results["runs"], load=load.name, loops=case["loops"], server=server)
            if found:
                rows.append(row(case, server, found))
    return [line(HEAD), line(["---"] * 2 + ["---:"] * (len(HEAD) - 2)), *rows] if rows else []


def row(case, server, runs):
    most = next((run for run in runs if run["asked"] is None), None)
    half = next((run for run in runs if run["asked"] is not None), None)
    return line([str(case["loops"]), server, *as_fast_as_it_goes(most), *at_half(half)])


def as_fast_as_it_goes(run):
    if run is None or "error" in run:
        return ["failed" if run else "", "", "", ""]
    least = "≥ " if bound(run) == "load" else ""
    return [f"{least}{run['rate']:,.0f}", *cost(run), bound(run)]


def at_half(run):
    if run is None or "error" in run:
        return ["failed" if run else "", "", "", "", ""]
    latency = [f"{run['p50']:,.0f}", f"{run['p99']:,.0f}"] if counts(run) else ["void", "void"]
    return [f"{run['rate']:,.0f}", *latency, *cost(run)]


def cost(run):
    return [f"{run['cores']:.2f}", f"{run['cpu']:.3f}" if "cpu" in run else ""]


def failures(runs):
    return [f"{about(run)}: {run['error']}" for run in runs if "error" in run]


def losses(runs):
    """Not of void runs: a load that is late may end before it has read what came."""
    return [f"{about(run)}: {run['lost']:,}" for run in runs if run.get("lost") and counts(run)]


def counts(run):
    return run["on_time"] and not run["is_disturbed"]


def about(run):
    step = "as fast as it goes" if run["asked"] is None else "at half of the rate"
    return f"{run['server']}, loops {run['loops']}, {run['load']}, {step}"


def notes(title, texts):
    return ["", f"{title}:", "", *(f"- {text}" for text in texts)] if texts else []


def line(cells):
    return f"| {' | '.join(cells)} |"
