"""What `dev/bench claim` makes of measurements: verdicts, runs that do not count, what is missing."""

import dataclasses
import os
import stat

import pytest

from compare import claim, figures, measure
from compare.claim import counting, promises, report
from compare.claim.counting import Counted, Counts
from compare.goals import MET, MISSED, OPEN
from compare.systems import MARTLET, brokers

from test_document import full_run

TURNS = (0, 900, 100, 0, 0)


def a_run(system="martlet", round_number=0, **changes):
    return full_run(system, **{
        "workload": "request-50k", "round": round_number, "rate": 50_000.0, "asked": 50_000,
        "lateness_p99": 5.0, **changes})


def late(**changes):
    return a_run(on_time=False, lateness_p99=30.0, **changes)


def counts(allocations=0, longest=90.0, **changes):
    run = Counted(100_000, allocations, longest, TURNS)
    return Counts(**{"by_clock": {"thread": run, "wall": run}, "no_allocations": None, **changes})


def verdicts(found):
    return [finding.verdict for finding in found]


@pytest.mark.parametrize("runs, verdict, seen", [
    ([a_run(), a_run(round_number=1)], MET, "in 2 of 2 rounds that count"),
    ([a_run(), a_run(round_number=1, rate=40_000.0)], MISSED, "in 1 of 2 rounds that count"),
    ([a_run(lost=1)], MISSED, "in 0 of 1 rounds that count"),
    ([a_run(), late(round_number=1, rate=40_000.0)], MET, "in 1 of 1 rounds that count"),
    ([late(), late(round_number=1)], OPEN, "no round counts: 2 void"),
    ([a_run(generator_busy=0.95)], OPEN, "no round counts: 1 cost only"),
    ([a_run(), {"system": "martlet", "error": "it has ended"}], OPEN, "failed: it has ended"),
])
def test_a_rate_is_sustained_in_all_rounds_that_count(runs, verdict, seen):
    finding = promises.sustained(runs)
    assert (finding.verdict, finding.seen) == (verdict, seen)


@pytest.mark.parametrize("found, verdict, seen", [
    (counts(), MET, "0 calls in 200,000 requests, 0 per 1,000"),
    (counts(allocations=1), MISSED, "2 calls in 200,000 requests, 0.01 per 1,000"),
    (counts(no_allocations="there is no C compiler"), promises.LEFT_OUT, "there is no C compiler"),
    (counts(by_clock={"thread": "it does not listen", "wall": "no port"}), OPEN,
     "it does not listen; no port"),
    # Only what is not void counts.
    (counts(by_clock={"thread": Counted(9, 9, 1.0, TURNS, "void: late"),
                      "wall": Counted(100, 0, 1.0, TURNS)}), MET,
     "0 calls in 100 requests, 0 per 1,000"),
    (counts(by_clock=dict.fromkeys(
        ("thread", "wall"), Counted(9, 0, 1.0, TURNS, "void: late"))), OPEN, "void: late; void: late"),
])
def test_one_call_that_takes_memory_is_too_many(found, verdict, seen):
    finding = promises.no_allocations(found)
    assert (finding.verdict, finding.seen) == (verdict, seen)


def test_turns_are_judged_by_the_time_of_the_thread():
    wall = Counted(100_000, 0, 9_000.0, (0, 0, 0, 0, 10))
    by_clock = {"thread": Counted(100_000, 0, 500.0, TURNS), "wall": wall}
    finding = promises.short_turns(counts(by_clock=by_clock))
    assert finding.verdict == MET
    assert finding.seen == ("the longest 500 µs, 99.9 % up to 4 µs; by the clock on the wall 9,000 µs, "
                            "over 0.1 % more than 8 µs")
    assert promises.short_turns(counts(longest=501.0)).verdict == MISSED
    late_run = promises.short_turns(counts(by_clock={**by_clock, "thread": Counted(
        100_000, 0, 900.0, TURNS, "void: late")}))
    assert late_run.verdict == OPEN and late_run.seen.startswith("void: late; the longest 900 µs")
    failed = counts(by_clock={"thread": "no port", "wall": wall})
    assert promises.short_turns(failed) == promises.Finding(
        OPEN, promises.short_turns(failed).promise, "no port")


@pytest.mark.parametrize("lateness_us, standstill_ms, reason", [
    (1_000.0, 99.0, None), (1_001.0, 0.0, "void: the generator was late, with a p99 of 1,001 µs"),
    (0.0, 100.0, "void: the broker's process stood still for 100 ms"),
])
def test_a_run_that_counts_is_void_where_the_load_was_another(lateness_us, standstill_ms, reason):
    assert counting.why_void(lateness_us, standstill_ms) == reason


def test_the_goals_beside_another_system_are_those_of_the_comparison():
    runs = [a_run(p50=50.0, cpu=10.0, memory=10.0),
            a_run("nats-server", p50=100.0, cpu=10.0, memory=40.0)]
    found = promises.findings(runs, counts(), ["nats-server"], [])
    by_promise = {finding.promise.split(" ≤")[0]: finding for finding in found[3:]}
    assert by_promise["p50"].verdict == MET and by_promise["p50"].seen == "0.50 in 1 rounds"
    assert by_promise["CPU per request"].verdict == MISSED
    assert by_promise["resident memory"].verdict == MET
    # There are no goals beside Node.js; its figures stand in the table.
    assert len(promises.findings(runs, counts(), ["node"], [])) == 3


