"""What is measured on so many cores within so many seconds, and what is left out."""

import dataclasses

from . import cores
from .loads import LOADS

NUMBERS = (1, 2, 4, 8, 16)
AUTO = "auto"
# Both servers as fast as it goes, then both at half of what the slower one has done.
RUNS_PER_GROUP = 4

WARMUP_SECONDS = 0.4
SECONDS_MIN, SECONDS_MAX = 0.5, 2.0
# Starting a server and the load, waiting for what is under way, and the end of all: a first guess.
OVERHEAD_SECONDS = 0.6


@dataclasses.dataclass(frozen=True)
class Case:
    """So many loops, or what the servers choose themselves with so many cores."""
    loops: object
    division: cores.Division

    @property
    def text(self):
        if self.loops != AUTO:
            return f"{self.loops} loop{'s' if self.loops > 1 else ''}"
        count = len(self.division.broker)
        return f"auto, {count} core{'s' if count > 1 else ''}"


@dataclasses.dataclass(frozen=True)
class Plan:
    # The most important first, so that nothing of these is missing if time runs out.
    cases: list
    left_out: list

    @property
    def groups(self):
        return [(case, load) for case in self.cases for load in LOADS]


def all_cases(available):
    """Every case that this machine has cores for, the most important first: one loop, as many as leave
    the load as many cores, auto, then those between, and last those that leave the load fewer."""
    count = len(available)
    fitting = [number for number in NUMBERS if number <= count]
    roomy = [number for number in fitting if 2 * number <= count] or fitting[:1]
    tight = [number for number in fitting if number not in roomy]
    # The largest before those between: with the smallest it tells how a server grows.
    order = [roomy[0], *roomy[:0:-1]]
    cases = [Case(number, cores.divide(available, number)) for number in (*order, *tight)]
    auto = Case(AUTO, cores.divide(available, max(1, count // 2)))
    return [*cases[:2], auto, *cases[2:]] if len(order) > 1 else [*cases[:1], auto, *cases[1:]]


def make(available, budget_seconds):
    """Cases as long as all loads of each fit with the shortest runs."""
    left_out = [
        f"{number} loops: there are {len(available)} cores"
        for number in NUMBERS if number > len(available)]
    chosen = []
    each = len(LOADS) * group_seconds(SECONDS_MIN, OVERHEAD_SECONDS)
    for case in all_cases(available):
        if (len(chosen) + 1) * each <= budget_seconds:
            chosen.append(case)
        else:
            left_out.append(f"{case.text}: no time for it within {budget_seconds:.0f} s")
    return Plan(chosen, left_out)


def group_seconds(seconds, overhead_seconds):
    return RUNS_PER_GROUP * (overhead_seconds + WARMUP_SECONDS + seconds)


def seconds_that_count(remaining_seconds, groups_left, overhead_seconds):
    """How long the runs of the next group may be, so that those after it have as much; None if there is
    no time for the next one."""
    if group_seconds(SECONDS_MIN, overhead_seconds) > remaining_seconds:
        return None
    fair = remaining_seconds / groups_left / RUNS_PER_GROUP - overhead_seconds - WARMUP_SECONDS
    return min(SECONDS_MAX, max(SECONDS_MIN, fair))
