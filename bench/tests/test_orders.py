"""Orders: what is made of their runs, and short runs of every system."""

import dataclasses
import json
import os
import subprocess
import sys
import xml.dom.minidom

import pytest

from compare import busy_core, document, measure, table
from compare.comparisons import orders
from compare.comparisons.orders import ECHO, MAXIMUM, NODE, ORDERS, PLAIN, RULES
from compare.systems import UNPINNED

from test_document import results
from test_figures import run

SYSTEMS = {system.name: system for system in orders.systems()}


def order(system=RULES, asked=20_000, round_number=0, **changes):
    return run(system, round_number, **{
        "workload": f"orders-{asked // 1_000}k", "asked": asked, "rate": float(asked), "lost": 0,
        "cpu": 6.0, "cpu_user": 2.0, "cpu_kernel": 4.0, "cpu_broker": 6.0, "cpu_service": 0.0,
        "p99.9": 150.0, "max": 900.0, "broker_share": 0.12, "steal_ms": 0.0,
        "generator_delay_ms": 0.0, **changes})


def shown(runs):
    return {**results(runs), "systems": {
        RULES: "martlet rules: rules", PLAIN: "martlet plain: none", NODE: "node: by hand"}}


def test_lines_between_points():
    points = [(20, 0.4), (10, 0.2), (50, 1.0)]
    assert busy_core.crossing(points, 0.7) == pytest.approx(35)
    assert busy_core.crossing(points, 1.1) is None
    assert busy_core.crossing(points, 0.1) == 10 and busy_core.crossing([], 0.9) is None
    assert busy_core.at(points, 15) == pytest.approx(0.3)
    assert busy_core.at(points, 51) is None


def test_what_martlet_takes_where_node_has_filled_its_core():
    runs = [
        order(NODE, 10_000, broker_share=0.5), order(NODE, 20_000, broker_share=1.0),
        order(RULES, 10_000, broker_share=0.05), order(RULES, 20_000, broker_share=0.1)]
    remark, = ORDERS.remarks
    assert "At 18,000 requests/s Node.js" in remark(shown(runs))
    assert "Martlet uses **9 %**" in remark(shown(runs))
    assert "did not pass 90 % of" in remark(shown(runs[:1]))
    assert "not measured" in remark(shown(runs[:3]))


def test_the_tables_show_goals_parts_and_what_does_not_count():
    runs = [
        order(allocations=0), order(NODE, cpu=60.0, cpu_user=40.0, cpu_service=0.0),
        order(PLAIN, on_time=False),
        order(rate=81_000.0, workload=MAXIMUM, limited_by="generator"),
        order(NODE, workload=MAXIMUM, error="no rate is sustained")]
    text = ORDERS.section(ORDERS, shown(runs))
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
    text = table.goal_table(ORDERS, shown(runs))
    assert "| all rounds | in 1 of 1; node in 0 of 1 | in 1 of 1 | 1 of 1 | met |" in text
    # The floor's ratio stands beside a goal also where Martlet has none.
    assert "| 20,000 requests/s | CPU per request | node | ≤ 0.333 | – | 0.10 | 0 of 1 |" in text


def test_everything_is_written_also_when_every_run_failed(tmp_path, monkeypatch):
    monkeypatch.setattr(document, "ROOT", tmp_path)
    failed = order(error="it does not listen")
    for runs in ([failed], [order(), order(NODE), order(workload=MAXIMUM)]):
        document.write(ORDERS, shown(runs), tmp_path, publishes=False)
        pictures = list(tmp_path.glob("orders-*.svg"))
        assert len(pictures) == 3
        for picture in pictures:
            xml.dom.minidom.parse(str(picture))
        assert "C echo" in (tmp_path / "orders.md").read_text()


@pytest.fixture(scope="module")
def prepared():
    orders.prepare()
    if not measure.LOAD.is_file():
        pytest.skip("martlet-load is not built")
    return {system.name: system for system in orders.systems()}


def short_run(system, load=orders.LOAD):
    workload = dataclasses.replace(ORDERS.workloads[0], load=load, rate=300)
    return measure.run(system, workload, UNPINNED, (0, 0), 0.2, 0.4)


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_answers_every_order(prepared, name):
    system = prepared[name]
    if system.path is None:
        pytest.skip(f"{name} is not installed")
    assert system.version_text().startswith(name)
    found = short_run(system)
    assert "error" not in found, found
    assert found["lost"] == 0 and found["rate"] > 0 and found["cpu"] > 0
    assert found["cpu"] == pytest.approx(found["cpu_broker"] + found["cpu_service"])
    assert (found["cpu_service"] > 0) == bool(system.services)
    assert ("allocations" in found) == system.counts_allocations


def test_a_wrong_reply_is_a_failed_run(prepared, tmp_path):
    other = tmp_path / "order.json"
    other.write_text(orders.DOCUMENT.read_text().replace('"GB"', '"gb"'))
    if prepared[NODE].path is None:
        pytest.skip("Node.js is not installed")
    found = short_run(prepared[NODE], orders.LOAD.replace(str(orders.DOCUMENT), str(other)))
    assert "wrong replies" in found["error"] and "country" in found["error"]


# What is changed in the order, which is right as it is.
FAULTS = (
    '"total":128.9=>"total":-1', '"total":128.9=>"total":"1"', '"total":128.9=>"total":true',
    '"GB"=>"gb"', '"gold"=>"tin"', '"gold"=>["gold"]', 'MRT-00417=>mrt-00417', 'MRT-00417=>MRT-0041',
    '"quantity":2=>"quantity":0', '"quantity":2=>"quantity":2.5', '"price":34.5=>"price":0',
    '"paid":true=>"paid":1', '"EUR"=>["EUR"]', '"EUR"=>"YEN"', '"paid"=>"other"',
    '"id":48213=>"id":0', '7c9e6679-=>7c9e6679', '"customer"=>"client"', '{"id"=>{"id')


@pytest.mark.parametrize("change", ["", *FAULTS])
def test_every_way_to_check_finds_the_same(prepared, change):
    text = orders.DOCUMENT.read_text()
    if change:
        old, new = change.split("=>")
        assert old in text
        text = text.replace(old, new, 1)
    for reply in (in_python(text), *in_node(prepared, text)):
        if change:
            assert json.loads(reply)["error"]
        else:
            assert reply == orders.REPLY


def in_python(text):
    sys.path.insert(0, str(orders.PEERS))
    try:
        import orders_responder
    finally:
        sys.path.pop(0)
    return orders_responder.quote(text.encode()).decode()


def in_node(prepared, text):
    """The replies by hand and of Ajv, as far as they are installed."""
    program = f"console.log(require('{orders.PEERS}/order.js').quote(process.argv[1]))"
    for name, option in ((NODE, []), ("node ajv", ["--ajv"])):
        system = prepared[name]
        if system.path is not None:
            yield subprocess.run(
                [system.path, "-e", program, "--", text, *option], capture_output=True, text=True,
                env={**os.environ, **dict(system.environment)}, check=True).stdout.strip()
