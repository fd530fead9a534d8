"""A C program on Debian's libnats: publish, subscribe, request."""

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("libnats_client.c")
HEADER = any(
    Path(folder, "nats/nats.h").exists() for folder in ("/usr/include", "/usr/local/include")
)


@pytest.mark.skipif(not HEADER, reason="libnats-dev is not installed")
def test_c_client(broker, tmp_path):
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    assert compiler, "no C compiler"
    program = tmp_path / "libnats_client"
    build = [compiler, "-Wall", "-Werror", "-o", program, SOURCE, "-lnats"]
    subprocess.run(build, check=True, timeout=60)
    result = subprocess.run([program, broker.url], capture_output=True, text=True, timeout=30)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.splitlines() == [
        "order kept: 1000",
        "request: pong",
        "no responders: yes",
    ]
