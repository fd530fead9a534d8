"""Starts the broker under test: MARTLET_BINARY, or .build/release/martlet."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Support/Python"))

from server_process import ServerProcess, binary  # noqa: E402


@pytest.fixture
def start_broker(tmp_path):
    """Gives a function that starts a broker with more arguments; all end with the test."""
    started = []

    def start(*arguments: str) -> ServerProcess:
        log = tmp_path / f"broker-{len(started)}.log"
        broker = ServerProcess([binary()], arguments, log=log)
        started.append(broker)
        return broker

    yield start
    for broker in started:
        broker.kill()


@pytest.fixture
def broker(start_broker):
    return start_broker()


def pytest_sessionstart(session):
    if not os.access(binary(), os.X_OK):
        pytest.exit(
            f"no broker at {binary()}: build it (swift build -c release) or set MARTLET_BINARY", 2
        )
