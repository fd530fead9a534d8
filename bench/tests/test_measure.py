"""Short runs of the real programs: everything works, and nothing is said of how fast it is.

Needs martlet and martlet-load; `dev/test` builds both. Systems that are not installed are left out.
"""

import argparse
import dataclasses
import json
import sys

import pytest

from compare import document, measure, rounds, table
from compare.comparison import NATS_WIRE, Comparison, Workload
from compare.comparisons import soak
from compare.comparisons.brokers import WORKLOADS
from compare.figures import FIGURES
from compare.server import Places, Server, page
from compare.systems import MARTLET, NATS, UNPINNED, Service, brokers

CORES = (0, 0)
SYSTEMS = brokers()
BY_NAME = {workload.name: workload for workload in WORKLOADS}


@pytest.fixture(autouse=True)
def programs():
    missing = [path for path in (measure.LOAD, SYSTEMS[MARTLET].path) if not path]
    if missing or not measure.LOAD.is_file():
        pytest.skip("martlet or martlet-load is not built")


def gentle(workload):
    """The same at a rate that a busy machine and a debug build can do."""
    words = workload.arguments()
    for option, most in (("--rate", "500"), ("--idle", "50"), ("--subscriptions", "1000"),
                         ("--subscribers", "20")):
        if option in words and words[words.index(option) + 1] != "0":
            words[words.index(option) + 1] = most
    return dataclasses.replace(workload, load=" ".join(words))


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_every_workload_runs_and_loses_nothing(workload):
    run = measure.run(SYSTEMS[MARTLET], gentle(workload), UNPINNED, CORES, 0.1, 0.3)
    assert "error" not in run, run
    assert run["lost"] == 0 and run["rate"] > 0 and run["memory"] > 1
    expected = set(FIGURES) if not workload.name.startswith("full") else {"rate", "cpu", "memory"}
    assert expected <= set(run)


@pytest.mark.parametrize("name", [name for name in SYSTEMS if name != MARTLET])
def test_every_system_runs(name):
    if SYSTEMS[name].path is None:
        pytest.skip(f"{name} is not installed")
    assert name.split("-")[0] in SYSTEMS[name].version_text()
    for workload in ("pubsub-50k", "full-1k", "fanout-50"):
        run = measure.run(
            SYSTEMS[name], gentle(BY_NAME[workload]), UNPINNED, CORES, 0.1, 0.3)
        assert "error" not in run, run
        assert run["lost"] == 0 and run["rate"] > 0


def test_a_server_that_does_not_start_is_a_failed_run_with_its_log():
    broken = dataclasses.replace(SYSTEMS[NATS], arguments=("-c", "/no/such/file"))
    if broken.path is None:
        pytest.skip("nats-server is not installed")
    run = measure.run(broken, BY_NAME["pubsub-50k"], UNPINNED, CORES, 0.1, 0.3)
    assert "does not listen" in run["error"] and "/no/such/file" in run["error"]


def with_service(program, **changes):
    service = Service((sys.executable, "-c", program, "{leaf_port}", "{port}"))
    return dataclasses.replace(SYSTEMS[MARTLET], services=(service,), **changes)


def test_a_service_has_the_ports_it_names_and_ends_with_its_broker():
    system = with_service(
        "import sys, time; print(sys.argv[1:], 'ready', flush=True); time.sleep(60)")
    with Server(system, UNPINNED, 0) as server:
        broker, service = server.processes
        assert service.said().split("ready")[0].strip() == str(
            [str(server.places["leaf_port"]), str(server.port)])
        assert server.places["leaf_port"] != server.port and server.pids[1] == service.popen.pid
    assert broker.has_ended and service.has_ended


def test_a_second_broker_is_a_service_with_a_port_and_a_file_of_its_own():
    martlet = SYSTEMS[MARTLET]
    second = Service(
        (martlet.program, "-a", "127.0.0.1", "-p", "{leaf_port}", "-c", "{folder}/second.conf"),
        ready="Server is ready")
    pair = dataclasses.replace(
        martlet, services=(second,),
        files=(("second.conf", "server_name: second\nhttp: 127.0.0.1:{leaf_monitor_port}\n"),))
    with Server(pair, UNPINNED, 0) as server:
        assert page(server.places["leaf_monitor_port"], "/varz")["server_name"] == "second"


