"""bench/scale: what it plans, how it divides cores, what it makes of reports, and short real runs."""

import collections
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import time

import pytest

from compare import processes
from many_cores import pack, plan, run, servers, table
from many_cores.cores import Core, Division, divide, ranges
from many_cores.loads import LOADS
from many_cores.measure import Measurement



ONE, TWO = Division((0,), (2,)), Division((0, 1), (2,))


def machine_of(count, threads=1):
    """A machine whose second threads are numbered after all first ones, as Linux does."""
    physical = count // threads
    return [Core(number, (0, number % physical)) for number in range(count)]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128, 512])
@pytest.mark.parametrize("budget", [78.0, 340.0])
def test_what_is_planned_fits_and_every_number_is_planned_or_left_out(count, budget):
    made = plan.make(machine_of(count), budget)
    assert len(made.groups) * plan.group_seconds(plan.SECONDS_MIN, plan.OVERHEAD_SECONDS) <= budget
    planned = [case.loops for case in made.cases]
    assert planned[0] == 1 and len(set(planned)) == len(planned)
    assert len(planned) + len(made.left_out) == len(plan.NUMBERS) + 1
    for number in plan.NUMBERS:
        told = any(text.startswith(f"{number} loop") for text in made.left_out)
        assert (number in planned) != told
        if number > count:
            assert f"{number} loops: there are {count} cores" in made.left_out


def test_a_machine_of_many_cores_has_all_numbers_and_a_quick_look_the_ends():
    whole, quick = plan.make(machine_of(64), 340.0), plan.make(machine_of(64), 78.0)
    assert [case.loops for case in whole.cases] == [1, 16, plan.AUTO, 8, 4, 2]
    assert [case.loops for case in quick.cases] == [1, 16, plan.AUTO]
    assert "no time for it within 78 s" in quick.left_out[0]


def test_runs_are_as_long_as_what_is_left_allows():
    each = plan.RUNS_PER_GROUP * (1.0 + plan.WARMUP_SECONDS + 1.5)
    assert plan.seconds_that_count(10 * each, 10, 1.0) == pytest.approx(1.5)
    assert plan.seconds_that_count(1_000, 1, 1.0) == plan.SECONDS_MAX
    assert plan.seconds_that_count(each, 10, 1.0) == plan.SECONDS_MIN
    assert plan.seconds_that_count(plan.group_seconds(plan.SECONDS_MIN, 1.0) - 0.1, 1, 1.0) is None


@pytest.mark.parametrize("count", [2, 3, 8, 16, 64, 100])
@pytest.mark.parametrize("threads", [1, 2])
def test_broker_and_load_have_cores_of_their_own_as_long_as_there_are_some(count, threads):
    if count % threads:
        return
    for number in range(1, count + 1):
        division = divide(machine_of(count, threads), number)
        assert len(division.broker) == number and division.is_shared == (number == count)
        if not division.is_shared:
            assert not set(division.broker) & set(division.load)
        processes_count = len(division.load)
        assert all(load.senders % processes_count == 0 for load in LOADS)
        assert processes_count <= 4 * number


def test_hardware_siblings_of_the_brokers_cores_come_last():
    few, many = (divide(machine_of(16, threads=2), number) for number in (2, 8))
    assert few.broker == (0, 1) and not few.has_siblings
    assert set(few.load) == {2, 3, 4, 5, 6, 7, 10, 11}
    assert many.broker == tuple(range(8)) and many.has_siblings
    assert "siblings" in many.text and "siblings" not in few.text


def test_cores_are_said_in_words():
    assert ranges((0, 1, 2, 5)) == "0-2, 5"
    assert Division((0,), (1, 2)).text == "broker 0; load 1-2 (2 processes, one a core)"
    assert "fewer than the broker's" in Division((0, 1), (2,)).text
    assert divide(machine_of(2), 2).text == "broker and load (2 processes) share 0-1"


def test_processes_share_the_senders_and_the_rate():
    fanout = next(load for load in LOADS if load.copies == 32)
    words = fanout.arguments(1, 4, rate=128_000)
    assert words[words.index("--publishers") + 1] == "8"
    assert words[words.index("--rate") + 1] == "1000.000"
    subjects = {load.name: {tuple(load.arguments(process, 4)[-4:-2]) for process in range(4)}
                for load in LOADS}
    # Those of processes that send to one another are the same, all others are not.
    assert {name: len(found) for name, found in subjects.items()} == {
        "pairs": 4, "request": 4, "fan-out": 4, "random": 1}
    assert len({load.senders * load.in_flight * load.copies for load in LOADS}) == 1


def report(received=1_000, latency=((1_000, 990), (9_000, 10)), late=10, busy=0.5):
    return {"received_per_second": float(received), "sent": received, "received": received,
            "generator_busy": busy, "latency_counts": [list(pair) for pair in latency],
            "lateness_counts": [[late, received]]}


