"""One run: a fresh server, the processes of the load, and the kernel's view of them."""

import collections
import json
import math
import os
import pathlib
import socket
import subprocess
import tempfile
import time

from compare import processes
from compare.server import Process, free_port

from .servers import congestion_arguments

POLL_SECONDS = 0.005
# Between the word that all are ready and the moment that all begin.
LEAD_SECONDS = 0.05
# More than so much of a run kept from running though they could, the load by whatever else the machine
# does, or the server's busiest thread, which others of its own may keep a little: the run is void.
LOAD_DELAY_MAX, SERVER_DELAY_MAX = 0.1, 0.25
PERCENTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999}


class Generator:
    """One process of martlet-load: it connects, waits to be told when to begin, and reports."""

    def __init__(self, command, log, cores):
        self.log = log
        with open(log, "wb") as output, open(f"{log}-errors", "wb") as errors:
            self.popen = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=output, stderr=errors,
                preexec_fn=lambda: os.sched_setaffinity(0, cores))

    @property
    def is_ready(self):
        self.check()
        return self.log.stat().st_size > 0

    def check(self):
        if self.popen.poll():
            said = pathlib.Path(f"{self.log}-errors").read_text().strip() or "no reason given"
            raise RuntimeError(f"the load failed: {said.splitlines()[0]}")

    def begin(self, moment_ns):
        self.popen.stdin.write(b"%d\n" % moment_ns)
        self.popen.stdin.close()

    @property
    def has_ended(self):
        self.check()
        return self.popen.poll() is not None

    def report(self):
        return json.loads(self.log.read_text().splitlines()[-1])

    def kill(self):
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait()
        if not self.popen.stdin.closed:
            self.popen.stdin.close()


