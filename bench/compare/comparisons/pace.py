"""What the settings `spin` and `coalesce` gain and cost, beside the defaults and nats-server."""

import dataclasses

from .. import table
from ..comparison import Comparison
from ..systems import MARTLET, NATS, brokers
from .brokers import WORKLOADS

NAMES = ("request-1", "request-20k", "request-50k", "pubsub-50k", "fanout-50")
SETTINGS = ("spin: 50us", "coalesce: 50us", "coalesce: 200us")


def systems():
    """nats-server, Martlet as it comes, and Martlet with each of the settings."""
    known = brokers()
    martlet = known[MARTLET]
    return (known[NATS], martlet, *(
        dataclasses.replace(
            martlet, name=setting, files=(("pace.conf", f"martlet {{{{ {setting} }}}}\n"),),
            arguments=(*martlet.arguments, "-c", "{folder}/pace.conf"))
        for setting in SETTINGS))


PACE = Comparison(
    name="pace", text="what the settings spin and coalesce gain and cost", systems=systems,
    workloads=tuple(workload for workload in WORKLOADS if workload.name in NAMES),
    columns=(
        table.figure("p50", "p50 µs"), table.figure("p99", "p99 µs"),
        table.of_every_run("cpu", "CPU µs per message")),
    explanation="Broker and generator on one core each; medians with their range.",
    tables=table.in_one)