def sample(moment_ns, *ran_ns):
    threads = {number: (ran, 0) for number, ran in enumerate(ran_ns)}
    return moment_ns, processes.Usage(1.0, 1.0, 2**20, threads), {}


def test_reports_of_several_processes_are_one():
    second = report(latency=((2_000, 1_000),), busy=0.95)
    found = run.figures([report(), second], sample(0, 0, 0), sample(10**9, 6 * 10**8, 10**9), TWO, 1)
    assert found["rate"] == 2_000 and found["lost"] == 0 and found["on_time"]
    assert (found["p50"], found["p99"], found["p99.9"]) == (2.0, 2.0, 9.0)
    assert found["cores"] == pytest.approx(1.6) and found["broker_share"] == pytest.approx(0.8)
    assert found["cpu"] == pytest.approx(800) and found["busiest_thread"] == pytest.approx(1.0)
    assert found["generator_busy"] == 0.95


def test_a_late_load_and_one_that_received_nothing_say_nothing_of_latency():
    late = run.figures([report(late=900)], sample(0, 0), sample(10**9, 1), ONE, 1)
    assert not late["on_time"]
    nothing = {**report(0, latency=()), "lateness_counts": []}
    silent = run.figures([nothing], sample(0, 0), sample(10**9, 1), ONE, 1)
    assert silent["rate"] == 0 and not silent["on_time"] and "p50" not in silent


@pytest.mark.parametrize("server_ms, load_ms, shared, disturbed", [
    (200, 90, False, False), (300, 0, False, True), (0, 110, False, True), (900, 900, True, False)])
def test_a_run_that_others_kept_from_running_is_void(server_ms, load_ms, shared, disturbed):
    def at(moment_ns, server, load):
        usage = processes.Usage(1.0, 1.0, 2**20, {1: (moment_ns, server * 10**6)})
        return moment_ns, usage, {2: (0, load * 10**6), 3: (0, 0)}
    division = Division((0,), (0,) if shared else (1,), is_shared=shared)
    found = run.figures([report()], at(0, 0, 0), at(10**9, server_ms, load_ms), division, 1)
    assert found["is_disturbed"] == disturbed


def test_without_nanoseconds_from_the_kernel_ticks_count():
    before, after = processes.Usage(1.0, 2.0, 0, {}), processes.Usage(1.5, 2.25, 0, {})
    assert run.used(before, after) == (0.5, 0.25)


def test_a_message_for_many_is_lost_as_often_as_it_is_missing():
    found = run.figures([report()], sample(0, 0), sample(10**9, 1), ONE, copies=2)
    assert found["lost"] == 1_000


@pytest.mark.parametrize("share", [0.5, 0.99, 0.999, 1.0])
def test_percentiles_are_those_of_the_values_themselves(share):
    values = sorted((7 * number) % 1_009 for number in range(1_000))
    counts = collections.Counter(values)
    assert run.percentile(counts, share) == values[round(share * 1_000) - 1] / 1_000


def made_run(**changes):
    return {"loops": 1, "load": "pairs", "server": "martlet", "asked": None, "rate": 1_234_567.0,
            "lost": 0, "cores": 0.98, "broker_share": 0.98, "busiest_thread": 0.98,
            "generator_busy": 0.4, "cpu": 0.794, "p50": 100.0, "p99": 200.0, "on_time": True,
            "is_disturbed": False, **changes}


@pytest.mark.parametrize("changes, word", [
    ({}, "broker"), ({"broker_share": 0.5, "generator_busy": 0.95}, "load"),
    ({"broker_share": 0.25}, "one thread"),
    ({"broker_share": 0.2, "busiest_thread": 0.2}, "waiting"), ({"is_disturbed": True}, "void")])
def test_what_bounds_a_run_is_said(changes, word):
    assert table.bound(made_run(**changes)) == word


def results(*runs, left_out=()):
    return {
        "machine": {"processor": "A processor", "cores": 4, "memory_gib": 8, "kernel": "6",
                    "date": "2026-01-01", "commit": "abc", "congestion": "cubic"},
        "versions": {"martlet": "1.0.0", "nats-server": "2.15.1"}, "took_seconds": 12.0,
        "cases": [{"loops": 1, "text": "1 loop", "cores": "broker 0; load 1"}],
        "left_out": list(left_out), "runs": list(runs)}


def test_the_table_shows_both_steps_side_by_side():
    text = table.document(results(made_run(), made_run(asked=600_000, rate=599_000.0, cores=0.5)))
    assert ("| 1 | martlet | 1,234,567 | 0.98 | 0.794 | broker | 599,000 | 100 | 200 | 0.50 | 0.794 |"
            in text)
    assert "- 1 loop: broker 0; load 1" in text and "64 publishers" in text
    assert "128 clients" not in text and "Failed" not in text and "Left out" not in text
    widths = {row.count("|") for row in text.splitlines() if row.startswith("|")}
    assert widths == {len(table.HEAD) + 1}


