"""What the settings `spin` and `coalesce` gain and cost, beside Martlet as it comes."""

import dataclasses

from .. import table
from ..comparison import Comparison
from ..systems import MARTLET, brokers
from .brokers import WORKLOADS

NAMES = ("request-1", "request-20k", "request-50k", "pubsub-50k", "fanout-50")
SETTINGS = ("spin: 50us", "coalesce: 50us", "coalesce: 200us")


def systems():
    """Martlet as it comes, and with each of the settings."""
    martlet = brokers()[MARTLET]
    return (martlet, *(
        dataclasses.replace(
            martlet, name=setting, files=(("pace.conf", f"martlet {{{{ {setting} }}}}\n"),),
            arguments=(*martlet.arguments, "-c", "{folder}/pace.conf"))
        for setting in SETTINGS))


PACE = Comparison(
    name="pace", text="what the settings spin and coalesce gain and cost", systems=systems,
    workloads=tuple(workload for workload in WORKLOADS if workload.name in NAMES),
    explanation="Broker and generator on one core each; multiples of what Martlet takes without the "
    "setting in the same round, medians with their range. What it takes is above.",
    tables=table.ratios_to(MARTLET))
