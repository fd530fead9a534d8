"""Files, functions and folders are small enough to be read at once."""

import collections
import posixpath

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
        for it in tree.declarations(name):
            length = it.end_line - it.line + 1
            if it.kind in ("func", "init", "deinit", "subscript") and length > FUNCTION_LINES_MAX:
                yield Fault(
                    "size", name, it.line, it.path,
                    f"{it.path} has {length} lines, at most {FUNCTION_LINES_MAX}")
    for folder, count in folders.items():
        if count > FOLDER_FILES_MAX:
            yield Fault("size", folder, 1, folder, f"{count} Swift files, at most {FOLDER_FILES_MAX}")
