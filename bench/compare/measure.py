"""One run: a fresh server, the load generator, and the kernel's view of both."""

import json
import os
import pathlib
import subprocess
import time

from . import processes
from .machine import ROOT
from .server import Server, page
from .systems import PINNED

LOAD = pathlib.Path(
    os.environ.get("MARTLET_LOAD", ROOT / "bench/.build/release/martlet-load"))
# What of a report is a figure as it is.
KEPT = ("stopped_closed", "churned", "reconnected")


class Generator:
    """martlet-load at work; `start_ns` and `end_ns` bound what counts, by time.monotonic_ns()."""

    def __init__(self, server, arguments, mode, core, warmup, seconds):
        pinned = mode == PINNED
        command = [
            str(LOAD), *arguments, *server.places.fill(server.system.load_arguments),
            "--wire", server.system.wire, "--port", str(server.port),
            "--warmup", str(warmup), "--duration", str(seconds), *(["--spin"] if pinned else [])]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, preexec_fn=(lambda: os.sched_setaffinity(0, {core})) if pinned else None)
        line = self.process.stdout.readline()
        if not line:
            _, errors = self.process.communicate(timeout=60)
            raise RuntimeError(first_line(errors))
        announced = json.loads(line)
        self.start_ns, self.end_ns = announced["start_ns"], announced["end_ns"]

    @property
    def pid(self):
        return self.process.pid

    def report(self):
        output, errors = self.process.communicate(timeout=60)
        if self.process.returncode:
            raise RuntimeError(first_line(errors))
        return json.loads(output.splitlines()[-1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


def first_line(errors):
    return errors.strip().splitlines()[0] if errors.strip() else "the load failed"


class Allocations:
    """How often a system allocated, as it says itself, from the warm-up on."""

    def __init__(self, server):
        self.counts = server.system.counts_allocations
        if self.counts:
            self.port = server.places["monitor_port"]
            self.before = self._count()

    def _count(self):
        return page(self.port, "/varz")["martlet"]["allocations"]

    def since(self):
        return {"allocations": self._count() - self.before} if self.counts else {}


def sleep_until(moment_ns):
    time.sleep(max(0, moment_ns - time.monotonic_ns()) / 1e9)


def run(system, workload, mode, cores, warmup, seconds, rate=None):
    """The figures of one run, or {"error": …}. `rate` is the workload's own unless it is given."""
    about = {"system": system.name, "workload": workload.name, "mode": mode}
    asked = workload.rate if rate is None else rate
    if asked is not None:
        about["asked"] = asked
    try:
        with Server(system, mode, cores[0]) as server, Generator(
                server, workload.arguments(rate), mode, cores[1], warmup, seconds) as generator:
            allocations = Allocations(server)
            sleep_until(generator.start_ns)
            before = sample(server, generator)
            sleep_until(generator.end_ns)
            after = sample(server, generator)
            report = generator.report()
            found = {**figures(report, before, after), **allocations.since()}
    except (RuntimeError, OSError, subprocess.SubprocessError, ValueError) as failure:
        return {**about, "error": str(failure)}
    if report.get("wrong"):
        return {**about, "error": f"{report['wrong']:,} wrong replies: {report.get('example')}"}
    return {**about, **found}


def sample(server, generator):
    server.check()
    return processes.sample(server.pids, generator.pid)


def figures(report, before, after):
    """What counts of a report and of two samples, in one flat dictionary. Costs are of the broker
    and its services together, and of either apart."""
    elapsed = (after.moment_ns - before.moment_ns) / 1e9
    used = [processes.used(*pair) for pair in zip(before.servers, after.servers)]
    user, kernel = (sum(part) for part in zip(*used))
    threads_before, threads_after = before.server_threads, after.server_threads
    result = {
        "rate": report["received_per_second"],
        **report.get("latency_us", {}),
        "memory": sum(server.resident_bytes for server in after.servers) / 2**20,
        "broker_share": (user + kernel) / elapsed,
        "generator_busy": report.get("generator_busy", 0.0),
        "lateness_p99": report.get("lateness_us", {}).get("p99", 0.0),
        "lost": report["lost"],
        "on_time": report["valid"],
        "steal_ms": (after.steal - before.steal) * 1e3,
        "broker_delay_ms": processes.delay_ms(threads_before, threads_after),
        "generator_delay_ms": processes.delay_ms(
            before.generator_threads, after.generator_threads),
        **{name: report[name] for name in KEPT if name in report},
    }
    # The samples may be a little apart from what was counted.
    messages = report["received_per_second"] * elapsed
    if messages > 0:
        of_broker, *of_services = map(sum, used)
        for name, seconds in (
                ("cpu_user", user), ("cpu_kernel", kernel), ("cpu", user + kernel),
                ("cpu_broker", of_broker), ("cpu_service", sum(of_services))):
            result[name] = seconds * 1e6 / messages
    if "large_latency_us" in report:
        result["large_p50"] = report["large_latency_us"]["p50"]
        result["large_p99"] = report["large_latency_us"]["p99"]
    return result
