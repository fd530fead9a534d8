"""In which order everything is measured, and what of it."""

import argparse

import pytest

from compare import __main__ as command
from compare import measure, rounds
from compare.comparisons import COMPARISONS
from compare.comparisons.brokers import BROKERS
from compare.comparisons.orders import MAXIMUM, NODE, ORDERS, QUICK, RULES
from compare.figures import sustains
from compare.systems import PINNED, UNPINNED

from test_figures import run


def keys(steps):
    return [(number, workload.name, mode, system.name) for number, workload, mode, system in steps]


def test_each_round_has_each_run_once_and_starts_with_another_system():
    found = keys(rounds.plan(
        BROKERS, list(BROKERS.systems()), BROKERS.workloads, [PINNED, UNPINNED], 2))
    assert len(found) == len(set(found))
    first = [key for key in found if key[:3] == (0, "full-16", PINNED)]
    second = [key for key in found if key[:3] == (1, "full-16", PINNED)]
    assert len(first) == len(second) == 5 and first[0][3] != second[0][3]
    assert {key[3] for key in found if key[2] == UNPINNED} == {"martlet", "nats-server"}
    assert {key[3] for key in found if key[1] == "churn"} == {"martlet", "nats-server", "node"}


def test_the_highest_rate_is_looked_for_at_the_end_of_each_round_and_from_where_it_was(monkeypatch):
    asked = []

    def once(system, workload, mode, cores, warmup, seconds, rate=None):
        if rate:
            asked.append((system.name, rate))
        rate = rate or workload.rate
        return run(
            system.name, workload=workload.name, asked=rate, rate=float(rate), lost=0,
            p99=100.0 if rate <= 4_000 else 20_000.0, steal_ms=0.0, generator_delay_ms=0.0)
    monkeypatch.setattr(measure, "run", once)
    systems = [system for system in ORDERS.systems() if system.name in (RULES, NODE)]
    saved = []
    steps = list(rounds.plan(ORDERS, systems, QUICK, [PINNED], 2))
    options = argparse.Namespace(warmup=0.1, seconds=0.1, quick=True)
    runs = rounds.measure_all(steps, (0, 0), options, lambda runs: saved.append(len(runs)))
    names = [(run["round"], run["workload"], run["system"]) for run in runs]
    assert len(names) == len(set(names)) == 12 and saved == [6, 12]
    assert names[0] == (0, "orders-1k", RULES) and names[6] == (1, "orders-1k", NODE)
    assert [name[1] for name in names[4:6]] == [MAXIMUM] * 2
    assert all(sustains(run) for run in runs if run["workload"] == MAXIMUM)
    # Of each system the second search starts with what the first one found, far from its start.
    for name in (RULES, NODE):
        found, _ = (
            run["asked"] for run in runs
            if run["workload"] == MAXIMUM and run["system"] == name)
        tries = [rate for system, rate in asked if system == name]
        assert 3_800 < found <= 4_000
        assert tries.count(found) == 2 and tries.count(8_000) == 1


def test_a_run_is_a_line():
    text = rounds.line(run(asked=30_000, lost=3, steal_ms=4.0, generator_delay_ms=0.0))
    for part in ("request-20k", "20,000/s", "3 lost", "not sustained", "stolen 4 ms"):
        assert part in text


@pytest.mark.parametrize("words, publishes", [
    ([], True), (["orders"], True), (["--seconds", "1"], True), (["validation"], True),
    (["--quick"], False), (["--scratch"], False), (["--rounds", "4"], False),
    (["validation", "--rounds", "8"], False), (["--modes", PINNED], False),
    (["--only", "full-16"], False), (["orders", "--systems", NODE], False),
    (["soak", "--minutes", "29"], False), (["soak"], True),
])
def test_only_the_whole_of_it_is_published(words, publishes):
    assert command.arguments(words).publishes is publishes


def test_modes_and_workloads_are_those_of_the_comparison(capsys):
    assert command.arguments([]).modes == [PINNED, UNPINNED]
    assert command.arguments(["--quick"]).modes == [PINNED]
    assert command.arguments(["--modes", UNPINNED, PINNED]).modes == [PINNED, UNPINNED]
    assert command.arguments(["loops"]).modes == [UNPINNED]
    for words in (["orders", "--modes", UNPINNED], ["orders", "--only", "full-16"]):
        with pytest.raises(SystemExit):
            command.arguments(words)
        assert f"'orders' has no {words[-1]}" in capsys.readouterr().err


def test_what_is_chosen_is_the_whole_the_quick_or_the_named_workloads():
    def names(*words):
        options = command.arguments(["orders", *words])
        return [workload.name for workload in rounds.chosen(ORDERS, options)]
    assert names()[-2:] == ["orders-50k", MAXIMUM] and names("--quick")[0] == "orders-1k"
    assert names("--only", "orders-20k") == ["orders-20k"]
    for words, most in ([], 1_000_000), (["--quick"], 8_000):
        only, = rounds.chosen(ORDERS, command.arguments(["orders", "--only", MAXIMUM, *words]))
        assert only.rate_most == most
    assert len(rounds.chosen(COMPARISONS["pace"], command.arguments(["pace", "--quick"]))) == 5