def test_where_no_round_of_both_counts_a_goal_is_open():
    found = promises.findings([a_run(), late(system="nats-server")], counts(), ["nats-server"], [])
    assert set(verdicts(found[3:])) == {OPEN}
    assert found[3].seen == "no round counts: martlet 1; nats-server 1 void"


def test_a_peer_that_does_not_run_is_not_measured_even_without_goals():
    broken = {"system": "node", "error": "it does not listen:\nno port"}
    found = promises.findings([a_run(), broken], counts(), ["node"], [])
    assert found[-1] == promises.Finding(OPEN, "beside node", "failed: it does not listen:")
    assert promises.exit_status(found) == 1


def test_a_peer_that_is_not_there_is_named_and_fails_nothing():
    found = promises.findings(
        [a_run()], counts(), ["nats-server"], ["nats-server, not installed (dev/setup)"])
    assert found[-1] == promises.Finding(
        promises.LEFT_OUT, "beside nats-server", "nats-server, not installed (dev/setup)")
    assert promises.exit_status(found) == 0


def test_the_exit_status_says_whether_it_was_measured_and_not_how_fast_it_is():
    slow = promises.findings([a_run(rate=10.0)], counts(9, 9_000.0), [], [])
    assert verdicts(slow) == [MISSED] * 3 and promises.exit_status(slow) == 0
    no_compiler = promises.findings([a_run()], counts(no_allocations="no C compiler"), [], [])
    assert promises.exit_status(no_compiler) == 0
    assert promises.exit_status(promises.findings([late()], counts(), [], [])) == 1


def test_a_run_that_does_not_count_says_why():
    assert figures.why_not(late(p99=100.0)) == (
        "void: the generator was late, with a p99 of 30.0 µs, over a tenth of the 100.0 µs that it "
        "reports")
    busy = a_run(generator_busy=0.95, broker_share=0.5)
    assert figures.why_not(busy) == (
        "cost only: the generator had work for 95 % of its time, and the broker for 50 %")
    assert figures.why_not({"error": "no\nmore"}) == "failed: no"


def test_the_report_has_figures_of_each_system_beside_the_published_ones(monkeypatch):
    facts = {"processor": "one", "cores": 2, "memory_gib": 4, "kernel": "6", "compiler": "Swift",
             "commit": "abc", "date": "2026-01-01"}
    published = {"machine": {**facts, "commit": "def"}, "runs": [a_run(p50=44.0)]}
    monkeypatch.setattr(report, "recorded", lambda: published)
    runs = [a_run(), late(round_number=1), a_run("nats-server", p50=90.0)]
    text = report.text(
        facts, 3.0, ["martlet", "nats-server"], runs, promises.findings(runs, counts(), [], []))
    lines = [line.split() for line in text.splitlines()]
    assert ["martlet", "published", "nats-server"] in lines
    assert ["p50", "µs", "50.0", "44.0", "90.0"] in lines
    assert "commit def" in text and "2 rounds of 3.0 s" in text
    assert "  round 2, martlet: void: the generator was late" in text
    assert "met  99 % of 50,000 requests/s arrive" in text
    monkeypatch.setattr(report, "recorded", lambda: None)
    assert "published" not in report.text(facts, 3.0, ["martlet"], runs, promises.findings(
        runs, counts(), [], []))


def test_more_systems_take_no_longer():
    for count in (1, 2, 3):
        each = claim.seconds_each(42.0, count) + claim.WARMUP_SECONDS
        assert each * count * claim.ROUNDS == pytest.approx(42.0)
    assert claim.seconds_each(0.1, 3) == claim.SECONDS_EACH_MIN


def test_without_a_compiler_nothing_is_counted_and_the_reason_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("CC", str(tmp_path / "no-such-cc"))
    assert counting.shim() == (
        None, f"there is no C compiler ({tmp_path}/no-such-cc, or what $CC names)")
    broken = tmp_path / "broken-cc"
    broken.write_text("#!/bin/sh\nexit 1\n")
    os.chmod(broken, stat.S_IRWXU)
    monkeypatch.setenv("CC", str(broken))
    assert counting.shim() == (
        None, "the C compiler does not build Tests/AllocationTests/counter.c")


def test_a_broker_that_does_not_start_is_a_reason_and_no_count():
    broken = dataclasses.replace(brokers()[MARTLET], program="/bin/false")
    assert "does not listen" in counting.attempt(broken, None, "thread", (0, 0))


def test_turns_are_counted_also_without_the_shim(monkeypatch):
    if not (brokers()[MARTLET].path and measure.LOAD.is_file()):
        pytest.skip("martlet or martlet-load is not built")
    monkeypatch.setattr(counting, "SECONDS", 0.4)
    monkeypatch.setattr(counting, "WARMUP_SECONDS", 0.2)
    run = counting.attempt(brokers()[MARTLET], None, "thread", (0, 0))
    assert isinstance(run, Counted), run
    assert run.allocations is None and run.longest_turn_us > 0 and sum(run.turns) > 0
