"""What is written: the section of a page, tables and plots."""

import json
import os
import xml.dom.minidom

import pytest

from compare import document, plot, processes, table
from compare.comparisons.brokers import BROKERS
from compare.comparisons.pace import PACE
from compare.document import Picture

from test_figures import run


def results(runs):
    return {
        "machine": {
            "processor": "one", "cores": 2, "memory_gib": 4, "kernel": "6", "compiler": "Swift",
            "commit": "abc", "date": "2026-01-01", "congestion": "cubic"},
        "systems": {"martlet": "martlet", "nats-server": "nats-server 2"}, "rounds": 1,
        "seconds": 1.0, "warmup": 1.0, "left_out": ["redis, not installed (apt-get …)"],
        "runs": runs}


def full_run(system, **changes):
    return run(
        system, **{"p90": 70.0, "p99.9": 150.0, "max": 900.0, "cpu_user": 4.0, "cpu_kernel": 6.0,
                   "lost": 0, "steal_ms": 1.0, "broker_delay_ms": 2.0, "generator_delay_ms": 3.0,
                   **changes})


def test_a_section_is_replaced_and_the_rest_stays():
    begin, end = document.markers("soak")
    page = f"before\n{begin}\nold\n{end}\nafter\n"
    once = document.replace_section(page, "soak", "new \\1")
    assert once == f"before\n{begin}\nnew \\1\n{end}\nafter\n"
    assert document.replace_section(once, "soak", "new \\1") == once


def test_a_page_without_markers_is_left_alone_with_an_error():
    with pytest.raises(ValueError, match="has no"):
        document.replace_section("text", "soak", "new")


def test_the_tables_show_ratios_stolen_time_and_void_runs():
    both = results([full_run("martlet", p50=25.0), full_run("nats-server")])
    assert "| 0.50 |" in table.ratio_table(BROKERS, both, "martlet", "nats-server")
    assert "| ≤ 0.75 | 0.50 | 1 of 1 | met |" in table.goal_table(BROKERS, both)
    assert "| 1 | 0 | 1.00, 2.00, 3.00 |" in table.for_each_workload(BROKERS, both)
    assert "Left out: redis" in table.about(both)
    late = results([full_run("martlet", on_time=False), full_run("nats-server")])
    assert "1 void" in table.for_each_workload(BROKERS, late)
    assert "| – | 0 of 1 | not measured |" in table.goal_table(BROKERS, late)


def test_everything_is_written_also_when_every_run_failed(tmp_path, monkeypatch):
    monkeypatch.setattr(document, "ROOT", tmp_path)
    failed = {"system": "martlet", "workload": "full-16", "mode": "pinned", "round": 0,
              "error": "it does not listen"}
    for runs in ([failed], [full_run("martlet"), full_run("nats-server")]):
        document.write(BROKERS, results(runs), tmp_path, publishes=False)
        pictures = list(tmp_path.glob("*.svg"))
        assert len(pictures) == len(BROKERS.pictures)
        for picture in pictures:
            xml.dom.minidom.parse(str(picture))
        assert ("1 failed" in (tmp_path / "tables.md").read_text()) == (runs[0] is failed)
        assert "### Goals" in (tmp_path / "compare.md").read_text()


def test_multiples_of_one_system_name_a_workload_once():
    in_flight = {"workload": "request-1"}
    both = results([
        full_run("martlet", **in_flight), full_run("spin: 50us", p50=25.0, cpu=20.0, **in_flight),
        # A late generator voids times and not CPU.
        full_run("coalesce: 50us", on_time=False, cpu=5.0, **in_flight),
        {"system": "coalesce: 200us", "mode": "pinned", "round": 0, "error": "no", **in_flight},
        # Of an earlier form of the comparison.
        full_run("nats-server", **in_flight)])
    rows = table.ratios_to("martlet")(PACE, both).splitlines()
    assert rows[0] == "| workload | | p50 | p99 | CPU per message |"
    assert rows[2:] == ["| one request in flight | spin: 50us | 0.50 | 1.00 | 2.00 |",
                        "|  | coalesce: 50us | – | – | 0.50 |",
                        "|  | coalesce: 200us | – | – | – |"]


def test_bars_are_of_pinned_runs_where_there_are_any(monkeypatch):
    shown = []
    monkeypatch.setattr(document.plot, "bars", lambda *words, **_: shown.append(words[2]))
    picture = Picture("p50.svg", "", "p50", "µs", "p50", ("request-20k", "churn"))
    both = results([full_run("martlet", p50=25.0), full_run("martlet", mode="unpinned", p50=90.0),
                    full_run("martlet", workload="churn", on_time=False),
                    full_run("martlet", workload="full-16")])
    document.bars(BROKERS, both, picture)
    document.bars(BROKERS, results(both["runs"][1:2]), picture)
    nothing = {"martlet": None, "nats-server": None}
    assert shown == [
        [("request-20k", {**nothing, "martlet": 25.0}), ("churn", nothing)],
        [("request-20k", {**nothing, "martlet": 90.0})]]


def test_a_plot_over_time_is_an_svg_picture_with_a_line_for_each_series():
    picture = plot.lines("p99 & max", "µs", {"a": [(0, 1.0), (10, 5.0)], "b": [(0, 2.0)]}, True)
    xml.dom.minidom.parseString(picture)
    assert picture.count("<polyline") == 2
    assert "p99 &amp; max" in picture


def test_figures_are_written_by_line_and_read_back(tmp_path):
    both = results([full_run("martlet", p50=1 / 3), full_run("nats-server")])
    document.record(tmp_path / "new" / "compare.json", both)
    text = (tmp_path / "new" / "compare.json").read_text()
    assert json.loads(text)["runs"][0]["p50"] == 0.3333
    assert sum('"p50"' in line for line in text.splitlines()) == 2


def test_the_delay_of_threads_that_came_and_went():
    before = {1: (0, 1_000_000), 2: (0, 9_000_000)}
    after = {1: (50, 3_000_000), 3: (10, 500_000)}
    assert processes.delay_ms(before, after) == pytest.approx(2.5)
    assert processes.busiest_delay_ms(before, after) == pytest.approx(2.0)


def test_this_process_has_used_time_and_memory():
    moment = processes.sample([os.getpid()], os.getpid())
    usage, = moment.servers
    assert usage.resident_bytes > 1 << 20 and usage.threads and moment.steal >= 0
    assert moment.server_threads == usage.threads


def test_time_is_what_threads_ran_in_the_proportion_of_ticks():
    before = processes.Usage(1.0, 2.0, 0, {1: (5_000_000_000, 0)})
    after = processes.Usage(1.01, 2.03, 0, {1: (5_044_000_000, 0)})
    assert processes.used(before, after) == pytest.approx((0.011, 0.033))
    idle = processes.Usage(1.0, 2.0, 0, {1: (5_002_000_000, 0)})
    assert processes.used(before, idle) == pytest.approx((0.001, 0.001))
