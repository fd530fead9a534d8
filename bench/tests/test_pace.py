"""What the settings gain and cost: who is compared."""

from compare.comparisons import loops, pace


def test_each_setting_is_a_configuration_of_its_own():
    by_name = {system.name: system for system in pace.systems()}
    assert list(by_name) == ["martlet", *pace.SETTINGS]
    for setting in pace.SETTINGS:
        (name, text), = by_name[setting].files
        assert text.format() == f"martlet {{ {setting} }}\n"
        assert by_name[setting].arguments[-2:] == ("-c", f"{{folder}}/{name}")
    assert "-c" not in by_name["martlet"].arguments


def test_each_number_of_loops_is_a_system_of_its_own():
    assert [system.arguments[-2:] for system in loops.systems()] == [
        ("--loops", "1"), ("--loops", "2")]
