"""Which cores the broker gets, and which the load. Nothing here measures."""

import dataclasses
import os
import pathlib

TOPOLOGY = pathlib.Path("/sys/devices/system/cpu")
# A client does about as much for a message as the broker, and must have time left.
PROCESSES_PER_CORE = 4
PROCESSES_MAX = 32


@dataclasses.dataclass(frozen=True)
class Core:
    """What the kernel schedules on; `place` is what it shares with its hardware siblings."""
    number: int
    place: tuple


@dataclasses.dataclass(frozen=True)
class Division:
    """The broker's cores and those of the load, one for each of its processes."""
    broker: tuple
    load: tuple
    # The load has no cores of its own: each of its processes may run on all of them.
    is_shared: bool = False
    # Some of the load's cores are the other hardware threads of the broker's.
    has_siblings: bool = False

    def affinity(self, process):
        return set(self.load) if self.is_shared else {self.load[process]}

    @property
    def text(self):
        count = len(self.load)
        processes = f"{count} process{'es' if count > 1 else ''}"
        if self.is_shared:
            return f"broker and load ({processes}) share {ranges(self.broker)}"
        siblings = ", hardware siblings of the broker's among them" if self.has_siblings else ""
        few = ", fewer than the broker's" if count < len(self.broker) else ""
        return (f"broker {ranges(self.broker)}; load {ranges(self.load)} "
                f"({processes}, one a core{few}{siblings})")


def available():
    """The cores that this process may use."""
    return [Core(number, place(number)) for number in sorted(os.sched_getaffinity(0))]


def place(number):
    folder = TOPOLOGY / f"cpu{number}/topology"
    try:
        return tuple(
            int((folder / name).read_text()) for name in ("physical_package_id", "core_id"))
    except (OSError, ValueError):
        return (0, -1 - number)


def ordered(cores):
    """One thread of each physical core first, package by package, then the second ones."""
    seen = {}
    ranked = []
    for core in sorted(cores, key=lambda core: core.number):
        rank = seen[core.place] = seen.get(core.place, -1) + 1
        ranked.append((rank, core.place[0], core.number, core))
    return [core for *_, core in sorted(ranked, key=lambda entry: entry[:3])]


def divide(cores, broker_count):
    """So many cores for the broker, and for the load a power of two of others, so that its senders
    can be split evenly. Without others the load shares the broker's."""
    order = ordered(cores)
    broker, others = order[:broker_count], order[broker_count:]
    numbers = tuple(core.number for core in broker)
    if not others:
        count = power_of_two(min(broker_count, PROCESSES_MAX))
        return Division(numbers, numbers[:count], is_shared=True)
    places = {core.place for core in broker}
    others.sort(key=lambda core: core.place in places)  # stable: siblings last
    load = others[:power_of_two(
        min(len(others), PROCESSES_PER_CORE * broker_count, PROCESSES_MAX))]
    return Division(
        numbers, tuple(core.number for core in load),
        has_siblings=any(core.place in places for core in load))


def power_of_two(most):
    """The largest that is not more."""
    return 1 << (most.bit_length() - 1)


def ranges(numbers):
    """Numbers as 0-3, 8."""
    found = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ", ".join(f"{first}-{last}" if last > first else f"{first}" for first, last in found)
