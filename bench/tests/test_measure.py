"""Short runs of the real programs: everything works, and nothing is said of how fast it is.

Needs martlet and martlet-load; `dev/test` builds both. Systems that are not installed are left out.
"""

import dataclasses

import pytest

from compare import measure, soak, table
from compare.figures import FIGURES
from compare.systems import MARTLET, NATS, UNPINNED, all_systems
from compare.workloads import BY_NAME, WORKLOADS

CORES = (0, 0)
SYSTEMS = {system.name: system for system in all_systems()}


@pytest.fixture(autouse=True)
def programs():
    missing = [path for path in (measure.LOAD, SYSTEMS[MARTLET].path) if not path]
    if missing or not measure.LOAD.is_file():
        pytest.skip("martlet or martlet-load is not built")


def gentle(workload):
    """The same at a rate that a busy machine and a debug build can do."""
    words = workload.arguments
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


def test_a_load_that_does_not_start_is_a_failed_run_with_its_reason():
    workload = dataclasses.replace(BY_NAME["full-16"], load="full --size 8")
    run = measure.run(SYSTEMS[MARTLET], workload, UNPINNED, CORES, 0.1, 0.3)
    assert "--size must be at least 16" in run["error"]


def test_a_soak_has_its_windows(monkeypatch):
    monkeypatch.setattr(soak, "SOAK", "request --rate 500 --churn 100 --reconnects 20 --stopped 1")
    monkeypatch.setattr(soak, "WARMUP_SECONDS", 0.2)
    result = soak.measure(SYSTEMS[MARTLET], CORES, 2, 0.5, mode=UNPINNED)
    assert [window["second"] for window in result["windows"]] == [0, 0.5, 1, 1.5]
    assert sum(window["received"] for window in result["windows"]) == 1_000
    assert all(window["received"] > 0 and window["memory"] > 1 for window in result["windows"])
    assert result["report"]["lost"] == 0 and result["report"]["reconnected"] >= 40
    assert table.number(result["whole"]["p99"])
