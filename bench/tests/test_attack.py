"""What dev/attack says of what it saw."""

import argparse

import pytest
from attack import attacks
from attack.__main__ import Result, runs, table, write


def limits(**others):
    return argparse.Namespace(
        **{"limit_ms": 30, "limit_mb": 300, "limit_after_mb": 100, "limit_login_s": 3, **others})


def result(attack=attacks.leaving, failure=None, login=None, **noticed):
    seen = {"sent": 100, "lost": 0, "p50_ms": 0.5, "p99_ms": 2.25, "max_ms": 20.4, **noticed}
    return Result(attack, seen, 222, 40, login, failure)


def test_a_quiet_attack_is_no_problem():
    assert result().problems(limits()) == []


@pytest.mark.parametrize("seen, words", [
    (result(lost=3), "3 messages of others were lost"),
    (result(max_ms=31.0), "others waited 31 ms, 30 are allowed"),
    (result(failure="THE SERVER ENDED"), "THE SERVER ENDED"),
])
def test_what_others_suffer_is_a_problem(seen, words):
    assert seen.problems(limits()) == [words]


def test_memory_over_the_limit_is_a_problem():
    assert result().problems(limits(limit_mb=221)) == ["memory rose to 222 MB, 221 are allowed"]


def test_memory_that_stays_and_a_slow_login_are_problems():
    assert result().problems(limits(limit_after_mb=39)) == ["40 MB of memory stayed, 39 are allowed"]
    assert result(login=3.04).problems(limits()) == ["a rightful login took 3.0 s, 3 are allowed"]
    assert result(login=2.9).problems(limits()) == []


def test_a_check_repeats_with_two_loops_what_then_takes_another_way():
    options = argparse.Namespace(only=["leaving", "garbage"], check=True, flags=["-DV"])
    assert list(runs(options, ["Martlet"])) == [
        (attacks.leaving, "Martlet", ["-DV"]),
        (attacks.leaving, "Martlet", ["-DV", "--loops", "2"]),
        (attacks.garbage, "Martlet", ["-DV"])]
    options.check = False
    assert len(list(runs(options, ["Martlet", "nats-server"]))) == 4


def test_the_table_has_a_row_for_each_attack_that_was_run():
    text = table({
        "Martlet": [result(), result(attacks.schemas)],
        "nats-server": [result(failure="the probe's connection was closed")]})
    lines = text.splitlines()
    assert lines[0].startswith("| what a client does | Martlet: p99, max (ms) | nats-server: p99")
    assert lines[2] == (
        "| a client with 400,000 subscriptions leaves | 2.2, 20 | the probe's connection was closed "
        "| 222, then 40 |  |")
    assert lines[3].startswith("| 5,000 documents") and len(lines) == 4


def test_a_login_is_part_of_what_is_noticed():
    assert "2.2, 20; login 1.5 s" in table({"Martlet": [result(login=1.46)]})


def test_the_table_goes_between_the_marks_of_a_document(tmp_path):
    document = tmp_path / "d.md"
    document.write_text("a\n<!-- attacks: begin -->\nold\n<!-- attacks: end -->\nb\n")
    write(document, "new\n")
    assert document.read_text() == "a\n<!-- attacks: begin -->\nnew\n<!-- attacks: end -->\nb\n"
    document.write_text("nothing\n")
    with pytest.raises(SystemExit):
        write(document, "new\n")


def test_every_attack_says_in_a_line_what_a_client_does():
    for attack in attacks.ATTACKS:
        assert 20 < len(attack.__doc__.splitlines()[0]) < 100
