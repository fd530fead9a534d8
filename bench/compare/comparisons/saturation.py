"""Fan-outs at which nats-server's core has no time left, with and without output that is gathered."""

import dataclasses

from .. import table
from ..comparison import Comparison, Workload
from ..systems import MARTLET, NATS, brokers

WORKLOADS = (
    *(
        Workload(
            f"fanout-{rate}k", f"fan-out to 50, {rate},000 messages/s",
            f"fanout --subscribers 50 --rate {rate}000")
        for rate in (4, 8, 12)
    ),
    Workload(
        "fanout-64k-1500", "64 KB to 8, 1,500 messages/s",
        "fanout --subscribers 8 --size 65536 --rate 1500"),
)
AT_ONCE = "coalesce: 0s"


def systems():
    """nats-server, Martlet as it comes, and Martlet that writes each delivery as soon as it can."""
    known = brokers()
    martlet = known[MARTLET]
    return (known[NATS], martlet, dataclasses.replace(
        martlet, name=AT_ONCE, files=(("pace.conf", f"martlet {{{{ {AT_ONCE} }}}}\n"),),
        arguments=(*martlet.arguments, "-c", "{folder}/pace.conf")))


SATURATION = Comparison(
    name="saturation", text="fan-outs that leave a core no time, beside nats-server",
    systems=systems, workloads=WORKLOADS,
    columns=(
        table.figure("p50", "p50 µs"), table.figure("p99", "p99 µs"),
        table.figure("cpu", "CPU µs a delivery"), table.RUNS),
    explanation="Broker and generator on one core each; medians over the rounds, with the least and the "
    "most. A delivery is one message to one subscriber.")
