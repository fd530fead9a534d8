"""The machine that figures are of: what it is, and what is set up for the measurement."""

import os
import pathlib
import platform
import resource
import shutil
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
NETWORK = "MARTLET_BENCH_NETWORK"

# Servers do not choose their congestion control; the route does. bbr, where it is the default,
# paces loopback and says more about itself than about a server.
NETWORK_SETUP = """
ip link set lo up
for network in 127.0.0.0/8 127.0.0.1; do
    ip route change table local local $network dev lo src 127.0.0.1 congctl cubic
done
exec "$@"
"""


def enter_own_network(program=("-m", "compare")):
    """Starts this program again in a network of its own, where all sockets use cubic; `program` is
    what Python is told to run."""
    if NETWORK in os.environ or accepted_congestion() == "cubic":
        return
    os.environ[NETWORK] = "own"
    privileges = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    unshare = ["unshare", *privileges, "--net"]
    works = all(shutil.which(name) for name in ("unshare", "ip", "sh")) and not subprocess.run(
        [*unshare, "sh", "-ec", NETWORK_SETUP, "sh", "true"], capture_output=True).returncode
    if not works:
        print(f"note: servers use {accepted_congestion()}: no network of its own for cubic "
              "(needs unshare and ip)", file=sys.stderr)
        return
    command = [sys.executable, *program, *sys.argv[1:]]
    sys.stdout.flush()
    os.execvp("unshare", [*unshare, "sh", "-ec", NETWORK_SETUP, "sh", *command])


def accepted_congestion():
    """The congestion control of a socket that a server here has accepted."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with socket.create_connection(listener.getsockname()):
            accepted, _ = listener.accept()
            with accepted:
                name = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16)
    return name.rstrip(b"\0").decode()


def raise_file_limit():
    """As many files as this user may open; returns that."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def two_cores():
    """One for the broker, one for the generator."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("error: this takes two cores, one for the broker and one for the load")
    return cores[0], cores[-1]


def pin():
    """Keeps this process and what it starts on one core, the last one."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def facts():
    def output(*command):
        try:
            return subprocess.run(
                command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            return "unknown"
    processor = next(
        (line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if "model name" in line),
        platform.machine())
    changed = " with changes" if output(
        "git", "status", "--porcelain", "-uno", "--", "Sources", "Package.swift", "bench") else ""
    return {
        "processor": processor,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "kernel": platform.release(),
        "compiler": output("swift", "--version").splitlines()[0],
        "commit": output("git", "rev-parse", "--short", "HEAD") + changed,
        "congestion": accepted_congestion(),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }
