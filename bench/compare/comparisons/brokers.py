"""Martlet beside nats-server, Node.js, Redis and Mosquitto, as their users start them."""

from .. import document, figures, table
from ..comparison import NATS_WIRE, Comparison, Workload
from ..document import Picture
from ..systems import MARTLET, NATS, PINNED, UNPINNED, brokers

WORKLOADS = (
    Workload("request-1", "one request in flight", "request --rate 0 --size 64", NATS_WIRE),
    *(
        Workload(
            f"request-{rate}k", f"{rate},000 requests/s, 8 + 8 connections",
            f"request --rate {rate}000 --pairs 8 --size 64", NATS_WIRE)
        for rate in (10, 20, 50)
    ),
    *(
        Workload(
            f"pubsub-{rate}k", f"pub/sub, {rate},000 messages/s, 8 + 8 connections",
            f"pubsub --rate {rate}000 --pairs 8 --size 64")
        for rate in (50, 400)
    ),
    Workload("full-16", "full rate, 4 to 4, 16 B", "full --pairs 4 --size 16"),
    Workload("full-1k", "full rate, 4 to 4, 1 KB", "full --pairs 4 --size 1024"),
    Workload("full-64k", "full rate, 4 to 4, 64 KB", "full --pairs 4 --size 65536"),
    Workload(
        "fanout-50", "fan-out to 50, 1,000 messages/s", "fanout --subscribers 50 --rate 1000"),
    Workload(
        "fanout-1000", "fan-out to 1,000, 50 messages/s", "fanout --subscribers 1000 --rate 50"),
    Workload(
        "fanout-64k", "64 KB to 8, 500 messages/s",
        "fanout --subscribers 8 --size 65536 --rate 500"),
    Workload(
        "idle-10000", "100 active among 10,000 idle connections, 20,000 messages/s",
        "pubsub --rate 20000 --pairs 50 --size 64 --idle 10000", files=10_200),
    # Redis' patterns know no tokens, and each message is held against all of them.
    Workload(
        "subscriptions", "100,000 subscriptions, 3 in 10 with wildcards, 50,000 messages/s",
        "many --rate 50000 --subscriptions 100000 --pairs 8", ("nats", "mqtt")),
    Workload(
        "churn", "50,000 requests/s, others subscribe and unsubscribe 10,000 times a second",
        "request --rate 50000 --pairs 8 --size 64 --churn 10000", NATS_WIRE),
    Workload(
        "stopped", "50,000 requests/s, one subscriber of 10 MB/s has stopped reading",
        "request --rate 50000 --pairs 8 --size 64 --stopped 1", NATS_WIRE),
    Workload(
        "small-alone", "20,000 messages/s of 16 B alone",
        "mixed --rate 20000 --pairs 4 --large-every 0"),
    Workload(
        "small-mixed", "the same, 20 messages/s of 1 MB beside them (figures of the small ones)",
        "mixed --rate 20000 --pairs 4 --large-every 1000"),
)

COLUMNS = (
    table.figure("rate", "messages/s"), table.figure("p50", "p50 µs"),
    table.figure("p90", "p90 µs"), table.figure("p99", "p99 µs"),
    table.figure("p99.9", "p99.9 µs"), table.figure("max", "max µs"),
    table.figure("cpu_user", "CPU user µs"), table.figure("cpu_kernel", "CPU kernel µs"),
    table.figure("memory", "memory MiB"), table.RUNS, table.LOST, table.STOLEN)

ALL = tuple(workload.name for workload in WORKLOADS)
FULL = tuple(name for name in ALL if name.startswith("full"))
PACED = tuple(name for name in ALL if name not in FULL)
PICTURES = (
    Picture("p50.svg", "p50 by workload and system", "p50", "µs", "p50", PACED),
    Picture("p99.svg", "p99 by workload and system", "p99", "µs", "p99", PACED),
    Picture(
        "cpu.svg", "CPU per message by workload and system", "CPU per message", "µs", "cpu", ALL),
    Picture(
        "rate.svg", "Messages per second at full rate", "full rate", "messages/s", "rate", FULL),
)

EXPLANATION = """Medians over the rounds, with the least and the most. A message is one delivery, or
one request with its reply. "void" runs, in which the generator was late by more than a tenth of the
p99 it reports, count for nothing; in "cost only" runs the generator could not do more though the
server could, so only CPU per message counts. Stolen: what the machine below took from all cores,
and how long threads of the broker and of the generator could have run but had no core, summed over
the rounds. A server with several threads on one core also waits for itself."""


def section(comparison, results):
    """Goals and ratios; all figures are in a file of their own."""
    return f"""{table.about(results)}

### Goals

Ratios to nats-server: each round's, and of those the median (least..most).

{table.goal_table(comparison, results)}

### All ratios to nats-server

Below 1 is better, but for messages/s. A dash: no run counts, because the generator was late or
could not do more. Runs and stolen time are Martlet's and, after the semicolon, nats-server's.
[All figures of all systems](performance/tables.md), [every run](performance/{comparison.file}).

{table.ratio_table(comparison, results, MARTLET, NATS)}

{mixed_line(results)}

Allocations and system calls per message are counted, not timed: `Tests/AllocationTests/run` and
`bench/system-calls`, above.

{document.picture_links(comparison)}"""


def mixed_line(results):
    """What large messages do to the p99 of small ones, as a ratio to the same without them."""
    parts = []
    for system in results["systems"]:
        mixed, alone = (
            table.runs_of(results, name, PINNED, system) for name in ("small-mixed", "small-alone"))
        ratio = figures.ratio(mixed, alone, "p99")
        if ratio:
            parts.append(f"{system} {table.spread(ratio)}")
    return "p99 of small messages with 1 MB ones beside them, as a multiple of that without: " \
        + ", ".join(parts) + "." if parts else ""


def files(comparison, results):
    tables = table.for_each_workload(comparison, results, title="### {}")
    return {
        "tables.md": f"# Every figure of every system\n\n{table.about(results)}\n\n{EXPLANATION}"
                     f"\n\n{tables}",
        **document.pictures(comparison, results)}


BROKERS = Comparison(
    name="compare", text="the brokers beside one another; what is done unless something is said",
    systems=lambda: tuple(brokers().values()), workloads=WORKLOADS,
    modes=(PINNED, UNPINNED), in_every_mode=(MARTLET, NATS),
    columns=COLUMNS, section=section, files=files, pictures=PICTURES)
