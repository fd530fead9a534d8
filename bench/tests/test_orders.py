"""Orders: what is made of their runs, and short runs of every system."""

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import xml.dom.minidom

import pytest

from compare import document, figures, measure, order_goals, order_run, order_systems
from compare import order_table, orders
from compare.figures import FIGURES, Spread
from compare.goals import MET, MISSED, OPEN
from compare.order_goals import MAXIMUM, SUSTAINED, OrderGoal
from compare.order_systems import ECHO, NODE, PLAIN, RULES
from compare.systems import UNPINNED

from test_document import results
from test_figures import run

SYSTEMS = {system.name: system for system in order_systems.order_systems()}


def order(system=RULES, asked=20_000, round_number=0, **changes):
    return run(system, round_number, **{
        "workload": order_run.workload_name(asked), "asked": asked, "rate": float(asked), "lost": 0,
        "cpu": 6.0, "cpu_user": 2.0, "cpu_kernel": 4.0, "cpu_broker": 6.0, "cpu_service": 0.0,
        "p99.9": 150.0, "max": 900.0, "broker_share": 0.12, "steal_ms": 0.0,
        "generator_delay_ms": 0.0, **changes})


def shown(runs):
    return {**results(runs), "systems": {
        RULES: "martlet rules: rules", PLAIN: "martlet plain: none", NODE: "node: by hand"}}


@pytest.mark.parametrize("changes, expected", [
    ({}, True), ({"rate": 19_800.0}, True), ({"rate": 19_700.0}, False), ({"lost": 1}, False),
    ({"p99": 9_999.0}, True), ({"p99": 10_000.0}, False), ({"error": "no"}, False),
])
def test_what_sustains_a_rate(changes, expected):
    assert order_run.sustains(order(**changes)) is expected


def test_every_goal_names_a_load_and_a_system_and_one_limit():
    loads = {order_run.workload_name(rate) for rate in orders.RATES} | {MAXIMUM}
    checked_in = order_goals.load()
    assert checked_in
    for goal in checked_in:
        assert goal.workload in loads and goal.beside in SYSTEMS
        assert goal.figure in (*FIGURES, SUSTAINED)
        assert (goal.most is None) != (goal.least is None)
        assert order_table.title(goal.workload)


def test_a_goal_takes_the_ratio_of_its_own_load_and_system():
    runs = [
        order(cpu_user=2.0), order(NODE, cpu_user=20.0), order(PLAIN, cpu_user=4.0),
        order(asked=5_000, cpu_user=99.0)]
    goal = OrderGoal("orders-20k", "cpu_user", NODE, most=0.1667)
    assert order_goals.outcome(goal, runs).median == 0.1
    assert goal.verdict(order_goals.outcome(goal, runs)) == MET
    assert goal.verdict(Spread.of([0.2])) == MISSED
    assert goal.verdict(order_goals.outcome(goal, [])) == OPEN


@pytest.mark.parametrize("runs, verdict", [
    ([order(asked=50_000, round_number=k) for k in range(3)], MET),
    ([order(asked=50_000), order(asked=50_000, round_number=1, error="gone")], MISSED),
    ([order(asked=50_000, lost=3)], MISSED),
    # Late itself, the generator says nothing against a system.
    ([order(asked=50_000), order(asked=50_000, round_number=1, on_time=False, lost=1)], MET),
    ([], OPEN),
])
def test_a_rate_is_sustained_if_every_round_that_counts_says_so(runs, verdict):
    goal = OrderGoal("orders-50k", SUSTAINED, NODE, least=1)
    assert goal.verdict(order_goals.outcome(goal, runs)) == verdict


def test_lines_between_points():
    points = [(20, 0.4), (10, 0.2), (50, 1.0)]
    assert order_goals.crossing(points, 0.7) == pytest.approx(35)
    assert order_goals.crossing(points, 1.1) is None
    assert order_goals.crossing(points, 0.1) == 10 and order_goals.crossing([], 0.9) is None
    assert order_goals.at(points, 15) == pytest.approx(0.3)
    assert order_goals.at(points, 51) is None


def test_what_martlet_takes_where_node_has_filled_its_core():
    runs = [
        order(NODE, 10_000, broker_share=0.5), order(NODE, 20_000, broker_share=1.0),
        order(RULES, 10_000, broker_share=0.05), order(RULES, 20_000, broker_share=0.1)]
    text = order_table.busy_line(shown(runs))
    assert "At 18,000 requests/s" in text and "**9 %**" in text
    assert "did not pass" in order_table.busy_line(shown(runs[:1]))
    assert "not measured" in order_table.busy_line(shown(runs[:3]))


