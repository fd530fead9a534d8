"""What the kernel says of processes and of the machine, read without any load of its own."""

import dataclasses
import os
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclasses.dataclass(frozen=True)
class Usage:
    """How far a process has come. `threads` maps a thread to the nanoseconds that it ran and that
    it was kept from running though it could."""
    user: float
    system: float
    resident_bytes: int
    threads: dict


@dataclasses.dataclass(frozen=True)
class Sample:
    """One moment of a system's processes, the broker first, and of the generator."""
    moment_ns: int
    servers: list
    generator_threads: dict
    steal: float

    @property
    def server_threads(self):
        return {
            thread: times for server in self.servers for thread, times in server.threads.items()}


def sample(servers, generator):
    """How far the processes with these numbers have come."""
    return Sample(
        moment_ns=time.monotonic_ns(), servers=[usage(pid) for pid in servers],
        generator_threads=threads(generator), steal=steal_seconds())


def usage(pid):
    user, system = processor_seconds(pid)
    return Usage(user, system, resident_bytes(pid), threads(pid))


def processor_seconds(pid):
    fields = read(f"/proc/{pid}/stat").rsplit(b")", 1)[1].split(None, 14)
    return int(fields[11]) / TICKS_PER_SECOND, int(fields[12]) / TICKS_PER_SECOND


def resident_bytes(pid):
    return int(read(f"/proc/{pid}/statm").split(None, 2)[1]) * PAGE_BYTES


def threads(pid):
    found = {}
    folder = f"/proc/{pid}/task"
    for thread in os.listdir(folder):
        try:
            ran, waited, _ = read(f"{folder}/{thread}/schedstat").split()
        except (OSError, ValueError):
            continue  # it has just ended
        found[int(thread)] = (int(ran), int(waited))
    return found


def steal_seconds():
    """What the machine below took from all cores of this one."""
    return int(read("/proc/stat").split(None, 9)[8]) / TICKS_PER_SECOND


def read(path):
    """The start of a small file, without the cost of Python's own files: all of a sample takes a
    third of a millisecond, so that in a long run this program takes no time from the broker that
    matters."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, 1_024)
    finally:
        os.close(descriptor)


def delay_ms(before, after):
    """How long threads were kept from running between two moments."""
    return sum(
        waited - before.get(thread, (0, 0))[1] for thread, (_, waited) in after.items()) / 1e6


def ran_seconds(before, after):
    """How long threads ran between two moments, in seconds; those that ended are left out."""
    return sum(ran - before.get(thread, (0, 0))[0] for thread, (ran, _) in after.items()) / 1e9


def used(before, after):
    """User and kernel seconds of a process. The sum is to the nanosecond, its parts are in the
    proportion of what the kernel counts in ticks."""
    user, kernel = after.user - before.user, after.system - before.system
    total = ran_seconds(before.threads, after.threads)
    share = user / (user + kernel) if user + kernel > 0 else 0.5
    return total * share, total * (1 - share)


def busiest_delay_ms(before, after):
    """The same of the thread that ran most. Threads of a broker on one core wait for one another,
    which nobody has stolen; the one that does the work waits for few others."""
    if not after:
        return 0.0
    def ran(thread):
        return after[thread][0] - before.get(thread, (0, 0))[0]
    busiest = max(after, key=ran)
    return (after[busiest][1] - before.get(busiest, (0, 0))[1]) / 1e6


def stolen_ms(before, after):
    """Time that neither the broker nor the generator could have used."""
    return (
        (after.steal - before.steal) * 1e3
        + delay_ms(before.generator_threads, after.generator_threads)
        + busiest_delay_ms(before.server_threads, after.server_threads))
