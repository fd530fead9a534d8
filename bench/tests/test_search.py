"""The search for a highest rate, with systems that are made up."""

import pytest

from compare import search


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
