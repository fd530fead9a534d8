"""Links from one document to a file, a folder or a heading lead there, and paths in backticks exist.

Such a path begins with `dev/`, `bench/`, `docs/`, `Tests/` or another of the first folders, or is a file or
folder of Sources by the end of its path: `Workers/JobsOut.swift`, `Protocol/Client/`. It may be followed by
arguments. What stands in the changes of earlier times may be gone.
"""

import posixpath
import re
import urllib.parse

from .fault import Fault
from .markdown import anchors, commands, links, quoted

HISTORY = "CHANGELOG.md"
_ELSEWHERE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)
_OF_SOURCES = re.compile(r"(?:[A-Z]\w*/)*(?:[A-Z]\w*/|[A-Z][\w+]*\.swift)")


def check(tree):
    folders = {name.split("/")[0] for name in tree.files if "/" in name}
    ends = {f"/{name}" for name in (*tree.files, *(f"{folder}/" for folder in tree.folders))}
    for name in tree.named(".md"):
        for number, target in links(tree.lines(name)):
            if not _ELSEWHERE.match(target) and (text := wrong(tree, name, target)):
                yield Fault("links", name, number, f"{name}:{target}", f"{target}: {text}")
        if name == HISTORY:
            continue
        lines = tree.lines(name)
        for number, text in (*quoted(lines), *commands(lines)):
            path = text.split()[0] if text.strip() else ""
            if is_gone(path, folders, ends, posixpath.dirname(name)):
                yield Fault("links", name, number, f"{name}:{path}", f"{path}: no such file is tracked")


def is_gone(path, folders, ends, here):
    """Whether it should be a path of this repository and is none."""
    if _OF_SOURCES.fullmatch(path):
        return not any(end.endswith(f"/{path}") for end in ends)
    if path.split("/")[0] not in folders or not re.fullmatch(r"[\w./+-]+/[\w./+-]*", path):
        return False
    known = {f"/{path}", f"/{path}/", f"/{here}/{path}", f"/{here}/{path}/"}
    return not known & ends


def wrong(tree, name, target):
    file, _, anchor = urllib.parse.unquote(target).partition("#")
    found = posixpath.normpath(posixpath.join(posixpath.dirname(name), file)) if file else name
    if found not in tree.files and found not in tree.folders:
        return "no such file is tracked"
    if anchor and found.endswith(".md") and anchor not in anchors(tree.lines(found)):
        return f"{found} has no such heading"
    return None
