"""What is written: the section of a page, tables and plots."""

import json
import os
import xml.dom.minidom

import pytest

from compare import document, plot, processes, rounds, table
from compare.systems import all_systems
from compare.workloads import WORKLOADS

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


def test_the_page_has_the_markers():
    page = document.PAGE.read_text()
    for name in ("comparison", "soak"):
        document.replace_section(page, name, "text")


def test_the_tables_show_ratios_stolen_time_and_void_runs():
    both = results([full_run("martlet", p50=25.0), full_run("nats-server")])
    assert "| 0.50 |" in table.ratio_table(both)
    assert "| ≤ 0.75 | 0.50 | 1 of 1 | met |" in table.goal_table(both)
    assert "| 1 | 0 | 1.00, 2.00, 3.00 |" in table.full_tables(both)
    assert "Left out: redis" in table.about(both)
    late = results([full_run("martlet", on_time=False), full_run("nats-server")])
    assert "1 void" in table.full_tables(late)
    assert "| – | 0 of 1 | not measured |" in table.goal_table(late)


def test_everything_is_written_also_when_every_run_failed(tmp_path):
    failed = {"system": "martlet", "workload": "full-16", "mode": "pinned", "round": 0,
              "error": "it does not listen"}
    for runs in ([failed], [full_run("martlet"), full_run("nats-server")]):
        document.write_comparison(results(runs), tmp_path, publishes=False)
        for picture in tmp_path.glob("*.svg"):
            xml.dom.minidom.parse(str(picture))
        assert "1 failed" in (tmp_path / "tables.md").read_text() or runs[0] is not failed


def test_a_plot_over_time_is_an_svg_picture_with_a_line_for_each_series():
    picture = plot.lines("p99 & max", "µs", {"a": [(0, 1.0), (10, 5.0)], "b": [(0, 2.0)]}, True)
    xml.dom.minidom.parseString(picture)
    assert picture.count("<polyline") == 2
    assert "p99 &amp; max" in picture


def test_each_round_has_each_run_once_and_starts_with_another_system():
    systems = list(all_systems())
    steps = list(rounds.plan(systems, WORKLOADS, ["pinned", "unpinned"], 2))
    keys = [(number, workload.name, mode, system.name) for number, workload, mode, system in steps]
    assert len(keys) == len(set(keys))
    first = [key for key in keys if key[:3] == (0, "full-16", "pinned")]
    second = [key for key in keys if key[:3] == (1, "full-16", "pinned")]
    assert len(first) == len(second) == 5 and first[0][3] != second[0][3]
    assert {key[3] for key in keys if key[2] == "unpinned"} == {"martlet", "nats-server"}
    assert {key[3] for key in keys if key[1] == "churn"} == {"martlet", "nats-server", "node"}


def test_figures_are_written_by_line_and_read_back(tmp_path):
    both = results([full_run("martlet", p50=1 / 3), full_run("nats-server")])
    rounds.write(tmp_path / "new" / "results.json", both)
    text = (tmp_path / "new" / "results.json").read_text()
    assert json.loads(text)["runs"][0]["p50"] == 0.3333
    assert sum('"p50"' in line for line in text.splitlines()) == 2


def test_the_delay_of_threads_that_came_and_went():
    before = {1: (0, 1_000_000), 2: (0, 9_000_000)}
    after = {1: (50, 3_000_000), 3: (10, 500_000)}
    assert processes.delay_ms(before, after) == pytest.approx(2.5)
    assert processes.busiest_delay_ms(before, after) == pytest.approx(2.0)


def test_this_process_has_used_time_and_memory():
    moment = processes.sample(os.getpid(), os.getpid())
    assert moment.resident_bytes > 1 << 20 and moment.threads and moment.steal >= 0
