"""All comparisons that there are, their goals, and what is published of them."""

import json

import pytest

from compare import document, goals, readme
from compare.comparisons import COMPARISONS
from compare.figures import FIGURES

each = pytest.mark.parametrize(
    "comparison", COMPARISONS.values(), ids=lambda comparison: comparison.name)


@each
def test_a_comparison_names_each_thing_once_and_nothing_that_is_not_there(comparison):
    systems = [system.name for system in comparison.systems()]
    workloads = [workload.name for workload in comparison.workloads]
    assert len(set(systems)) == len(systems) and len(set(workloads)) == len(workloads)
    assert set(comparison.in_every_mode) <= set(systems)
    assert comparison.floor is None or comparison.floor in systems
    known = {workload.name for workload in comparison.all_workloads()}
    for picture in comparison.pictures:
        assert picture.workloads and set(picture.workloads) <= known
    assert all(system.install for system in comparison.systems())


@each
def test_the_page_has_the_markers(comparison):
    document.replace_section(document.PAGE.read_text(), comparison.name, "text")


@each
def test_what_is_published_is_what_the_recorded_results_say(comparison):
    path = document.FOLDER / comparison.file
    if not path.exists():
        pytest.skip("not measured yet")
    results = json.loads(path.read_text())
    page = document.PAGE.read_text()
    section = comparison.section(comparison, results)
    assert document.replace_section(page, comparison.name, section) == page
    for name, text in comparison.files(comparison, results).items():
        assert (document.FOLDER / name).read_text() == text, name


def test_the_tables_of_the_readme_are_what_the_recorded_results_say():
    page = readme.PAGE.read_text()
    assert document.replace_section(
        page, readme.NAME, readme.section(readme.recorded())) == page


def test_every_recorded_result_belongs_to_a_comparison():
    files = {comparison.file for comparison in COMPARISONS.values()}
    assert {path.name for path in document.FOLDER.glob("*.json")} <= files


def test_every_goal_names_what_there_is_and_one_limit():
    checked_in = goals.load()
    assert checked_in["compare"] and checked_in["orders"]
    for name, wanted in checked_in.items():
        comparison = COMPARISONS[name]
        systems = {system.name for system in comparison.systems()}
        workloads = {workload.name for workload in comparison.workloads}
        for goal in wanted:
            assert goal.workload in workloads and goal.mode in comparison.modes
            assert {goal.system, goal.beside} <= systems
            assert goal.figure in (*FIGURES, goals.SUSTAINED)
            assert (goal.most is None) != (goal.least is None)