class Trial:
    """A server and its load until the end of a `with`; nothing waits longer than until the deadline."""

    def __init__(self, deadline):
        self.deadline = deadline
        self.folder = tempfile.TemporaryDirectory(prefix="martlet-scale-")
        self.server, self.generators = None, []

    def start_server(self, server, case):
        port = free_port()
        self.server = Process(
            server.name, server.command(port, case.loops), self.path("server"),
            set(case.division.broker), self.folder.name,
            {**os.environ, **server.environment(case.loops)})
        self.wait(lambda: self.listens(port), f"{server.name} does not listen")
        return port

    def listens(self, port):
        if self.server.has_ended:
            raise RuntimeError(f"{self.server.name} has ended: {self.server.said()[-500:].strip()}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        except OSError:
            return False

    def start_load(self, commands, division):
        for number, command in enumerate(commands):
            self.generators.append(
                Generator(command, self.path(f"load-{number}"), division.affinity(number)))
        self.wait(lambda: all(one.is_ready for one in self.generators), "the load is not ready")

    def wait(self, condition, fault):
        while not condition():
            if time.monotonic() > self.deadline:
                raise RuntimeError(f"{fault} within the time that there is")
            time.sleep(POLL_SECONDS)

    def sample(self):
        """Nanoseconds by the clock, how far the server has come, and the load's threads."""
        usage = processes.usage(self.server.popen.pid)
        load = {}
        for generator in self.generators:
            load.update(processes.threads(generator.popen.pid))
        return time.monotonic_ns(), usage, load

    def path(self, name):
        return pathlib.Path(self.folder.name) / name

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for generator in self.generators:
            generator.kill()
        if self.server is not None:
            self.server.popen.kill()
            self.server.popen.wait()
        self.folder.cleanup()


def run(server, case, load, martlet_load, warmup, seconds, deadline, rate=None):
    """The figures of one run, or {"error": …}; `rate` is what is to be received a second, None is as
    fast as it goes. It has ended by `deadline`, of time.monotonic()."""
    division = case.division
    count = len(division.load)
    about = {"loops": case.loops, "load": load.name, "server": server.name,
             "asked": rate, "seconds": seconds}
    try:
        with Trial(deadline) as trial:
            port = trial.start_server(server, case)
            trial.start_load([
                [martlet_load, *load.arguments(process, count, rate), "--port", str(port),
                 "--warmup", str(warmup), "--duration", str(seconds), "--hold", "--histogram",
                 *congestion_arguments(), *(() if division.is_shared else ("--spin",))]
                for process in range(count)], division)
            begin = time.monotonic() + LEAD_SECONDS
            for generator in trial.generators:
                generator.begin(int(begin * 1e9))
            sleep_until(begin + warmup)
            before = trial.sample()
            sleep_until(begin + warmup + seconds)
            after = trial.sample()
            trial.wait(lambda: all(one.has_ended for one in trial.generators),
                       "the load has not ended")
            reports = [generator.report() for generator in trial.generators]
    except (RuntimeError, OSError, ValueError, IndexError) as failure:
        return {**about, "error": str(failure)}
    return {**about, **figures(reports, before, after, division, load.copies)}


def sleep_until(moment):
    time.sleep(max(0, moment - time.monotonic()))


def figures(reports, before, after, division, copies):
    """What counts of the reports of one run and of two samples; `broker_share` is of all its cores."""
    (begin, usage_before, load_before), (end, usage_after, load_after) = before, after
    elapsed = (end - begin) / 1e9
    user, kernel = used(usage_before, usage_after)
    rate = sum(report["received_per_second"] for report in reports)
    latency, lateness = (merged(reports, name) for name in ("latency_counts", "lateness_counts"))
    late = percentile(lateness, 0.99) if lateness else 0.0
    result = {
        "rate": rate,
        "lost": sum(report["sent"] * copies - report["received"] for report in reports),
        "cores": (user + kernel) / elapsed,
        "broker_share": (user + kernel) / elapsed / len(division.broker),
        "busiest_thread": busiest(usage_before.threads, usage_after.threads) / elapsed,
        "memory": usage_after.resident_bytes / 2**20,
        "generator_busy": max(report["generator_busy"] for report in reports),
        "generators_busy": [report["generator_busy"] for report in reports],
        "load_delay": longest_delay(load_before, load_after) / elapsed,
        "server_delay": processes.busiest_delay_ms(
            usage_before.threads, usage_after.threads) / 1e3 / elapsed,
        "lateness_p99": late,
        "on_time": False,
    }
    # On shared cores each waits for the others, and that is what is measured.
    result["is_disturbed"] = not division.is_shared and (
        result["load_delay"] > LOAD_DELAY_MAX or result["server_delay"] > SERVER_DELAY_MAX)
    if latency:
        result.update({name: percentile(latency, share) for name, share in PERCENTILES.items()})
        result["on_time"] = late * 10 <= result["p99"]
    if rate > 0:
        messages = rate * elapsed
        result.update(cpu=(user + kernel) * 1e6 / messages, cpu_user=user * 1e6 / messages,
                      cpu_kernel=kernel * 1e6 / messages)
    return result


def used(before, after):
    """User and kernel seconds; in ticks where the kernel does not count nanoseconds."""
    if after.threads:
        return processes.used(before, after)
    return after.user - before.user, after.system - before.system


def longest_delay(before, after):
    """Seconds that the thread could have run and did not which waited most."""
    return max((waited - before.get(thread, (0, 0))[1] for thread, (_, waited) in after.items()),
               default=0) / 1e9


def busiest(before, after):
    """Seconds that the thread ran which ran most."""
    return max(
        (ran - before.get(thread, (0, 0))[0] for thread, (ran, _) in after.items()), default=0) / 1e9


def merged(reports, name):
    """How often each value was seen by all processes together."""
    counts = collections.Counter()
    for report in reports:
        for value, count in report[name]:
            counts[value] += count
    return counts


def percentile(counts, share):
    """The least value, of nanoseconds in microseconds, that so many are not above."""
    wanted = max(1, math.ceil(share * sum(counts.values())))
    for value in sorted(counts):
        wanted -= counts[value]
        if wanted <= 0:
            return value / 1_000
    raise ValueError("nothing was counted")
