"""The tables of README.md, and where another system is ahead."""

import pytest

from compare import ahead, readme
from compare.comparisons import footprint
from compare.systems import MARTLET, brokers

from test_document import full_run, results


def run(system, **changes):
    return full_run(system, **{"workload": "request-50k", **changes})


def footprint_results(**changes):
    def of(ready, connections):
        return {"ready_ms": ready, "memory_mib": {
            "at start": 10.0, "connections": connections, "subscriptions": 40.0, "all gone": 30.0}}
    return {
        **results([]), "starts": 2, "connections": 1_024,
        "results": {"martlet": of([10.0, 12.0], 20.0), "nats-server": of([5.0, 6.0], 80.0)},
        **changes}


def rows_of(text, start):
    return [line for line in text.splitlines() if line.startswith(f"| {start}")]


def test_a_row_has_both_modes_the_range_and_how_many_rounds_count():
    compare = results([
        run("martlet", p50=40.0), run("martlet", p50=60.0, round=1),
        run("martlet", p50=9.0, round=2, on_time=False), run("nats-server", p50=90.0),
        run("nats-server", p50=80.0, mode="unpinned")])
    text = readme.section({"compare": compare})
    row, = rows_of(text, "50,000 requests a second, p50")
    assert row == "| 50,000 requests a second, p50 µs | 50.0 (40.0..60.0) | 90.0 | – | – | 80.0 " \
                  "| 2, 1, 0, 0, 1 |"
    assert "commit abc" in text


def test_a_rate_that_the_generator_limits_is_at_least_that():
    busy = run("martlet", workload="full-16", rate=5e6, generator_busy=0.99)
    row, = rows_of(readme.section({"compare": results([busy])}), "full rate")
    assert row.startswith("| full rate of 16 B, messages a second | ≥ 5,000,000 | – |")


def test_idle_memory_is_that_of_connections_that_do_nothing():
    text = readme.section({"footprint": footprint_results()})
    row, = rows_of(text, "memory MiB with 1,024 idle connections")
    assert row.endswith("| – | – | – | 20.0 | 80.0 | –, –, –, 1, 1 |")
    row, = rows_of(text, "ms from start")
    assert row.endswith("| 11.0 (10.0..12.0) | 5.50 (5.00..6.00) | –, –, –, 2, 2 |")


def test_where_another_system_is_ahead_stands_with_the_load_where_it_is_most():
    compare = results([
        run("martlet", memory=20.0), run("nats-server", memory=10.0),
        run("martlet", memory=30.0, workload="churn"),
        run("nats-server", memory=10.0, workload="churn"),
        run("martlet", memory=20.0, mode="unpinned"),
        run("nats-server", memory=19.5, mode="unpinned")])
    table = ahead.markdown({"compare": compare})
    rows = table.splitlines()[2:]
    assert len(rows) == 1
    assert rows[0].startswith("| resident memory | nats-server, one core | 50,000 requests/s, others")
    assert rows[0].endswith("| 30.0 | 10.0 | 3.00 | 1 | 2 |")


def test_more_messages_a_second_are_better():
    compare = results([run("martlet", rate=50.0), run("nats-server", rate=100.0)])
    row, = rows_of(ahead.markdown({"compare": compare}), "messages/s")
    assert row.endswith("| 50.0 | 100 | 2.00 | 1 | 1 |")
    assert ahead.markdown({"compare": results([run("martlet"), run("nats-server")])}) == "Nowhere."


def test_where_each_has_a_rate_of_its_own_that_rate_alone_is_compared():
    orders = results([run("martlet rules", workload="orders-maximum", p50=90.0, rate=100.0),
                      run("node", workload="orders-maximum", p50=10.0, rate=300.0)])
    rows = ahead.markdown({"orders": {**orders, "systems": {"martlet rules": "", "node": ""}}})
    row, = rows.splitlines()[2:]
    assert row.startswith("| requests/s | node, one core | orders: each one's highest rate")
    assert row.endswith("| 100 | 300 | 3.00 | 1 | 1 |")


def test_a_later_start_and_more_memory_when_all_have_gone_are_named():
    found = footprint_results()
    found["results"]["martlet"]["memory_mib"]["all gone"] = 60.0
    rows = ahead.markdown({"footprint": found}).splitlines()[2:]
    assert rows == [
        "| ms to take a connection | nats-server | start | 11.0 (10.0..12.0) | 5.50 (5.00..6.00) | 2.00 "
        "| 2 | 1 |",
        "| memory of idle connections | nats-server | all gone | 60.0 | 30.0 | 2.00 | 1 | 1 |"]


def test_the_footprint_has_limits_of_its_own():
    assert footprint.passed(footprint_results())
    slow = footprint_results()
    slow["results"]["martlet"]["ready_ms"] = [60.0, 70.0]
    assert not footprint.passed(slow)


def test_the_section_says_what_a_connection_takes():
    row, = rows_of(footprint.section(footprint.FOOTPRINT, footprint_results()), "martlet")
    assert row == "| martlet | 11.0 (10.0..12.0) | 10.0 | 20.0 | 10.0 | 40.0 | 30.0 |"


def test_a_broker_is_started_and_looked_at(monkeypatch):
    martlet = brokers()[MARTLET]
    if not martlet.path:
        pytest.skip("martlet is not built")
    monkeypatch.setattr(footprint, "SETTLE_SECONDS", 0.05)
    assert footprint.ready_ms(martlet) > 0
    memory = footprint.memory_mib(martlet, 20)
    assert tuple(memory) == footprint.MOMENTS and min(memory.values()) > 1