def test_the_tables_show_goals_parts_and_what_does_not_count():
    runs = [
        order(allocations=0), order(NODE, cpu=60.0, cpu_user=40.0, cpu_service=0.0),
        order(PLAIN, on_time=False),
        order(rate=81_000.0, workload=MAXIMUM, limited_by="generator"),
        order(NODE, workload=MAXIMUM, error="no rate is sustained")]
    text = order_table.section(shown(runs))
    assert "| 20,000 requests/s | user CPU per request | node | ≤ 0.167 | 0.05 | – | 1 of 1 | met |" \
        in text
    assert "| ≥ 81,000 |" in text and "1 void" in text and "1 failed" in text
    row = next(line for line in text.splitlines() if line.startswith("| martlet rules | 20,000"))
    assert row == ("| martlet rules | 20,000 | 2.00 | 4.00 | 6.00 | 6.00 | – | 50.0 | 100 | 150 "
                   "| 900 | 0 | 0 | 1 |")


def test_a_sustained_rate_is_shown_in_rounds_and_beside_the_other_system():
    runs = [
        order(asked=50_000), order(NODE, 50_000, p99=40_000.0), order(ECHO, 50_000),
        order(ECHO, 20_000, cpu=5.0), order(NODE, 20_000, cpu=50.0)]
    text = order_table.goal_table(shown(runs))
    assert "| all rounds | in 1 of 1; node in 0 of 1 | in 1 of 1 | 1 of 1 | met |" in text
    # The floor's ratio stands beside a goal also where Martlet has none.
    assert "| 20,000 requests/s | CPU per request | node | ≤ 0.333 | – | 0.10 | 0 of 1 |" in text


def test_everything_is_written_also_when_every_run_failed(tmp_path, monkeypatch):
    monkeypatch.setattr(orders.machine, "ROOT", tmp_path)
    failed = order(error="it does not listen")
    for runs in ([failed], [order(), order(NODE), order(workload=MAXIMUM)]):
        orders.write(shown(runs), tmp_path, publishes=False)
        pictures = list(tmp_path.glob("orders-*.svg"))
        assert len(pictures) == 3
        for picture in pictures:
            xml.dom.minidom.parse(str(picture))
        assert "C echo" in (tmp_path / "orders.md").read_text()


def test_the_page_has_the_markers():
    page = document.PAGE.read_text()
    for name in ("orders", "validation"):
        document.replace_section(page, name, "text")


class Limited:
    """A system with a limit, and a generator with one of its own."""

    name = "made up"

    def __init__(self, limit, generator=10**9):
        self.limit, self.generator = limit, generator
        self.asked = []

    def run(self, _, rate):
        self.asked.append(rate)
        late = rate > self.limit or rate > self.generator
        return order(
            self.name, rate, p99=20_000.0 if late else 100.0,
            generator_busy=0.99 if rate > self.generator else 0.5)


def test_a_highest_rate_is_looked_for_and_then_looked_at_again():
    system = Limited(70_000)
    maximum = orders.Maximum(system.run, most=1_000_000)
    first = maximum.look(system)
    assert first["workload"] == MAXIMUM and 66_000 < first["rate"] <= 70_000
    assert order_run.sustains(first) and "limited_by" not in first
    count = len(system.asked)
    assert 66_000 < maximum.look(system)["rate"] <= 70_000
    assert len(system.asked) - count < count


def test_a_highest_rate_that_the_generator_limits_says_so():
    system = Limited(10**9, generator=70_000)
    assert orders.Maximum(system.run, 1_000_000).look(system)["limited_by"] == "generator"
    free = Limited(10**9)
    assert orders.Maximum(free.run, 50_000).look(free)["limited_by"] == "generator"


def test_a_try_in_which_the_generator_was_late_is_made_again():
    system = Limited(70_000)
    tries = []

    def late_at_first(which, rate):
        tries.append(rate)
        found = system.run(which, rate)
        return found if tries.count(rate) > 1 else {**found, "on_time": False, "p99": 20_000.0}
    found = orders.Maximum(late_at_first, 1_000_000).look(system)
    assert 66_000 < found["rate"] <= 70_000 and figures.state(found) == figures.VALID


def test_a_system_that_sustains_nothing_is_a_failed_run():
    system = Limited(0)
    found = orders.Maximum(system.run, 1_000_000).look(system)
    assert figures.state(found) == figures.FAILED and found["workload"] == MAXIMUM


