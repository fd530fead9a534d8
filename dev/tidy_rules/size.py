"""Files, functions and folders are small enough to be read at once, and so is all else in braces but a type."""

import collections
import posixpath
import re

from .declarations import SCOPES
from .fault import Fault

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
FOLDER_FILES_MAX = 16


def check(tree):
    folders = collections.Counter()
    for name in tree.named(".swift"):
        count = len(tree.lines(name))
        if count > FILE_LINES_MAX:
            yield Fault("size", name, count, name, f"{count} lines, at most {FILE_LINES_MAX}")
        if name.startswith("Sources/"):
            folders[posixpath.dirname(name)] += 1
        yield from long_bodies(name, tree.code(name), tree.declarations(name))
    for folder, count in folders.items():
        if count > FOLDER_FILES_MAX:
            yield Fault("size", folder, 1, folder, f"{count} Swift files, at most {FOLDER_FILES_MAX}")


def long_bodies(file, code, declarations):
    """Functions, computed properties and closures that are too long; of those within one another, the outer."""
    types = {(it.kind, it.end_line) for it in declarations if it.kind in SCOPES}
    type_ends = {line for _, line in types}
    end = 0
    for first, last in sorted(braces(code)):
        inside = [it for it in declarations if it.line <= first <= it.end_line]
        owner = inside[-1] if inside else None
        start = owner.line if owner and owner.kind not in SCOPES and owner.end_line == last else first
        length = last - start + 1
        if last in type_ends or first <= end or length <= FUNCTION_LINES_MAX:
            continue
        end = last
        path = owner.path if owner else file
        what = path if start != first or owner and owner.line == first else f"a closure in {path}"
        yield Fault("size", file, start, path, f"{what} has {length} lines, at most {FUNCTION_LINES_MAX}")


def braces(code):
    """(first line, last line) of what stands in each pair."""
    line, opened = 1, []
    for mark in re.finditer(r"[{}\n]", code):
        if mark.group() == "\n":
            line += 1
        elif mark.group() == "{":
            opened.append(line)
        elif opened:
            yield opened.pop(), line
