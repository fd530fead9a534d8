"""The systems that are compared, each started as its users start it."""

import dataclasses
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from .machine import ROOT

MARTLET, NATS = "martlet", "nats-server"
PINNED, UNPINNED = "pinned", "unpinned"


@dataclasses.dataclass(frozen=True)
class System:
    name: str
    wire: str
    program: str
    arguments: tuple
    # What makes it print its version; nothing if the commit says it.
    version: tuple
    # What makes it use one core, where it would use more.
    pinned_arguments: tuple = ()
    pinned_environment: tuple = ()
    environment: tuple = ()
    configuration: str = ""
    install: str = ""

    @property
    def path(self):
        """Where its program is; None if it is not installed."""
        return shutil.which(self.program, path=os.environ["PATH"] + ":/usr/sbin")

    def version_text(self):
        if not self.version:
            return f"{self.name} of this commit"
        result = subprocess.run([self.path, *self.version], capture_output=True, text=True)
        found = re.search(r"v?\d+\.\d+\.\d+", result.stdout + result.stderr)
        return f"{self.name} {found.group().lstrip('v')}" if found else self.name


def all_systems():
    martlet = os.environ.get("MARTLET_BINARY", str(ROOT / ".build/release/martlet"))
    nats = os.environ.get("NATS_SERVER", str(ROOT / ".venv/bin/nats-server"))
    return (
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
            "mosquitto", "mqtt", "mosquitto", ("-c", "{folder}/configuration"), ("-h",),
            configuration="listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
                          "user root\n",
            install="apt-get install mosquitto"),
    )


class Server:
    """A running system, on a free port of 127.0.0.1 until the end of a `with`."""

    def __init__(self, system, mode, core):
        self.system = system
        self.folder = tempfile.TemporaryDirectory(prefix="martlet-bench-")
        self.port = free_port()
        self.monitor_port = free_port()
        places = {
            "port": self.port, "monitor": self.monitor_port, "folder": self.folder.name}
        if system.configuration:
            file = pathlib.Path(self.folder.name) / "configuration"
            file.write_text(system.configuration.format(**places))
        pinned = mode == PINNED
        arguments = [part.format(**places) for part in system.arguments]
        arguments += system.pinned_arguments if pinned else ()
        environment = {
            **os.environ, **dict(system.environment),
            **dict(system.pinned_environment if pinned else ())}
        self.log = pathlib.Path(self.folder.name) / "log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [system.path, *arguments], cwd=self.folder.name, env=environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=(lambda: os.sched_setaffinity(0, {core})) if pinned else None)
        self._wait_until_it_listens()

    @property
    def pid(self):
        return self.process.pid

    def _wait_until_it_listens(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        log = self.log.read_text(errors="replace")[-2_000:]
        self.stop()
        raise RuntimeError(f"{self.system.name} does not listen:\n{log}")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


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
