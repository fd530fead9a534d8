"""How soon a broker can be used, and what it keeps in memory for clients that do nothing."""

import socket
import time

from .. import document, machine, processes, table
from ..comparison import Comparison
from ..figures import Spread
from ..server import Server
from ..systems import MARTLET, NATS, UNPINNED, brokers, installed

STARTS, QUICK_STARTS = 20, 3
CONNECTIONS, QUICK_CONNECTIONS = 10_000, 500
SUBSCRIPTIONS_EACH = 10
# Often enough for a tenth of a millisecond, seldom enough to take no core from who starts.
POLL_SECONDS = 0.0002
# The moments at which memory is looked at, as a table names them.
MOMENTS = ("at start", "connections", "subscriptions", "all gone")
SETTLE_SECONDS = 2
# What Martlet must stay within: milliseconds, and MiB with connections and with subscriptions.
READY_MS_MOST, CONNECTIONS_MIB_MOST, SUBSCRIPTIONS_MIB_MOST = 50, 60, 120


def run(comparison, options, path):
    systems, left_out = installed(comparison.systems(), options.systems)
    starts = QUICK_STARTS if options.quick else STARTS
    connections = QUICK_CONNECTIONS if options.quick else CONNECTIONS
    if machine.raise_file_limit() < connections + 100:
        raise SystemExit(f"error: this takes {connections + 100:,} open files (ulimit -n)")
    results = {
        "machine": machine.facts(), "starts": starts, "connections": connections,
        "left_out": left_out,
        "systems": {system.name: system.version_text() for system in systems},
        "results": {system.name: {"ready_ms": []} for system in systems}}
    for _ in range(starts):
        for system in systems:
            results["results"][system.name]["ready_ms"].append(ready_ms(system))
    for system in systems:
        results["results"][system.name]["memory_mib"] = memory_mib(system, connections)
        print(f"{system.name:<11} {results['results'][system.name]['memory_mib']}", flush=True)
        document.record(path, results)


def start(system):
    return Server(system, UNPINNED, None, poll_seconds=POLL_SECONDS)


def ready_ms(system):
    """From exec until a connection is taken."""
    began = time.monotonic()
    server = start(system)
    took = time.monotonic() - began
    server.stop()
    return took * 1e3


def memory_mib(system, connections):
    """Resident memory at each of the moments."""
    found = []
    with start(system) as server:
        def look():
            time.sleep(SETTLE_SECONDS)
            found.append(processes.resident_bytes(server.pids[0]) / 2**20)
        look()
        clients = [connect(server.port) for _ in range(connections)]
        wait_for_all(clients)
        look()
        for i, client in enumerate(clients):
            lines = (f"SUB idle.{i}.{n} {n}\r\n" for n in range(SUBSCRIPTIONS_EACH))
            client.sendall("".join(lines).encode() + b"PING\r\n")
        wait_for_all(clients)
        look()
        for client in clients:
            client.close()
        look()
    return dict(zip(MOMENTS, found))


def connect(port):
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(b'CONNECT {"verbose":false,"pedantic":false}\r\nPING\r\n')
    return client


def wait_for_all(clients):
    for client in clients:
        text = b""
        while b"PONG\r\n" not in text:
            piece = client.recv(1 << 16)
            if not piece:
                raise SystemExit("error: the broker closed a connection")
            text += piece


def passed(results):
    found = results["results"].get(MARTLET)
    return found is None or (
        Spread.of(found["ready_ms"]).median <= READY_MS_MOST
        and found["memory_mib"]["connections"] <= CONNECTIONS_MIB_MOST
        and found["memory_mib"]["subscriptions"] <= SUBSCRIPTIONS_MIB_MOST)


def section(comparison, results):
    count = results["connections"]
    heads = [
        "system", "ms until it takes a connection", "MiB at start", f"{count:,} connections",
        "KiB a connection", f"{count * SUBSCRIPTIONS_EACH:,} subscriptions", "all gone"]
    rows = []
    for name, found in results["results"].items():
        memory = found["memory_mib"]
        each = (memory["connections"] - memory["at start"]) * 1_024 / count
        rows.append([
            name, table.spread(Spread.of(found["ready_ms"])),
            *(table.number(value) for value in (
                memory["at start"], memory["connections"], each, memory["subscriptions"],
                memory["all gone"]))])
    return f"""{about(results)}

{table.markdown(heads, rows)}

[Every start](performance/{comparison.file})"""


def about(results):
    return (
        f"{table.machine(results['machine'])} {'; '.join(results['systems'].values())}. "
        f"{results['starts']} starts of each in turns: the median (least..most). Resident memory of "
        f"one run each, {SETTLE_SECONDS} s after what is named has come.{table.left_out(results)}")


FOOTPRINT = Comparison(
    name="footprint", text="how soon a broker is ready, and its memory for idle connections",
    systems=lambda: tuple(brokers()[name] for name in (MARTLET, NATS, "node")), workloads=(),
    measure=run, passed=passed, section=section, files=lambda comparison, results: {})
