"""The section "Layout" of docs/ARCHITECTURE.md names each folder of the broker, and no other.

A name ends with a slash: `Routing/`, or `Configuration/Keys/` and `Keys/` for one within another. Names
that begin with `Sources/` are looked up as they are.
"""

import re

from .fault import Fault
from .markdown import section

DOCUMENT = "docs/ARCHITECTURE.md"
MODULE = "Sources/MartletBroker"
_NAME = re.compile(r"(?<![\w/.])((?:[A-Z]\w*/)+)(?![\w<])")


def check(tree):
    lines = section(tree.lines(DOCUMENT), "Layout")
    if not lines:
        yield Fault("layout", DOCUMENT, 1, DOCUMENT, "there is no section `Layout`")
        return
    folders = {name.removeprefix(f"{MODULE}/") for name in tree.folders if name.startswith(f"{MODULE}/")}
    unnamed = set(folders)
    for number, line in lines:
        for name in _NAME.findall(line):
            name = name.rstrip("/")
            inner = name.removeprefix(f"{MODULE}/")
            same = {it for it in folders if f"/{it}".endswith(f"/{inner}")}
            unnamed -= same
            if not same and name not in tree.folders:
                yield Fault("layout", DOCUMENT, number, f"{name}/", f"there is no folder {name}/ in {MODULE}")
    for name in sorted(unnamed):
        yield Fault(
            "layout", f"{MODULE}/{name}", 1, f"{name}/",
            f"the section `Layout` of {DOCUMENT} does not name it")
