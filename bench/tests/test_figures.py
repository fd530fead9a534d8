"""Medians, spreads, ratios, and which runs count."""

import pytest

from compare import figures
from compare.figures import Spread


def run(system="martlet", round_number=0, **changes):
    values = {
        "system": system, "workload": "request-20k", "mode": "pinned", "round": round_number,
        "rate": 20_000.0, "p50": 50.0, "p99": 100.0, "cpu": 10.0, "memory": 20.0,
        "broker_share": 0.4, "generator_busy": 0.5, "on_time": True}
    return {**values, **changes}


def test_the_spread_is_the_median_with_the_least_and_the_most():
    assert Spread.of([9, 1, 4, 2]) == Spread(3, 1, 9, 4)
    assert Spread.of([5, None]) == Spread(5, 5, 5, 1)
    assert Spread.of([None]) is None


@pytest.mark.parametrize("changes, state", [
    ({}, figures.VALID),
    ({"on_time": False}, figures.VOID),
    ({"error": "no"}, figures.FAILED),
    ({"generator_busy": 0.95}, figures.COST_ONLY),
    ({"generator_busy": 0.95, "on_time": False}, figures.COST_ONLY),
    # Both at their limit: the broker is as slow as it looks.
    ({"generator_busy": 0.95, "broker_share": 0.97}, figures.VALID),
])
def test_the_state_of_a_run(changes, state):
    assert figures.state(run(**changes)) == state


def test_a_saturated_generator_leaves_the_cost_and_nothing_else():
    saturated = run(generator_busy=0.99)
    assert figures.usable(saturated, "cpu") == 10
    for figure in ("rate", "p50", "p99", "memory"):
        assert figures.usable(saturated, figure) is None


def test_a_void_run_counts_for_nothing():
    late = run(on_time=False)
    assert all(figures.usable(late, figure) is None for figure in figures.FIGURES)
    assert figures.spread([late, run(p50=60.0)], "p50") == Spread(60, 60, 60, 1)


def test_the_ratio_is_the_median_of_ratios_and_not_the_ratio_of_medians():
    mine = [run(round_number=k, p50=value) for k, value in enumerate([10, 20, 90])]
    other = [run("nats-server", k, p50=value) for k, value in enumerate([20, 100, 100])]
    assert figures.ratio(mine, other, "p50") == Spread(0.5, 0.2, 0.9, 3)


def test_a_round_in_which_either_run_is_void_has_no_ratio():
    mine = [run(round_number=0, p50=10), run(round_number=1, p50=10, on_time=False)]
    other = [run("nats-server", 0, p50=20), run("nats-server", 1, p50=10)]
    assert figures.ratio(mine, other, "p50") == Spread(0.5, 0.5, 0.5, 1)
    assert figures.ratio(mine[1:], other, "p50") is None
    assert figures.ratio(mine, [], "p50") is None


def test_a_rate_that_the_generator_limits_is_at_least_what_was_seen():
    mine = [run(rate=300.0, generator_busy=0.99)]
    other = [run("nats-server", rate=100.0)]
    assert figures.ratio(mine, other, "rate") is None
    assert figures.rate_at_least(mine, other).median == 3
    limited = [run("nats-server", rate=100.0, generator_busy=0.99)]
    assert figures.rate_at_least(mine, limited) is None


def test_states_in_words():
    assert figures.states([run(), run()]) == "2"
    assert figures.states([run(), run(on_time=False), run(error="x")]) == "1 valid, 1 void, 1 failed"


@pytest.mark.parametrize("changes, expected", [
    ({}, True), ({"rate": 19_800.0}, True), ({"rate": 19_700.0}, False), ({"lost": 1}, False),
    ({"p99": 9_999.0}, True), ({"p99": 10_000.0}, False), ({"error": "no"}, False),
])
def test_what_sustains_a_rate(changes, expected):
    assert figures.sustains(run(**{"asked": 20_000, "lost": 0, **changes})) is expected
