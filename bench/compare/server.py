"""A running system: its broker and the services beside it."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

from .systems import PINNED, find

START_SECONDS_MOST = 20
# Between two looks at whether a process is ready.
POLL_SECONDS = 0.02


class Places(dict):
    """What names in braces stand for; one that ends in `port` is a free port of 127.0.0.1."""

    def __missing__(self, name):
        if not name.endswith("port"):
            raise KeyError(name)
        self[name] = free_port()
        return self[name]

    def fill(self, texts):
        return [text.format_map(self) for text in texts]


class Process:
    """A program, on some cores if it has to be; what it says goes into a file."""

    def __init__(self, name, command, log, cores, folder, environment):
        self.name, self.log = name, log
        with open(log, "wb") as output:
            self.popen = subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=output,
                preexec_fn=None if cores is None else lambda: os.sched_setaffinity(0, cores))

    def wait_until(self, ready, fault, poll_seconds=POLL_SECONDS):
        deadline = time.monotonic() + START_SECONDS_MOST
        while not ready():
            if self.has_ended or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} {fault}:\n{self.said()[-2_000:].strip()}")
            time.sleep(poll_seconds)

    @property
    def has_ended(self):
        return self.popen.poll() is not None

    def said(self):
        return self.log.read_text(errors="replace")

    def stop(self):
        if not self.has_ended:
            self.popen.send_signal(signal.SIGTERM)
            try:
                self.popen.wait(10)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()


class Server:
    """A system, on a free port of 127.0.0.1 until the end of a `with`."""

    def __init__(self, system, mode, core, poll_seconds=POLL_SECONDS):
        self.system = system
        self.poll_seconds = poll_seconds
        self.core = core if mode == PINNED else None
        self.folder = tempfile.TemporaryDirectory(prefix="martlet-bench-")
        self.places = Places(folder=self.folder.name)
        pinned = system.pinned_environment if self.core is not None else ()
        self.environment = {**os.environ, **dict(system.environment), **dict(pinned)}
        self.processes = []
        try:
            for name, text in system.files:
                self._path(name).write_text(text.format_map(self.places))
            self._start_broker()
            for service in system.services:
                self._start_service(service)
        except BaseException:
            self.stop()
            raise

    @property
    def port(self):
        return self.places["port"]

    @property
    def pids(self):
        """The broker's and then those of its services."""
        return [process.popen.pid for process in self.processes]

    def check(self):
        """Raises if a part of it has ended."""
        for process in self.processes:
            if process.has_ended:
                raise RuntimeError(f"{process.name} has ended: {process.said()[-500:].strip()}")

    def _start_broker(self):
        arguments = self.places.fill(self.system.arguments)
        arguments += self.system.pinned_arguments if self.core is not None else ()
        process = self._start(self.system.name, [self.system.path, *arguments])
        process.wait_until(self._listens, "does not listen", self.poll_seconds)

    def _start_service(self, service):
        program, *arguments = self.places.fill(service.command)
        process = self._start("the service", [find(program), *arguments])
        process.wait_until(lambda: service.ready in process.said(), "is not ready")

    def _start(self, name, command):
        log = self._path(f"log-{len(self.processes)}")
        cores = None if self.core is None else {self.core}
        process = Process(name, command, log, cores, self.folder.name, self.environment)
        self.processes.append(process)
        return process

    def _path(self, name):
        return pathlib.Path(self.folder.name) / name

    def _listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False

    def stop(self):
        for process in reversed(self.processes):
            process.stop()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def page(port, path):
    """What a broker's monitoring says, from JSON."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return json.load(answer)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
