"""What a second event loop gains and costs, where the load shares the cores with the broker."""

import dataclasses

from .. import table
from ..comparison import NATS_WIRE, Comparison, Workload
from ..systems import MARTLET, UNPINNED, brokers

WORKLOADS = (
    Workload("request-1", "one request in flight", "request --rate 0", NATS_WIRE),
    Workload(
        "request-20k", "20,000 requests/s, 8 pairs", "request --rate 20000 --pairs 8", NATS_WIRE),
    Workload("pubsub-50k", "50,000 messages/s", "pubsub --rate 50000"),
    Workload("fanout-500", "fan-out to 50, 500 messages/s", "fanout --rate 500"),
)


def systems():
    martlet = brokers()[MARTLET]
    return tuple(
        dataclasses.replace(
            martlet, name=f"martlet --loops {count}", pinned_arguments=(),
            arguments=(*martlet.arguments, "--loops", str(count)))
        for count in (1, 2))


LOOPS = Comparison(
    name="loops", text="one event loop beside two", systems=systems, workloads=WORKLOADS,
    modes=(UNPINNED,),
    columns=(
        table.figure("p50", "p50 µs"), table.figure("p99", "p99 µs"),
        table.of_every_run("cpu", "CPU µs per message"), table.RUNS),
    explanation="Generator and broker share the cores; medians with their range.",
    tables=table.in_one)
