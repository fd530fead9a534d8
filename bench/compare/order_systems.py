"""Who checks orders: each system as its users would build it, and what all of them are sent."""

import dataclasses
import pathlib
import shutil
import subprocess
import sys

from .machine import ROOT
from .systems import MARTLET, NATS, System, all_systems

DOCUMENT = ROOT / "bench/rules/order.json"
SCHEMA = ROOT / "bench/rules/order-schema.json"
PEERS = ROOT / "bench/peers"
SCRATCH = ROOT / "bench/results"
REPLY_FILE = SCRATCH / "order-reply.json"
ECHO_PROGRAM = SCRATCH / "echo"
# Where Debian puts what Node.js can load.
NODE_MODULES = pathlib.Path("/usr/share/nodejs")

# The only right reply to DOCUMENT.
REPLY = (
    '{"id":"7c9e6679-7425-40de-944b-e07fc1f90ae7","placed":"2026-11-22T21:04:55Z","total":128.9}')

RULES, PLAIN, NODE, ECHO = "martlet rules", "martlet plain", "node", "C echo"

RULES_FILE = """listen: 127.0.0.1:{{port}}
http: 127.0.0.1:{{monitor}}
rules {{{{
  schemas {{{{ order: "{schema}" }}}}
  quote {{{{
    subject: "orders.quote"
    validate: {{{{ schema: order }}}}
    reply: {{{{ pick: {{{{ id: "/id", placed: "/placed", total: "/total" }}}} }}}}
  }}}}
}}}}
"""


@dataclasses.dataclass(frozen=True)
class OrderSystem:
    """A broker, and the service beside it that answers, if the broker does not."""
    broker: System
    text: str
    program_name: str
    # The service's command; `{port}` is the broker's.
    responder: tuple = ()
    # The generator answers.
    responds_itself: bool = False
    # It counts its allocations in /varz.
    counts_allocations: bool = False

    @property
    def name(self):
        return self.broker.name

    @property
    def path(self):
        """Where the broker is; None unless the service can be started too."""
        found = all(shutil.which(program) for program in self.responder[:1])
        return self.broker.path if found else None

    @property
    def install(self):
        return self.broker.install

    def version_text(self):
        known = dataclasses.replace(self.broker, name=self.program_name)
        return f"{self.name}: {self.text} ({known.version_text()})"


def order_systems():
    """All of them; those whose `path` is None are not installed."""
    brokers = {system.name: system for system in all_systems()}
    martlet, nats, node = brokers[MARTLET], brokers[NATS], brokers["node"]
    rules = RULES_FILE.format(schema=SCHEMA)
    in_node = str(PEERS / "orders-broker.js")
    with_modules = (("NODE_PATH", str(NODE_MODULES)),)
    # Without Ajv there is nothing to start.
    ajv = "node" if (NODE_MODULES / "ajv").is_dir() else "node with ajv"
    return (
        OrderSystem(
            dataclasses.replace(
                martlet, name=RULES, arguments=("-c", "{folder}/configuration"),
                configuration=rules),
            "rules in the broker", MARTLET, counts_allocations=True),
        OrderSystem(
            dataclasses.replace(
                martlet, name=PLAIN, arguments=(*martlet.arguments, "-m", "{monitor}")),
            "no rules; the generator answers without a look at the order", MARTLET,
            responds_itself=True, counts_allocations=True),
        OrderSystem(
            dataclasses.replace(node, name=NODE, arguments=(in_node, "{port}")),
            "checks by hand in the broker", "Node.js"),
        OrderSystem(
            dataclasses.replace(
                node, name="node ajv", program=ajv, arguments=(in_node, "{port}", "--ajv"),
                environment=with_modules,
                install="apt-get install node-ajv"),
            "Ajv 6 in the broker", "Node.js"),
        OrderSystem(
            dataclasses.replace(nats, name="nats + node"), "checks by hand in a service", NATS,
            responder=("node", str(PEERS / "orders-responder.js"), "{port}")),
        OrderSystem(
            dataclasses.replace(nats, name="nats + python"),
            "nats-py, json and checks by hand in a service", NATS,
            responder=(sys.executable, str(PEERS / "orders_responder.py"), "{port}")),
        OrderSystem(
            System(
                ECHO, "nats", str(ECHO_PROGRAM), ("{port}", str(REPLY_FILE)), (),
                install="a C compiler"),
            "a fixed reply, nothing is looked at", "C"),
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
