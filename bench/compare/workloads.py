"""What is measured, and with which systems."""

import dataclasses

NATS_WIRE = ("nats",)
ANY_WIRE = ("nats", "redis", "mqtt")


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    text: str
    # Arguments of martlet-load.
    load: str
    wires: tuple = ANY_WIRE
    # Files that a process opens, beyond a few.
    files: int = 0

    @property
    def arguments(self):
        return self.load.split()


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
NAMES = tuple(workload.name for workload in WORKLOADS)
BY_NAME = {workload.name: workload for workload in WORKLOADS}

# Requests with everything that goes on beside them in a long day. In the fifth minute more connections
# have closed than either server remembers, 10,000: from then on nothing may grow.
SOAK = (
    "request --rate 50000 --pairs 8 --size 64 --churn 1000 --reconnects 40 "
    "--stopped 1 --stopped-rate 1000 --stopped-reads 500000"
)
