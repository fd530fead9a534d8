"""Servers that log as nats-server does, each a process of its own on 127.0.0.1."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
START_SECONDS = 30
END_SECONDS = 30


class ServerError(Exception):
    """A server that did not start; says what it logged."""


def binary():
    """The release binary: $MARTLET_BINARY, or the one that `swift build -c release` made."""
    return pathlib.Path(os.environ.get("MARTLET_BINARY", ROOT / ".build/release/martlet")).resolve()


def require_executable(path, advice):
    """The path, or the end of the program with what to do."""
    if not (os.path.isfile(path) and os.access(path, os.X_OK)):
        raise SystemExit(f"error: {path} is not an executable file; {advice}")
    return pathlib.Path(path).resolve()


def free_port():
    """A port that nobody listens on now, for what has to be told one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ServerProcess:
    """A server on a free port, which it keeps when it is started again.

    `command` is the program, and what stands before it; `arguments` follow the address and the port.
    """

    def __init__(self, command, arguments=(), *, log, environment=()):
        self.command = [str(part) for part in command]
        self.arguments = [str(part) for part in arguments]
        self.log = pathlib.Path(log)
        self.environment = {**os.environ, **dict(environment)}
        self.port = -1
        self.start()

    @property
    def url(self):
        return f"nats://127.0.0.1:{self.port}"

    def start(self):
        self.log.touch()
        logged_before = self.log.stat().st_size
        command = [*self.command, "-a", "127.0.0.1", "-p", str(self.port), *self.arguments]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment)
        pattern = re.compile(rb"Listening for client connections on 127\.0\.0\.1:(\d+)")
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            is_running = self.is_running  # Before reading: what ends has logged all.
            text = self.log.read_bytes()[logged_before:]
            found = pattern.search(text)
            if found and b"Server is ready" in text:
                self.port = int(found.group(1))
                return
            if not is_running:
                break
            time.sleep(0.01)
        self.kill()
        text = self.log.read_text(errors="replace")[-4000:]
        raise ServerError(f"{' '.join(command)} did not start:\n{text}")

    @property
    def is_running(self):
        return self.process.poll() is None

    def end(self, number=signal.SIGINT):
        """Asks it to end, as an operator would; its exit status, killed if it does not obey."""
        if self.is_running:
            self.process.send_signal(number)
        try:
            return self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self):
        if self.is_running:
            self.process.kill()
        self.process.wait()