def test_what_does_not_count_is_marked_and_what_went_wrong_is_told():
    text = table.document(results(
        made_run(broker_share=0.3, generator_busy=0.99, lost=3),
        made_run(asked=1, on_time=False, lost=7),
        {"loops": 1, "load": "pairs", "server": "nats-server", "asked": None, "error": "no reason"},
        left_out=["16 loops: there are 4 cores"]))
    assert "| ≥ 1,234,567 |" in text and "| void | void |" in text and "| failed |" in text
    assert "- nats-server, loops 1, pairs, as fast as it goes: no reason" in text
    assert "- martlet, loops 1, pairs, as fast as it goes: 3" in text and ": 7" not in text
    assert "- 16 loops: there are 4 cores" in text


def test_a_group_without_time_is_left_out_by_name():
    made = plan.make(machine_of(2), 100.0)
    measurement = Measurement(made, [], "", 0.0, time.monotonic())
    measurement.all()
    assert not measurement.runs
    assert "1 loop, pairs: time has run out" in measurement.left_out


@pytest.fixture
def programs():
    """Both servers and the load, or a skip."""
    try:
        load = servers.find("martlet-load")
        return [servers.Server(name, servers.find(name)) for name in ("martlet", "nats-server")], load
    except SystemExit as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("load", LOADS, ids=lambda load: load.name)
@pytest.mark.parametrize("rate", [None, 2_000], ids=["most", "paced"])
def test_every_load_runs_in_two_processes_and_loses_nothing(programs, load, rate):
    (martlet, nats), martlet_load = programs
    available = sorted(os.sched_getaffinity(0))
    division = Division((available[0],), (available[-1],) * 2, is_shared=True)
    # So little under way that a busy machine and a debug build have done it at the end.
    gentle = dataclasses.replace(load, in_flight=1)
    for server, loops in ((martlet, 1), (martlet, 2), (nats, 2)):
        found = run.run(server, plan.Case(loops, division), gentle, martlet_load, 0.1, 0.7,
                        time.monotonic() + 30, rate)
        assert "error" not in found, found
        assert found["lost"] == 0 and found["rate"] > 0 and found["cpu"] > 0
        assert found["p50"] <= found["p99"] and len(found["generators_busy"]) == 2
        if rate:
            assert found["rate"] == pytest.approx(rate, rel=0.5)


def test_a_load_or_a_server_that_does_not_start_is_a_failed_run_with_its_reason(programs):
    compared, martlet_load = programs
    case = plan.Case(1, Division(*[(min(os.sched_getaffinity(0)),)] * 2, is_shared=True))
    wrong = dataclasses.replace(LOADS[0], command="pubsub --pairs nonsense")
    deadline = time.monotonic() + 30
    found = run.run(compared[0], case, wrong, martlet_load, 0.1, 0.1, deadline)
    assert "the load failed" in found["error"]
    broken = servers.Server("martlet", sys.executable)
    assert "has ended" in run.run(broken, case, LOADS[0], martlet_load, 0.1, 0.1, deadline)["error"]
    late = run.run(compared[0], case, LOADS[0], martlet_load, 0.1, 0.1, time.monotonic())
    assert "within the time that there is" in late["error"]


def test_a_packed_folder_has_all_it_imports(tmp_path):
    pack.copy_script(tmp_path)
    (tmp_path / pack.BUILT).write_text(json.dumps({"commit": "abc", "compiler": "any"}))
    for name in ("martlet", "martlet-load", "nats-server"):
        shutil.copy2("/bin/true", tmp_path / name)
    environment = {name: value for name, value in os.environ.items() if name not in (
        "PYTHONPATH", "MARTLET_BINARY", "MARTLET_LOAD", "NATS_SERVER")}
    result = subprocess.run(
        [tmp_path / "scale", "--budget", "0"], cwd="/", env=environment, capture_output=True, text=True)
    assert result.returncode == 1 and "commit abc" in result.stdout, result.stderr
    assert "1 loop: no time for it within 0 s" in result.stdout


def test_a_program_that_needs_swift_is_not_packed(tmp_path, monkeypatch):
    monkeypatch.setattr(pack, "build", lambda *_: None)
    monkeypatch.setattr(pack, "find", lambda name: f"/bin/{name}")
    monkeypatch.setattr(pack, "libraries", lambda _: {"libswiftCore.so": "/lib/libswiftCore.so"})
    with pytest.raises(SystemExit, match="--static-swift-stdlib"):
        pack.pack(tmp_path)
    assert pack.OF_EVERY_LINUX.match("libc.so.6") and not pack.OF_EVERY_LINUX.match("libcrypt.so.1")
    assert not pack.OF_SWIFT.match("libstdc++.so.6")
