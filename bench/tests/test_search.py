"""The search for a highest rate, with systems that are made up."""

import pytest

from compare import figures, search
from compare.figures import sustains

from test_figures import run


class Fake:
    """Works up to a limit, and remembers what it was asked."""

    def __init__(self, limit):
        self.limit = limit
        self.asked = []

    def __call__(self, number):
        self.asked.append(number)
        return number <= self.limit


@pytest.mark.parametrize("limit", [1_000, 1_499, 9_999, 10_000, 20_001, 137_000, 1_900_000])
@pytest.mark.parametrize("start, factor", [(10_000, 2.0), (10_000, 1.15), (150_000, 1.15)])
def test_what_is_found_works_and_a_little_more_does_not(limit, start, factor):
    system = Fake(limit)
    found = search.highest(system, start, factor)
    assert found in system.asked and found <= limit
    assert found * 1.05 >= limit or min(n for n in system.asked if n > limit) <= found * 1.05


def test_a_good_start_takes_few_tries():
    cold, warm = Fake(98_000), Fake(98_000)
    search.highest(cold, 10_000)
    search.highest(warm, 97_000, factor=1.15)
    assert len(warm.asked) <= 5 < len(cold.asked) <= 11


def test_nothing_is_asked_twice():
    system = Fake(43_210)
    search.highest(system, 10_000)
    assert len(system.asked) == len(set(system.asked))


def test_a_system_that_never_works_has_no_highest():
    system = Fake(0)
    assert search.highest(system, 10_000) is None
    assert min(system.asked) == 1_000


def test_a_system_that_always_works_has_the_most_that_is_tried():
    system = Fake(10**9)
    assert search.highest(system, 10_000, most=300_000) == 300_000
    assert max(system.asked) == 300_000


class Limited:
    """A system with a limit, and a generator with one of its own."""

    def __init__(self, limit, generator=10**9):
        self.limit, self.generator = limit, generator
        self.asked = []

    def run(self, rate):
        self.asked.append(rate)
        late = rate > self.limit or rate > self.generator
        return run(
            asked=rate, rate=float(rate), lost=0, p99=20_000.0 if late else 100.0,
            generator_busy=0.99 if rate > self.generator else 0.5)


def test_a_highest_rate_is_looked_for_and_then_looked_at_again():
    system = Limited(70_000)
    first = search.highest_run(system.run, 1_000_000)
    assert 66_000 < first["rate"] <= 70_000
    assert sustains(first) and "limited_by" not in first
    count = len(system.asked)
    assert 66_000 < search.highest_run(system.run, 1_000_000, first["asked"])["rate"] <= 70_000
    assert len(system.asked) - count < count


def test_a_highest_rate_that_the_generator_limits_says_so():
    system = Limited(10**9, generator=70_000)
    assert search.highest_run(system.run, 1_000_000)["limited_by"] == "generator"
    assert search.highest_run(Limited(10**9).run, 50_000)["limited_by"] == "generator"


def test_a_try_in_which_the_generator_was_late_is_made_again():
    system = Limited(70_000)
    tries = []

    def late_at_first(rate):
        tries.append(rate)
        found = system.run(rate)
        return found if tries.count(rate) > 1 else {**found, "on_time": False, "p99": 20_000.0}
    found = search.highest_run(late_at_first, 1_000_000)
    assert 66_000 < found["rate"] <= 70_000 and figures.state(found) == figures.VALID


def test_a_system_that_sustains_nothing_is_a_failed_run():
    found = search.highest_run(Limited(0).run, 1_000_000)
    assert figures.state(found) == figures.FAILED and "no rate" in found["error"]
