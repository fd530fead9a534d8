"""The load that the claim is about: the row of 50,000 requests a second of the published tables."""

import dataclasses

from ..comparisons.brokers import WORKLOADS

RATE = 50_000
WORKLOAD = dataclasses.replace(
    next(workload for workload in WORKLOADS if workload.name == "request-50k"), rate=RATE)