def test_a_name_in_braces_that_is_no_port_is_a_mistake():
    with pytest.raises(KeyError, match="prot"):
        Places(folder="/tmp").fill(["{prot}"])


@pytest.mark.parametrize("program, reason", [
    ("raise SystemExit('no way')", "no way"), ("print('ready', flush=True)", "has ended")])
def test_a_service_that_ends_is_a_failed_run_with_its_reason(program, reason):
    run = measure.run(
        with_service(program), gentle(BY_NAME["pubsub-50k"]), UNPINNED, CORES, 0.1, 0.3)
    assert reason in run["error"]


def test_a_service_counts_as_a_part_of_its_system():
    busy = "print('ready', flush=True)\nwhile True: pass"
    run = measure.run(
        with_service(busy), gentle(BY_NAME["pubsub-50k"]), UNPINNED, CORES, 0.1, 0.5)
    assert run["cpu_service"] > run["cpu_broker"] > 0
    assert run["cpu"] == pytest.approx(run["cpu_broker"] + run["cpu_service"])
    assert run["cpu"] == pytest.approx(run["cpu_user"] + run["cpu_kernel"])


def test_a_comparison_is_a_workload_and_rows_of_systems(tmp_path, monkeypatch):
    monkeypatch.setattr(document, "ROOT", tmp_path)
    monkeypatch.setattr(rounds.machine, "two_cores", lambda: CORES)
    noisy = dataclasses.replace(
        SYSTEMS[MARTLET], name="with idle ones", load_arguments=("--idle", "5"),
        text="some connections do nothing", version_of=MARTLET)
    made_up = Comparison(
        name="made-up", text="", systems=lambda: (SYSTEMS[MARTLET], noisy),
        workloads=(
            Workload("made-up-1", "at a rate", "pubsub --rate {rate}", NATS_WIRE, rate=400),
            Workload("made-up-most", "its highest rate", "pubsub --rate {rate}", NATS_WIRE,
                     rate_most=1_000)),
        modes=(UNPINNED,), columns=(table.figure("rate", "messages/s"), table.LOST),
        explanation="What is explained.", remarks=(lambda results: f"{len(results['runs'])} runs",))
    options = argparse.Namespace(
        systems=None, only=None, quick=True, modes=[UNPINNED], rounds=2, seconds=0.3, warmup=0.1)
    made_up.measure(made_up, options, tmp_path / made_up.file)
    results = json.loads((tmp_path / made_up.file).read_text())
    paced = [run for run in results["runs"] if run["workload"] == "made-up-1"]
    assert [run["asked"] for run in paced] == [400] * 4
    assert not any("error" in run for run in paced), paced
    document.write(made_up, results, tmp_path, publishes=False)
    page = (tmp_path / "made-up.md").read_text()
    for part in ("What is explained.", "8 runs", "**At a rate**", "| system | messages/s | lost |",
                 "with idle ones: some connections do nothing (martlet of this commit)"):
        assert part in page


def test_a_load_that_does_not_start_is_a_failed_run_with_its_reason():
    workload = dataclasses.replace(BY_NAME["full-16"], load="full --size 8")
    run = measure.run(SYSTEMS[MARTLET], workload, UNPINNED, CORES, 0.1, 0.3)
    assert "--size must be at least 16" in run["error"]


def test_a_soak_has_its_windows(monkeypatch):
    monkeypatch.setattr(soak, "WARMUP_SECONDS", 0.2)
    workload = Workload("soak", "", "request --rate 500 --churn 100 --reconnects 20 --stopped 1")
    result = soak.measure(SYSTEMS[MARTLET], workload, CORES, 2, 0.5, mode=UNPINNED)
    assert [window["second"] for window in result["windows"]] == [0, 0.5, 1, 1.5]
    assert sum(window["received"] for window in result["windows"]) == 1_000
    assert all(window["received"] > 0 and window["memory"] > 1 for window in result["windows"])
    assert result["report"]["lost"] == 0 and result["report"]["reconnected"] >= 40
    assert table.number(result["whole"]["p99"])
