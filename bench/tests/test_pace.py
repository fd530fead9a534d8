"""What the settings gain and cost: who is compared, and what is shown."""

from compare import pace


def test_each_setting_is_a_configuration_of_its_own():
    by_name = {system.name: system for system in pace.systems()}
    assert list(by_name) == ["nats-server", "martlet", *pace.SETTINGS]
    for setting in pace.SETTINGS:
        assert by_name[setting].configuration.format() == f"martlet {{ {setting} }}\n"
        assert by_name[setting].arguments[-2:] == ("-c", "{folder}/configuration")
    assert "-c" not in by_name["martlet"].arguments


def run(on_time=True, **figures):
    return {
        "workload": "request-1", "generator_busy": 0.1, "broker_share": 0.1, "on_time": on_time,
        **figures}


def test_a_late_generator_voids_times_and_not_cpu():
    runs = [run(p50=40.0, cpu=20.0), run(on_time=False, p50=90.0, cpu=22.0)]
    assert pace.cell(runs, "p50") == "40.0"
    assert pace.cell(runs, "cpu") == "21.0 (20.0..22.0)"
    assert pace.cell([run(on_time=False, p50=90.0, cpu=22.0)], "p50") == "–"


def test_a_failed_run_shows_nothing():
    assert pace.cell([{"workload": "request-1", "error": "no"}], "cpu") == "–"
