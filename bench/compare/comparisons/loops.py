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


def name_of(loop_count):
    return f"martlet --loops {loop_count}"


def systems():
    martlet = brokers()[MARTLET]
    return tuple(
        dataclasses.replace(
            martlet, name=name_of(count), pinned_arguments=(),
            arguments=(*martlet.arguments, "--loops", str(count)))
        for count in (1, 2))


LOOPS = Comparison(
    name="loops", text="one event loop beside two", systems=systems, workloads=WORKLOADS,
    modes=(UNPINNED,),
    explanation="Generator and broker share the cores; multiples of what one loop takes in the same "
    "round, medians with their range.",
    tables=table.ratios_to(name_of(1)))
