"""How goals are judged."""

import pytest

from compare.figures import Spread
from compare.goals import MET, MISSED, OPEN, SUSTAINED, Goal

from test_figures import run


def goal(figure="p50", **changes):
    return Goal(**{
        "workload": "request-20k", "mode": "pinned", "figure": figure, "system": "martlet",
        "beside": "nats-server", "most": None, "least": None, **changes})


@pytest.mark.parametrize("limit, median, verdict", [
    ({"most": 0.6}, 0.6, MET), ({"most": 0.6}, 0.61, MISSED),
    ({"least": 1.5}, 1.5, MET), ({"least": 1.5}, 1.49, MISSED),
])
def test_a_goal_is_judged_by_the_median(limit, median, verdict):
    assert goal(**limit).verdict(Spread(median, 0.1, 9, 5)) == verdict


def test_a_goal_without_a_figure_is_open_and_not_met():
    wanted = goal(most=0.75)
    assert wanted.verdict(wanted.outcome([])) == OPEN
    other_mode = [run(mode="unpinned"), run("nats-server", mode="unpinned")]
    assert wanted.verdict(wanted.outcome(other_mode)) == OPEN


def test_a_goal_takes_its_own_workload_mode_figure_and_systems():
    runs = [
        run(p50=10.0), run("nats-server", p50=20.0), run("redis", p50=1.0),
        run(mode="unpinned", p50=90.0), run("nats-server", workload="churn", p50=1.0)]
    assert goal(most=0.75).outcome(runs).median == 0.5
    assert goal(most=0.75).outcome(runs, "redis").median == 0.05
    assert goal(most=0.75, beside="redis").outcome(runs).median == 10


def test_a_rate_that_the_generator_limits_may_meet_its_goal():
    runs = [run(rate=300.0, generator_busy=0.99), run("nats-server", rate=100.0)]
    assert goal("rate", least=1.5).outcome(runs).median == 3
    assert goal("rate", most=1.5).outcome(runs) is None


def rated(round_number=0, **changes):
    return run(round_number=round_number, **{"asked": 20_000, "lost": 0, **changes})


@pytest.mark.parametrize("runs, verdict", [
    ([rated(k) for k in range(3)], MET),
    ([rated(), rated(1, error="gone")], MISSED),
    # Most rounds are not all rounds.
    ([rated(), rated(1), rated(2, lost=3)], MISSED),
    # Late itself, the generator says nothing against a system.
    ([rated(), rated(1, on_time=False, lost=1)], MET),
    ([], OPEN),
])
def test_a_rate_is_sustained_if_every_round_that_counts_says_so(runs, verdict):
    wanted = goal(SUSTAINED, least=1)
    assert wanted.verdict(wanted.outcome(runs)) == verdict
