"""One run: a fresh server, the load generator, and the kernel's view of both."""

import json
import os
import pathlib
import subprocess
import time

from . import processes
from .machine import ROOT
from .systems import PINNED, Server

LOAD = pathlib.Path(
    os.environ.get("MARTLET_LOAD", ROOT / "bench/.build/release/martlet-load"))


class Generator:
    """martlet-load at work; `start_ns` and `end_ns` bound what counts, by time.monotonic_ns()."""

    def __init__(self, server, arguments, mode, core, warmup, seconds):
        pinned = mode == PINNED
        command = [
            str(LOAD), *arguments, "--wire", server.system.wire, "--port", str(server.port),
            "--warmup", str(warmup), "--duration", str(seconds), *(["--spin"] if pinned else [])]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, preexec_fn=(lambda: os.sched_setaffinity(0, {core})) if pinned else None)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(self._failure())
        announced = json.loads(line)
        self.start_ns, self.end_ns = announced["start_ns"], announced["end_ns"]

    @property
    def pid(self):
        return self.process.pid

    def report(self):
        output, errors = self.process.communicate(timeout=60)
        if self.process.returncode:
            raise RuntimeError(errors.strip().splitlines()[0] if errors else "the load failed")
        return json.loads(output.splitlines()[-1])

    def _failure(self):
        _, errors = self.process.communicate(timeout=60)
        return errors.strip().splitlines()[0] if errors.strip() else "the load failed"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


def sleep_until(moment_ns):
    time.sleep(max(0, moment_ns - time.monotonic_ns()) / 1e9)


def run(system, workload, mode, cores, warmup, seconds):
    """The figures of one run, or {"error": …}."""
    about = {"system": system.name, "workload": workload.name, "mode": mode}
    try:
        with Server(system, mode, cores[0]) as server, Generator(
                server, workload.arguments, mode, cores[1], warmup, seconds) as generator:
            sleep_until(generator.start_ns)
            before = processes.sample(server.pid, generator.pid)
            sleep_until(generator.end_ns)
            after = processes.sample(server.pid, generator.pid)
            return {**about, **figures(generator.report(), before, after)}
    except (RuntimeError, OSError, subprocess.TimeoutExpired, ValueError) as failure:
        return {**about, "error": str(failure)}


def figures(report, before, after):
    """What counts of a report and of two samples, in one flat dictionary."""
    elapsed = (after.moment_ns - before.moment_ns) / 1e9
    # The samples may be a little apart from what was counted.
    messages = report["received_per_second"] * elapsed
    user, system = after.user - before.user, after.system - before.system
    latency = report.get("latency_us", {})
    result = {
        "rate": report["received_per_second"],
        **latency,
        "memory": after.resident_bytes / 2**20,
        "broker_share": (user + system) / elapsed,
        "generator_busy": report.get("generator_busy", 0.0),
        "lateness_p99": report.get("lateness_us", {}).get("p99", 0.0),
        "lost": report["lost"],
        "on_time": report["valid"],
        "steal_ms": (after.steal - before.steal) * 1e3,
        "broker_delay_ms": processes.delay_ms(before.threads, after.threads),
        "generator_delay_ms": processes.delay_ms(
            before.generator_threads, after.generator_threads),
    }
    if messages > 0:
        result["cpu_user"] = user * 1e6 / messages
        result["cpu_kernel"] = system * 1e6 / messages
        result["cpu"] = result["cpu_user"] + result["cpu_kernel"]
    if "large_latency_us" in report:
        result["large_p50"] = report["large_latency_us"]["p50"]
        result["large_p99"] = report["large_latency_us"]["p99"]
    for name in ("stopped_closed", "churned", "reconnected"):
        if name in report:
            result[name] = report[name]
    return result
