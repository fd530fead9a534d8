"""Starts servers, lends each to one case at a time, and ends them."""

import collections
import os
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

START_SECONDS = 15
# A server rests between cases, so that it has forgotten the connections of the last one.
REST_SECONDS = 0.05


class ServerError(Exception):
    """A server that did not start; says what it printed."""


class Server:
    def __init__(self, binary: list, key: tuple, folder: Path):
        arguments, config = key
        self.port = _free_port()
        self.log = folder / f"{self.port}.log"
        command = [*binary, "-a", "127.0.0.1", "-p", str(self.port), *arguments.split()]
        if config:
            path = folder / f"{self.port}.conf"
            path.write_text(config + "\n", encoding="utf-8")
            command += ["-c", str(path)]
        self.command = command
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        self.returned = 0.0
        self._await_start()

    def _await_start(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.connect().close()
                time.sleep(REST_SECONDS)
                return
            except OSError:
                time.sleep(0.02)
        self.stop()
        tail = self.log.read_text(errors="replace")[-2000:]
        raise ServerError(f"{' '.join(self.command)} did not start:\n{tail}")

    def connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class ServerPool:
    """Servers of one binary, by configuration; a case has its server to itself while it runs.

    `binary` is a path and arguments that every server gets.
    """

    def __init__(self, binary: list):
        self.binary = binary
        self.folder = tempfile.TemporaryDirectory(prefix="martlet-differential-")
        self.idle = collections.defaultdict(collections.deque)
        self.all = []
        self.lock = threading.Lock()

    def borrow(self, key: tuple, fresh: bool) -> Server:
        with self.lock:
            queue = self.idle[key]
            rested = queue and time.monotonic() - queue[0].returned > REST_SECONDS
            if rested and not fresh:
                return queue.popleft()
        server = self._start(key)
        with self.lock:
            self.all.append(server)
        return server

    def _start(self, key: tuple) -> Server:
        """Somebody else may take the free port before the server does: then with another one."""
        try:
            return Server(self.binary, key, Path(self.folder.name))
        except ServerError as error:
            if "address already in use" not in str(error):
                raise
            return Server(self.binary, key, Path(self.folder.name))

    def give_back(self, key: tuple, server: Server, fresh: bool):
        if fresh or server.process.poll() is not None:
            server.stop()
            return
        server.returned = time.monotonic()
        with self.lock:
            self.idle[key].append(server)

    def stop(self):
        for server in self.all:
            server.stop()
        self.folder.cleanup()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def require_executable(path: str, what: str) -> str:
    if not (os.path.isfile(path) and os.access(path, os.X_OK)):
        raise SystemExit(f"{what}: {path} is not an executable file")
    return os.path.abspath(path)
