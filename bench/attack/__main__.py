"""Attacks a server while two clients in a process of their own go on: what do these notice?

    dev/attack [--beside nats-server] [--only NAME …] [--rate N] [--check] [--write FILE] [-- FLAGS]

Each attack has a server of its own. Latencies are of 500 messages a second between the two, in
milliseconds from the time that each was due; memory is the server's resident memory, at its highest
and a few seconds after everybody else has left. --check fails where others waited longer than
--limit-ms, lost a message, the server's memory was ever more than --limit-mb or stayed over
--limit-after-mb, or a rightful login took longer than --limit-login-s; it makes those attacks that
may take another way with several loops once more with two. --beside gives the same for nats-server;
--write puts the table between the marks of a document. FLAGS go to Martlet.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/Support/Python"))

from raw_client import Client, connect  # noqa: E402
from server_process import ServerProcess, binary, free_port, require_executable  # noqa: E402

from attack import attacks  # noqa: E402

PROBE = pathlib.Path(__file__).with_name("probe.py")
# Memory is given back, and what is closed is cleared away, in this time or never.
AFTER_SECONDS = 3


class Attacker:
    """What attacks have at hand: connections, which end with the attack."""

    def __init__(self, server, monitoring, seed):
        self.server, self.monitoring, self.seed = server, monitoring, seed
        self.clients = []
        self.login = None

    def client(self, options='"verbose":false,"pedantic":false,"headers":true'):
        client = Client(self.server, options)
        self.clients.append(client)
        return client

    def socket(self):
        return connect(self.server.port)

    def try_to_send(self, client, data):
        """As much as it takes in two seconds: a server may stop reading, or close."""
        client.socket.settimeout(2)
        self.try_to_send_socket(client.socket, data)

    @staticmethod
    def try_to_send_socket(one, data):
        try:
            one.sendall(data)
        except OSError:
            pass

    def login_seconds(self, options):
        started = time.monotonic()
        self.client(f'"verbose":false,{options}')
        self.login = time.monotonic() - started

    @staticmethod
    def wait(seconds):
        time.sleep(seconds)

    def close(self):
        for client in self.clients:
            client.close()


class Result:
    """What others noticed of one attack, and what it cost the server."""

    def __init__(self, attack, noticed, peak, after, login, failure):
        self.name = attack.__name__.replace("_", "-")
        self.text = attack.__doc__.splitlines()[0]
        self.noticed, self.peak, self.after, self.login = noticed, peak, after, login
        self.failure = failure

    @property
    def line(self):
        if self.failure:
            return f"{self.name:20} {self.failure}"
        login = f", login {self.login:.2f} s" if self.login is not None else ""
        return (f"{self.name:20} p50 {self.noticed['p50_ms']:7.2f}  p99 {self.noticed['p99_ms']:8.2f}  "
                f"max {self.noticed['max_ms']:8.2f} ms  lost {self.noticed['lost']}  "
                f"memory {self.peak} MB, then {self.after}{login}")

    def problems(self, limits):
        if self.failure:
            return [self.failure]
        found = []
        if self.noticed["lost"]:
            found.append(f"{self.noticed['lost']} messages of others were lost")
        if self.noticed["max_ms"] > limits.limit_ms:
            found.append(
                f"others waited {self.noticed['max_ms']:.0f} ms, {limits.limit_ms} are allowed")
        if self.peak > limits.limit_mb:
            found.append(f"memory rose to {self.peak} MB, {limits.limit_mb} are allowed")
        if self.after > limits.limit_after_mb:
            found.append(f"{self.after} MB of memory stayed, {limits.limit_after_mb} are allowed")
        if (self.login or 0) > limits.limit_login_s:
            found.append(
                f"a rightful login took {self.login:.1f} s, {limits.limit_login_s} are allowed")
        return found


def resident(process, field):
    text = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(field)) >> 10


def run(attack, command, flags, rate, seed, folder):
    monitoring = free_port()
    folder = pathlib.Path(folder)
    (folder / "schema.json").write_text(attacks.SCHEMA)
    configuration = folder / "server.conf"
    configuration.write_text(attacks.configuration(attack))
    arguments = ["-m", str(monitoring), "-c", str(configuration), *flags]
    server = ServerProcess(command, arguments, log=folder / "log")
    attacker = Attacker(server, monitoring, seed)
    try:
        return watch(attack, attacker, server, rate)
    finally:
        attacker.close()
        server.kill()


def watch(attack, attacker, server, rate):
    """The probe runs from when the attack is prepared until a second after its end."""
    more = [attacks.RIGHT] if attack is attacks.passwords else []
    probe = subprocess.Popen(
        [sys.executable, PROBE, str(server.port), str(rate), *more], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    failure = None
    try:
        steps = attack(attacker)
        next(steps)
        probe.stdout.readline()
        try:
            next(steps, None)
        except (OSError, EOFError) as error:
            failure = f"the attacker's own connection failed: {error!r}"
        time.sleep(1)
        said, _ = probe.communicate("", timeout=60)
    finally:
        probe.kill()
        probe.wait()
    if not server.is_running:
        return Result(attack, None, 0, 0, None, "THE SERVER ENDED")
    if not said:
        return Result(attack, None, 0, 0, None, "the probe's connection was closed")
    attacker.close()
    peak = resident(server.process, "VmHWM:")
    time.sleep(AFTER_SECONDS)
    result = Result(
        attack, json.loads(said), peak, resident(server.process, "VmRSS:"), attacker.login, None)
    if failure:
        print(f"  ({result.name}: {failure})", flush=True)
    return result


def table(results):
    """Rows of the document: what others noticed, for every server."""
    names = list(results)
    head = ["what a client does"]
    head += [f"{name}: p99, max (ms)" for name in names] + [f"{name}: memory (MB)" for name in names]
    rows = [head, ["---"] + ["---:"] * (len(head) - 1)]
    # The first of each: a check adds others with more loops.
    by_name = [{result.name: result for result in reversed(results[name])} for name in names]
    for attack in attacks.ATTACKS:
        key = attack.__name__.replace("_", "-")
        found = [one.get(key) for one in by_name]
        if not any(found):
            continue
        row = [attack.__doc__.splitlines()[0]]
        row += [noticed(one) for one in found]
        row += ["" if one is None or one.failure else f"{one.peak}, then {one.after}" for one in found]
        rows.append(row)
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def noticed(result):
    if result is None:
        return ""
    if result.failure:
        return result.failure
    login = f"; login {result.login:.1f} s" if result.login is not None else ""
    return f"{result.noticed['p99_ms']:.1f}, {result.noticed['max_ms']:.0f}{login}"


def write(path, text):
    begin, end = "<!-- attacks: begin -->\n", "<!-- attacks: end -->\n"
    document = pathlib.Path(path).read_text()
    if document.count(begin) != 1 or document.count(end) != 1:
        raise SystemExit(f"error: {path} has not the marks {begin.strip()} and {end.strip()}")
    before, rest = document.split(begin)
    pathlib.Path(path).write_text(before + begin + text + end + rest.split(end)[1])


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="dev/attack", usage=__doc__.split("\n\n")[1].strip(), description=__doc__)
    parser.add_argument("--beside", choices=["nats-server"])
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--rate", type=float, default=500)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--limit-ms", type=float, default=250)
    parser.add_argument("--limit-mb", type=int, default=400)
    parser.add_argument("--limit-after-mb", type=int, default=250)
    parser.add_argument("--limit-login-s", type=float, default=3)
    parser.add_argument("--write", metavar="FILE")
    parser.add_argument("flags", nargs="*")
    options = parser.parse_args()
    names = [attack.__name__.replace("_", "-") for attack in attacks.ATTACKS]
    unknown = set(options.only) - set(names)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    return options


def runs(options, servers):
    """Which attack to make on which server, with which flags."""
    for attack in attacks.ATTACKS:
        if options.only and attack.__name__.replace("_", "-") not in options.only:
            continue
        for name in servers:
            if attack in attacks.OWN and name != "Martlet":
                continue
            yield attack, name, options.flags if name == "Martlet" else []
        if options.check and attack in attacks.OTHER_WITH_LOOPS:
            yield attack, "Martlet", [*options.flags, "--loops", "2"]


def main():
    options = parse_arguments()
    print(f"seed {options.seed}", flush=True)
    servers = {"Martlet": require_executable(binary(), "build it, or set MARTLET_BINARY")}
    if options.beside:
        oracle = os.environ.get(
            "NATS_SERVER_BINARY", str(pathlib.Path(sys.executable).parent / "nats-server"))
        servers[options.beside] = require_executable(oracle, "dev/setup installs nats-server")
    results = {name: [] for name in servers}
    problems = []
    for attack, name, flags in runs(options, servers):
        with tempfile.TemporaryDirectory(prefix="attack-") as folder:
            result = run(attack, [servers[name]], flags, options.rate, options.seed, folder)
        results[name].append(result)
        print(f"{name:12} {result.line}  {' '.join(flags)}", flush=True)
        if name == "Martlet":
            problems += [f"{result.name} {' '.join(flags)}: {text}"
                         for text in result.problems(options)]
    if options.write:
        write(options.write, table(results))
    if not options.check:
        return 0
    for problem in problems:
        print(f"FAIL  {problem}")
    attacked = len(results["Martlet"])
    failed = len({problem.split(":")[0] for problem in problems})
    print(f"{attacked - failed} passed, {failed} failed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
