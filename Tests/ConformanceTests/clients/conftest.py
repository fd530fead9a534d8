"""Starts the broker under test: MARTLET_BINARY, or .build/release/martlet."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
START_SECONDS = 15


def broker_binary() -> Path:
    return Path(os.environ.get("MARTLET_BINARY", REPOSITORY / ".build/release/martlet")).resolve()


class BrokerProcess:
    """A broker of its own process, which can be killed and started again on its port."""

    def __init__(self, folder: Path, *arguments: str):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"nats://127.0.0.1:{self.port}"
        self.command = [broker_binary(), "-a", "127.0.0.1", "-p", str(self.port), *arguments]
        self.log = folder / f"broker-{self.port}.log"
        self.process = None
        self.start()

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        self.kill()
        pytest.fail(
            f"the broker did not start: {self.command}\n{self.log.read_text(errors='replace')}"
        )

    def kill(self):
        self.end(signal.SIGKILL)

    def end(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=15)


@pytest.fixture
def start_broker(tmp_path):
    """Gives a function that starts a broker with more arguments; all end with the test."""
    started = []

    def start(*arguments: str) -> BrokerProcess:
        broker = BrokerProcess(tmp_path, *arguments)
        started.append(broker)
        return broker

    yield start
    for broker in started:
        broker.kill()


@pytest.fixture
def broker(start_broker):
    return start_broker()


def pytest_sessionstart(session):
    binary = broker_binary()
    if not os.access(binary, os.X_OK):
        pytest.exit(
            f"no broker at {binary}: build it (swift build -c release) or set MARTLET_BINARY", 2
        )
