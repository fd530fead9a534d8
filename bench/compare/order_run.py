"""One run of orders: a broker, perhaps a service beside it, the load, and what each used."""

import json
import os
import subprocess
import tempfile
import urllib.request

from . import measure, processes
from .order_systems import DOCUMENT, REPLY_FILE
from .systems import PINNED, Server

PAIRS = 8
# At least so much of the rate that was asked for, and at most so late, is sustained.
RATE_SHARE_MIN = 0.99
P99_MAX_US = 10_000


class Responder:
    """The service beside the broker, on the broker's core; nothing if the system has none."""

    def __init__(self, system, port, mode, core):
        self.process = None
        if not system.responder:
            return
        # A file: what is said in a pipe that nobody reads would stop the service some day.
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [part.format(port=port) for part in system.responder],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.errors, text=True,
            preexec_fn=(lambda: os.sched_setaffinity(0, {core})) if mode == PINNED else None)
        if self.process.stdout.readline().strip() != "ready":
            self.process.wait(10)
            raise self._failure()

    def check(self):
        """Raises if the service has ended."""
        if self.process and self.process.poll() is not None:
            raise self._failure()

    def _failure(self):
        self.errors.seek(0)
        return RuntimeError(f"the service has ended: {self.errors.read()[-500:].strip()}")

    @property
    def pids(self):
        return [self.process.pid] if self.process else []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.kill()
            self.process.communicate()
            self.errors.close()


def arguments(system, rate):
    return [
        "orders", "--document", str(DOCUMENT), "--expect", str(REPLY_FILE), "--rate", str(rate),
        "--pairs", str(PAIRS), *(["--respond"] if system.responds_itself else [])]


def run(system, rate, mode, cores, warmup, seconds):
    """The figures of one run, or {"error": …}."""
    about = {"system": system.name, "workload": workload_name(rate), "mode": mode, "asked": rate}
    try:
        with Server(system.broker, mode, cores[0]) as server, \
                Responder(system, server.port, mode, cores[0]) as responder, \
                measure.Generator(
                    server, arguments(system, rate), mode, cores[1], warmup, seconds) as generator:
            allocations = Allocations(system, server)
            measure.sleep_until(generator.start_ns)
            before = Moment(server, responder, generator)
            measure.sleep_until(generator.end_ns)
            after = Moment(server, responder, generator)
            report = generator.report()
            found = {**figures(report, before, after), **allocations.since()}
    except (RuntimeError, OSError, subprocess.SubprocessError, ValueError) as failure:
        return {**about, "error": str(failure)}
    if report["wrong"]:
        return {**about, "error": f"{report['wrong']:,} wrong replies: {report.get('example')}"}
    return {**about, **found}


def workload_name(rate):
    return f"orders-{rate / 1000:g}k"


class Moment:
    """How far all processes have come."""

    def __init__(self, server, responder, generator):
        responder.check()
        self.broker = processes.sample(server.pid, generator.pid)
        self.services = [processes.sample(pid, generator.pid) for pid in responder.pids]


class Allocations:
    """How often Martlet allocated, as /varz says, from the warm-up on."""

    def __init__(self, system, server):
        self.address = f"http://127.0.0.1:{server.monitor_port}/varz"
        self.before = self._count() if system.counts_allocations else None

    def _count(self):
        with urllib.request.urlopen(self.address, timeout=5) as answer:
            return json.load(answer)["martlet"]["allocations"]

    def since(self):
        return {} if self.before is None else {"allocations": self._count() - self.before}


def used(before, after):
    """User and kernel seconds of a process. The sum is to the nanosecond, its parts are in the
    proportion of what the kernel counts in ticks."""
    user, kernel = after.user - before.user, after.system - before.system
    total = processes.ran_seconds(before.threads, after.threads)
    share = user / (user + kernel) if user + kernel > 0 else 0.5
    return total * share, total * (1 - share)


def figures(report, before, after):
    """As of other runs, with the service's part in the sums and both parts apart."""
    result = measure.figures(report, before.broker, after.broker)
    elapsed = (after.broker.moment_ns - before.broker.moment_ns) / 1e9
    requests = max(1.0, result["rate"] * elapsed)
    broker = used(before.broker, after.broker)
    service = (0.0, 0.0)
    for earlier, later in zip(before.services, after.services):
        service = used(earlier, later)
        result["memory"] += later.resident_bytes / 2**20
        result["broker_delay_ms"] += processes.delay_ms(earlier.threads, later.threads)
    result["broker_share"] = (sum(broker) + sum(service)) / elapsed
    for name, seconds in (
            ("cpu_user", broker[0] + service[0]), ("cpu_kernel", broker[1] + service[1]),
            ("cpu", sum(broker) + sum(service)),
            ("cpu_broker", sum(broker)), ("cpu_service", sum(service))):
        result[name] = seconds * 1e6 / requests
    return result


def sustains(run):
    """Whether a system has done what it was asked for, in time."""
    return (
        "error" not in run and run["lost"] == 0 and run.get("p99", P99_MAX_US) < P99_MAX_US
        and run["rate"] >= RATE_SHARE_MIN * run["asked"])