@pytest.fixture(scope="module")
def prepared():
    order_systems.prepare()
    if not measure.LOAD.is_file():
        pytest.skip("martlet-load is not built")
    return {system.name: system for system in order_systems.order_systems()}


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_answers_every_order(prepared, name):
    system = prepared[name]
    if system.path is None:
        pytest.skip(f"{name} is not installed")
    assert system.version_text().startswith(name)
    found = order_run.run(system, 300, UNPINNED, (0, 0), 0.2, 0.4)
    assert "error" not in found, found
    assert found["lost"] == 0 and found["rate"] > 0 and found["cpu"] > 0
    assert found["cpu"] == pytest.approx(found["cpu_broker"] + found["cpu_service"])
    assert (found["cpu_service"] > 0) == bool(system.responder)
    assert ("allocations" in found) == system.counts_allocations


def test_a_service_that_ends_is_a_failed_run_with_its_reason(prepared):
    system = prepared["nats + python"]
    if system.path is None:
        pytest.skip("nats-server is not installed")
    for program, reason in (("raise SystemExit('no way')", "no way"),
                            ("print('ready', flush=True)", "has ended")):
        broken = dataclasses.replace(system, responder=(sys.executable, "-c", program))
        found = order_run.run(broken, 300, UNPINNED, (0, 0), 0.1, 0.2)
        assert reason in found["error"]


def test_a_wrong_reply_is_a_failed_run(prepared, monkeypatch, tmp_path):
    other = tmp_path / "order.json"
    other.write_text(order_systems.DOCUMENT.read_text().replace('"GB"', '"gb"'))
    monkeypatch.setattr(order_run, "DOCUMENT", other)
    if prepared[NODE].path is None:
        pytest.skip("Node.js is not installed")
    found = order_run.run(prepared[NODE], 300, UNPINNED, (0, 0), 0.1, 0.2)
    assert "wrong replies" in found["error"] and "country" in found["error"]


def test_rounds_start_with_another_system_and_end_with_the_highest_rates(monkeypatch):
    asked = []

    def once(system, rate, *_):
        asked.append(system.name)
        return order(system.name, rate, p99=100.0 if rate <= 4_000 else 20_000.0, memory=20.0)
    monkeypatch.setattr(order_run, "run", once)
    options = argparse.Namespace(seconds=0.1, warmup=0.1, rounds=2, quick=True)
    saved = []
    systems = [SYSTEMS[RULES], SYSTEMS[NODE]]
    runs = orders.measure_all(systems, (1_000, 2_000), options, (0, 0), saved.append, most=8_000)
    names = [(run["round"], run["workload"], run["system"]) for run in runs]
    assert len(names) == len(set(names)) == 12 and len(saved) == 2
    assert names[0] == (0, "orders-1k", RULES) and names[6] == (1, "orders-1k", NODE)
    assert all(order_run.sustains(run) for run in runs if run["workload"] == MAXIMUM)


# What is changed in the order, which is right as it is.
FAULTS = (
    '"total":128.9=>"total":-1', '"total":128.9=>"total":"1"', '"total":128.9=>"total":true',
    '"GB"=>"gb"', '"gold"=>"tin"', '"gold"=>["gold"]', 'MRT-00417=>mrt-00417', 'MRT-00417=>MRT-0041',
    '"quantity":2=>"quantity":0', '"quantity":2=>"quantity":2.5', '"price":34.5=>"price":0',
    '"paid":true=>"paid":1', '"EUR"=>["EUR"]', '"EUR"=>"YEN"', '"paid"=>"other"',
    '"id":48213=>"id":0', '7c9e6679-=>7c9e6679', '"customer"=>"client"', '{"id"=>{"id')


@pytest.mark.parametrize("change", ["", *FAULTS])
def test_every_way_to_check_finds_the_same(prepared, change):
    text = order_systems.DOCUMENT.read_text()
    if change:
        old, new = change.split("=>")
        assert old in text
        text = text.replace(old, new, 1)
    for reply in (in_python(text), *in_node(prepared, text)):
        if change:
            assert json.loads(reply)["error"]
        else:
            assert reply == order_systems.REPLY


def in_python(text):
    sys.path.insert(0, str(order_systems.PEERS))
    try:
        import orders_responder
    finally:
        sys.path.pop(0)
    return orders_responder.quote(text.encode()).decode()


def in_node(prepared, text):
    """The replies by hand and of Ajv, as far as they are installed."""
    program = f"console.log(require('{order_systems.PEERS}/order.js').quote(process.argv[1]))"
    for name, option in ((NODE, []), ("node ajv", ["--ajv"])):
        system = prepared[name]
        if system.path is not None:
            yield subprocess.run(
                [system.path, "-e", program, "--", text, *option], capture_output=True, text=True,
                env={**os.environ, **dict(system.broker.environment)}, check=True).stdout.strip()
