"""Starts servers, lends each to one case at a time, and ends them."""

import collections
import itertools
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Support/Python"))

from raw_client import connect  # noqa: E402
from server_process import (  # noqa: E402, F401
    ServerError, ServerProcess, binary, require_executable)

# A server rests between cases, so that it has forgotten the connections of the last one.
REST_SECONDS = 0.05


class Server(ServerProcess):
    """A server with the arguments and the configuration of a case."""

    def __init__(self, binary: list, key: tuple, path: Path):
        arguments, config = key
        arguments = arguments.split()
        if config:
            path.with_suffix(".conf").write_text(config + "\n", encoding="utf-8")
            arguments += ["-c", path.with_suffix(".conf")]
        self.returned = 0.0
        super().__init__(binary, arguments, log=path.with_suffix(".log"))

    def connect(self):
        return connect(self.port, seconds=5)


class ServerPool:
    """Servers of one binary, by configuration; a case has its server to itself while it runs.

    `binary` is a path and arguments that every server gets.
    """

    def __init__(self, binary: list):
        self.binary = binary
        self.folder = tempfile.TemporaryDirectory(prefix="martlet-differential-")
        self.idle = collections.defaultdict(collections.deque)
        self.all = []
        self.numbers = itertools.count()
        self.lock = threading.Lock()

    def borrow(self, key: tuple, fresh: bool) -> Server:
        with self.lock:
            queue = self.idle[key]
            rested = queue and time.monotonic() - queue[0].returned > REST_SECONDS
            if rested and not fresh:
                return queue.popleft()
            path = Path(self.folder.name) / str(next(self.numbers))
        server = Server(self.binary, key, path)
        with self.lock:
            self.all.append(server)
        return server

    def give_back(self, key: tuple, server: Server, fresh: bool):
        if fresh or not server.is_running:
            server.kill()
            return
        server.returned = time.monotonic()
        with self.lock:
            self.idle[key].append(server)

    def stop(self):
        for server in self.all:
            server.kill()
        self.folder.cleanup()
