"""The systems that are compared, each started as its users start it."""

import dataclasses
import os
import re
import shutil
import subprocess

from .machine import ROOT

MARTLET, NATS = "martlet", "nats-server"
PINNED, UNPINNED = "pinned", "unpinned"


@dataclasses.dataclass(frozen=True)
class Service:
    """A program beside a broker, started after it and on its core."""
    command: tuple
    # What it says when it can be used.
    ready: str = "ready"


@dataclasses.dataclass(frozen=True)
class System:
    """A broker, perhaps with services. In its arguments, its files, the commands of its services and
    the arguments of the load `{port}` is the broker's, `{folder}` is where its files are, and any
    other name that ends in `_port` is a free port."""
    name: str
    wire: str
    program: str
    arguments: tuple
    # What makes it print its version; nothing if the commit says it.
    version: tuple
    # What makes it use one core, where it would use more.
    pinned_arguments: tuple = ()
    pinned_environment: tuple = ()
    # Also its services'.
    environment: tuple = ()
    # Names and contents.
    files: tuple = ()
    services: tuple = ()
    # What martlet-load must be told for this system.
    load_arguments: tuple = ()
    # It says in /varz, at `{monitor_port}`, how often it has allocated.
    counts_allocations: bool = False
    install: str = ""
    # What it is and whose version that is, where its name does not say it.
    text: str = ""
    version_of: str = ""

    @property
    def path(self):
        """Where its program is; None if that or a service's is not installed."""
        if all(find(service.command[0]) for service in self.services):
            return find(self.program)
        return None

    def version_text(self):
        name = self.version_of or self.name
        version = f"{name} {self._version()}"
        return f"{self.name}: {self.text} ({version})" if self.text else version

    def _version(self):
        if not self.version:
            return "of this commit"
        result = subprocess.run([self.path, *self.version], capture_output=True, text=True)
        found = re.search(r"\d+\.\d+\.\d+", result.stdout + result.stderr)
        return found.group() if found else "of unknown version"


def find(program):
    return shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin")


def brokers():
    """The brokers as they come, by name."""
    martlet = os.environ.get("MARTLET_BINARY", str(ROOT / ".build/release/martlet"))
    local = ROOT / ".venv/bin/nats-server"
    nats = os.environ.get("NATS_SERVER", str(local) if local.exists() else NATS)
    found = (
        System(
            MARTLET, "nats", martlet, ("-a", "127.0.0.1", "-p", "{port}"), (),
            pinned_arguments=("--loops", "1"), install="swift build -c release --product martlet"),
        System(
            NATS, "nats", nats, ("-a", "127.0.0.1", "-p", "{port}"), ("-v",),
            pinned_environment=(("GOMAXPROCS", "1"),), install="dev/setup"),
        System(
            "node", "nats", "node", (str(ROOT / "bench/peers/broker.js"), "{port}"), ("-v",),
            install="apt-get install nodejs"),
        # Nothing is kept on disk; more clients than its 10,000, for the idle ones.
        System(
            "redis", "redis", "redis-server",
            ("--bind", "127.0.0.1", "--port", "{port}", "--save", "", "--dir", "{folder}",
             "--maxclients", "15000"),
            ("--version",), install="apt-get install redis-server"),
        # Its own default delays small messages (Nagle); its manual has the switch for that. As root
        # it would become another user, who may not read the folder.
        System(
            "mosquitto", "mqtt", "mosquitto", ("-c", "{folder}/mosquitto.conf"), ("-h",),
            files=(("mosquitto.conf", "listener {port} 127.0.0.1\nallow_anonymous true\n"
                                      "set_tcp_nodelay true\nuser root\n"),),
            install="apt-get install mosquitto"),
    )
    return {system.name: system for system in found}


def installed(known, wanted):
    """Those of `known` to measure, all of them without `wanted`, and what is said of the others."""
    unknown = set(wanted or ()) - {system.name for system in known}
    if unknown:
        names = ", ".join(f"'{system.name}'" for system in known)
        raise SystemExit(
            f"error: no system is called {', '.join(sorted(unknown))}; there are {names}")
    chosen = [system for system in known if not wanted or system.name in wanted]
    left_out = [
        f"{system.name}, not installed ({system.install})"
        for system in chosen if system.path is None]
    for text in left_out:
        print(f"left out: {text}", flush=True)
    return [system for system in chosen if system.path is not None], left_out
