"""Runs that count instead of timing: allocations, and how long turns of the loop are."""

import dataclasses
import subprocess

from martlet import ALLOCATIONS, Counter

from ..measure import Generator, sleep_until
from ..server import Server, page
from ..systems import PINNED
from .workload import RATE, WORKLOAD

# As many as tests of allocations warm up with, 10,000 messages a connection.
WARMUP_SECONDS = 8 * 10_000 / RATE + 0.4
SECONDS = 3.0
# Counting ends this much before the load does, because connections that close take memory.
MARGIN_NS = 100_000_000
# Load that is later than this comes in bursts, which is another load; and when the process stood still
# for so long, the broker logs that, which takes memory.
LATENESS_US_MOST, STANDSTILL_MS_LEAST = 1_000, 100
THREAD_CLOCK, WALL_CLOCK = "thread", "wall"
# A turn that the machine makes long would be logged, and a log line allocates.
CONFIGURATION = """http: 127.0.0.1:{{monitor_port}}
martlet {{{{ turn_clock: {clock}, stall_threshold: 60s }}}}
"""


@dataclasses.dataclass(frozen=True)
class Counted:
    """What was counted while so many requests were answered."""
    messages: int
    # Calls that take memory; None without the shim.
    allocations: int | None
    longest_turn_us: float
    # How many turns took up to 1, 2, 4 … µs, and longer.
    turns: tuple
    # Why it says nothing, if it does not.
    void: str | None = None


@dataclasses.dataclass(frozen=True)
class Counts:
    """Runs by the clock that turns were measured with, each a Counted or why there is none."""
    by_clock: dict
    # Why allocations were not counted, if they were not.
    no_allocations: str | None


def count(martlet, cores):
    """Turns by both clocks; allocations too, where the shim that counts them can be built."""
    counter, reason = shim()
    if reason:
        print(f"allocations are not counted: {reason}", flush=True)
    try:
        return Counts(
            {clock: attempt(martlet, counter, clock, cores)
             for clock in (THREAD_CLOCK, WALL_CLOCK)}, reason)
    finally:
        if counter:
            counter.close()


def shim():
    """What counts, or why there is nothing."""
    try:
        return Counter(), None
    except FileNotFoundError as failure:
        return None, f"there is no C compiler ({failure.filename}, or what $CC names)"
    except subprocess.CalledProcessError:
        return None, "the C compiler does not build Tests/AllocationTests/counter.c"


def attempt(martlet, counter, clock, cores):
    print(f"counting, turns by the clock '{clock}'", flush=True)
    try:
        return run(martlet, counter, clock, cores)
    except (RuntimeError, OSError, subprocess.SubprocessError, ValueError) as failure:
        return str(failure)


def run(martlet, counter, clock, cores):
    counts = counter.page() if counter else None
    system = dataclasses.replace(
        martlet, arguments=(*martlet.arguments, "-c", "{folder}/claim.conf"),
        files=(("claim.conf", CONFIGURATION.format(clock=clock)),),
        environment=tuple(counts.environment.items()) if counts else ())
    with Server(system, PINNED, cores[0]) as server, Generator(
            server, WORKLOAD.arguments(), PINNED, cores[1], WARMUP_SECONDS, SECONDS) as generator:
        sleep_until(generator.start_ns)
        before = allocations(counts)
        sleep_until(generator.end_ns - MARGIN_NS)
        after = allocations(counts)
        own = page(server.places["monitor_port"], "/varz")["martlet"]
        report = generator.report()
    return Counted(
        messages=round(report["received_per_second"] * (SECONDS - MARGIN_NS / 1e9)),
        allocations=after - before if counts else None,
        longest_turn_us=own["longest_turn_ns"] / 1_000, turns=tuple(own["turns_by_log2_us"]),
        void=why_void(report["lateness_us"]["p99"], own["standstills"]["longest_ns"] / 1e6))


def why_void(lateness_us, standstill_ms):
    if standstill_ms >= STANDSTILL_MS_LEAST:
        return f"void: the broker's process stood still for {standstill_ms:,.0f} ms"
    if lateness_us > LATENESS_US_MOST:
        return f"void: the generator was late, with a p99 of {lateness_us:,.0f} µs"
    return None


def allocations(counts):
    if counts is None:
        return 0
    read = counts.read()
    if not read["malloc"]:
        raise RuntimeError("the shim counts nothing; is the binary linked statically?")
    return sum(read[kind] for kind in ALLOCATIONS)
