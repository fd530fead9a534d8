import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from tidy_rules import faults_of  # noqa: E402
from tidy_rules.tree import Tree  # noqa: E402


@pytest.fixture
def faults(tmp_path):
    """Gives the faults that rules find in a tree of these files, as (path, line, subject)."""

    def find(rules, files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
        subprocess.run(["git", "add", "--all"], cwd=tmp_path, check=True)
        found = faults_of(Tree(tmp_path), rules.split())
        return [(fault.path, fault.line, fault.subject) for fault in found]

    return find
