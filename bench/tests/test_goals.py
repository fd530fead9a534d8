"""The goals that are checked in, and how they are judged."""

import pytest

from compare import goals, table
from compare.figures import FIGURES, Spread
from compare.goals import MET, MISSED, OPEN, Goal
from compare.workloads import BY_NAME

from test_figures import run


def spread(median):
    return Spread(median, median, median, 5)


def test_every_goal_names_a_workload_and_a_figure_and_one_limit():
    checked_in = goals.load()
    assert checked_in
    for goal in checked_in:
        assert goal.workload in BY_NAME
        assert goal.mode in table.MODES
        assert goal.figure in FIGURES
        assert (goal.most is None) != (goal.least is None)


@pytest.mark.parametrize("limit, median, verdict", [
    ({"most": 0.6}, 0.6, MET), ({"most": 0.6}, 0.61, MISSED),
    ({"least": 1.5}, 1.5, MET), ({"least": 1.5}, 1.49, MISSED),
])
def test_a_goal_is_judged_by_the_median(limit, median, verdict):
    assert Goal("request-1", "pinned", "p50", **limit).verdict(spread(median)) == verdict


def test_a_goal_without_a_figure_is_open_and_not_met():
    goal = Goal("request-20k", "pinned", "p50", most=0.75)
    assert goal.verdict(goals.ratio(goal, [])) == OPEN
    other_mode = [run(mode="unpinned"), run("nats-server", mode="unpinned")]
    assert goal.verdict(goals.ratio(goal, other_mode)) == OPEN


def test_a_goal_takes_its_own_workload_mode_and_figure():
    goal = Goal("request-20k", "pinned", "p50", most=0.75)
    runs = [
        run(p50=10.0), run("nats-server", p50=20.0), run("redis", p50=1.0),
        run(mode="unpinned", p50=90.0), run("nats-server", workload="churn", p50=1.0)]
    assert goals.ratio(goal, runs).median == 0.5
