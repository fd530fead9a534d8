"""Writes results as files: plots in a folder, and a section of docs/PERFORMANCE.md."""

import dataclasses
import json
import re

from . import figures, goals, plot, table
from .machine import ROOT
from .systems import PINNED

PAGE = ROOT / "docs/PERFORMANCE.md"
FOLDER = ROOT / "docs/performance"
# For measurements that are not to be published; git ignores it.
SCRATCH = ROOT / "bench/results"


@dataclasses.dataclass(frozen=True)
class Picture:
    """Bars of one figure: a group for each workload, a bar for each system."""
    file: str
    # In place of the picture, where it cannot be seen.
    text: str
    title: str
    unit: str
    figure: str
    workloads: tuple


def markers(name):
    return f"<!-- {name}: begin; written by dev/bench -->", f"<!-- {name}: end -->"


def replace_section(page, name, text):
    """The page with what stands between two markers replaced."""
    begin, end = markers(name)
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"the page has no '{begin}' followed by '{end}'")
    return pattern.sub(lambda _: f"{begin}\n{text.strip()}\n{end}", page, count=1)


def write_section(name, text, folder, publishes):
    """Into the page, or as a file of its own into a folder that is not published."""
    if publishes:
        PAGE.write_text(replace_section(PAGE.read_text(), name, text))
    else:
        (folder / f"{name}.md").write_text(text + "\n")
    print(f"\n{text}\n\nwritten: {folder.relative_to(ROOT)}/"
          + (f" and {PAGE.relative_to(ROOT)}" if publishes else ""))


def write(comparison, results, folder, publishes):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in comparison.files(comparison, results).items():
        (folder / name).write_text(text)
    write_section(
        comparison.name, comparison.section(comparison, results), folder, publishes)


def section(comparison, results):
    """What most comparisons say: goals, if they have any, all figures, and pictures of them."""
    has_goals = goals.load().get(comparison.name)
    return "\n\n".join([
        table.about(results),
        *([comparison.explanation] if comparison.explanation else []),
        *([table.goal_table(comparison, results)] if has_goals else []),
        *(remark(results) for remark in comparison.remarks),
        comparison.tables(comparison, results).strip(),
        f"[Every run](performance/{comparison.file})",
        *([picture_links(comparison)] if comparison.pictures else []),
    ])


def picture_links(comparison):
    return "\n".join(
        f"![{picture.text}](performance/{picture.file})" for picture in comparison.pictures)


def pictures(comparison, results):
    return {picture.file: bars(comparison, results, picture) for picture in comparison.pictures}


def bars(comparison, results, picture):
    """Of runs with a core for the broker alone, where there are any."""
    runs = results["runs"]
    pinned = figures.select(runs, mode=PINNED)
    groups = []
    for name in dict.fromkeys(run["workload"] for run in pinned or runs):
        if name in picture.workloads:
            values = {
                system: median(
                    figures.select(pinned or runs, workload=name, system=system), picture.figure)
                for system in results["systems"]}
            groups.append((name.removeprefix(f"{comparison.name}-"), values))
    return plot.bars(picture.title, f"{picture.unit}, logarithmic", groups, logarithmic=True)


def median(runs, figure):
    value = figures.spread(runs, figure)
    return value.median if value else None


def record(path, results):
    path.parent.mkdir(parents=True, exist_ok=True)
    rounded = json.loads(json.dumps(results), parse_float=lambda text: round(float(text), 4))
    path.write_text(by_line(rounded) + "\n")


def by_line(value, depth=0):
    """JSON with one run or window a line, so that a change of it can be read."""
    if isinstance(value, dict) and depth < 3:
        parts = [f"{json.dumps(name)}: {by_line(part, depth + 1)}" for name, part in value.items()]
        return "{\n" + ",\n".join(parts) + "\n}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(json.dumps(part) for part in value) + "\n]"
    return json.dumps(value)
