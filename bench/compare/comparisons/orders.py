"""Orders that are checked and answered: Martlet's rules beside what people use today."""

import dataclasses
import pathlib
import shlex
import shutil
import subprocess
import sys

from .. import busy_core, figures, table
from ..comparison import NATS_WIRE, Comparison, Workload
from ..document import SCRATCH, Picture
from ..machine import ROOT
from ..systems import MARTLET, NATS, Service, System, brokers

DOCUMENT = ROOT / "bench/rules/order.json"
SCHEMA = ROOT / "bench/rules/order-schema.json"
PEERS = ROOT / "bench/peers"
REPLY_FILE = SCRATCH / "order-reply.json"
ECHO_PROGRAM = SCRATCH / "echo"
# Where Debian puts what Node.js can load.
NODE_MODULES = pathlib.Path("/usr/share/nodejs")

# The only right reply to DOCUMENT.
REPLY = (
    '{"id":"7c9e6679-7425-40de-944b-e07fc1f90ae7","placed":"2026-11-22T21:04:55Z","total":128.9}')

RULES, PLAIN, NODE, ECHO = "martlet rules", "martlet plain", "node", "C echo"

RULES_FILE = """listen: 127.0.0.1:{{port}}
http: 127.0.0.1:{{monitor_port}}
rules {{{{
  schemas {{{{ order: "{schema}" }}}}
  quote {{{{
    subject: "orders.quote"
    validate: {{{{ schema: order }}}}
    reply: {{{{ pick: {{{{ id: "/id", placed: "/placed", total: "/total" }}}} }}}}
  }}}}
}}}}
"""


def systems():
    """Each as its users would build it."""
    known = brokers()
    martlet, nats, node = known[MARTLET], known[NATS], known["node"]
    in_node = str(PEERS / "orders-broker.js")
    return (
        dataclasses.replace(
            martlet, name=RULES, text="rules in the broker", version_of=MARTLET,
            arguments=("-c", "{folder}/rules.conf"),
            files=(("rules.conf", RULES_FILE.format(schema=SCHEMA)),), counts_allocations=True),
        dataclasses.replace(
            martlet, name=PLAIN, version_of=MARTLET,
            text="no rules; the generator answers without a look at the order",
            arguments=(*martlet.arguments, "-m", "{monitor_port}"),
            load_arguments=("--respond",), counts_allocations=True),
        dataclasses.replace(
            node, name=NODE, text="checks by hand in the broker", version_of="Node.js",
            arguments=(in_node, "{port}")),
        dataclasses.replace(
            node, name="node ajv", text="Ajv 6 in the broker", version_of="Node.js",
            # Without Ajv there is nothing to start.
            program="node" if (NODE_MODULES / "ajv").is_dir() else "node with ajv",
            arguments=(in_node, "{port}", "--ajv"),
            environment=(("NODE_PATH", str(NODE_MODULES)),), install="apt-get install node-ajv"),
        dataclasses.replace(
            nats, name="nats + node", text="checks by hand in a service", version_of=NATS,
            services=(Service(("node", str(PEERS / "orders-responder.js"), "{port}")),)),
        dataclasses.replace(
            nats, name="nats + python", version_of=NATS,
            text="nats-py, json and checks by hand in a service",
            services=(Service((sys.executable, str(PEERS / "orders_responder.py"), "{port}")),)),
        System(
            ECHO, "nats", str(ECHO_PROGRAM), ("{port}", str(REPLY_FILE)), (),
            text="a fixed reply, nothing is looked at", version_of="C", install="a C compiler"),
    )


def prepare():
    """Writes the right reply for the generator and the floor, and compiles the floor; without a
    compiler that is left out."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    REPLY_FILE.write_text(REPLY)
    ECHO_PROGRAM.unlink(missing_ok=True)
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is not None:
        subprocess.run(
            [compiler, "-O2", "-o", str(ECHO_PROGRAM), str(PEERS / "echo.c")], check=True)


LOAD = shlex.join(
    ["orders", "--document", str(DOCUMENT), "--expect", str(REPLY_FILE), "--pairs", "8"]) \
    + " --rate {rate}"
MAXIMUM = "orders-maximum"


def at_rate(thousands):
    rate = thousands * 1_000
    return Workload(
        f"orders-{thousands}k", f"{rate:,} requests/s", LOAD, NATS_WIRE, rate=rate)


def highest(rate_most):
    return Workload(
        MAXIMUM, f"each one's highest rate with p99 < {figures.P99_MAX_US // 1_000} ms and nothing "
        "lost", LOAD, NATS_WIRE, rate_most=rate_most)


PACED = tuple(map(at_rate, (5, 10, 20, 50)))
# Of the short form, where only the way counts.
QUICK = (at_rate(1), PACED[0], highest(8_000))

COLUMNS = (
    table.figure("rate", "requests/s"), table.figure("cpu_user", "user µs"),
    table.figure("cpu_kernel", "kernel µs"), table.figure("cpu", "CPU µs"),
    table.figure("cpu_broker", "of it broker"), table.figure("cpu_service", "of it service"),
    table.figure("p50", "p50 µs"), table.figure("p99", "p99 µs"),
    table.figure("p99.9", "p99.9 µs"), table.figure("max", "max µs"),
    table.ALLOCATIONS, table.LOST, table.RUNS)

NAMES = tuple(workload.name for workload in (*PACED, *QUICK))
PICTURES = (
    Picture(
        "orders-cpu.svg", "CPU per request by rate and system", "CPU per request", "µs", "cpu",
        NAMES),
    Picture(
        "orders-p99.svg", "p99 by rate and system", "p99", "µs", "p99",
        tuple(name for name in NAMES if name != MAXIMUM)),
    Picture(
        "orders-maximum.svg", "Highest rate of each system", "highest rate with p99 < 10 ms",
        "requests/s", "rate", (MAXIMUM,)),
)

EXPLANATION = f"""A request carries one order of 349 bytes; the reply is 91 bytes of JSON with three
of its fields, and any other reply fails the run. Eight connections send requests when they are due,
whether or not replies have come. Broker and service share one core, the generator has the other one.
CPU is user and kernel time of broker and service per request; "user" and "kernel" are in the
proportion of the kernel's ticks. "martlet plain" has no rules: the generator answers, so that two
more messages pass the broker. "C echo" looks at nothing and is what two packets cost: its column
in the table of goals is about the least that a ratio can be at that rate.
A rate is sustained if 99 % of it arrives with p99 < {figures.P99_MAX_US // 1000} ms and nothing lost; at most
5 % lie between the highest rate and one that is not sustained. "≥": there the generator could not do
more. Allocations are the most that /varz counted in a run. "Void" and "cost only" as above."""

ORDERS = Comparison(
    name="orders", text="orders checked and answered by rules, by Node.js and by services",
    systems=systems, workloads=(*PACED, highest(1_000_000)), quick_workloads=QUICK,
    prepare=prepare, unit="request", columns=COLUMNS, floor=ECHO, explanation=EXPLANATION,
    remarks=(lambda results: busy_core.line(results, NODE, RULES, ("Node.js", "Martlet")),),
    pictures=PICTURES)
