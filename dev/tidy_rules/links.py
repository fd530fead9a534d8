"""Links from one document to a file, a folder or a heading lead there."""

import posixpath
import re
import urllib.parse

from .fault import Fault
from .markdown import anchors, links

_ELSEWHERE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)


def check(tree):
    for name in tree.named(".md"):
        for number, target in links(tree.lines(name)):
            if not _ELSEWHERE.match(target) and (text := wrong(tree, name, target)):
                yield Fault("links", name, number, f"{name}:{target}", f"{target}: {text}")


def wrong(tree, name, target):
    file, _, anchor = urllib.parse.unquote(target).partition("#")
    found = posixpath.normpath(posixpath.join(posixpath.dirname(name), file)) if file else name
    if found not in tree.files and found not in tree.folders:
        return "no such file is tracked"
    if anchor and found.endswith(".md") and anchor not in anchors(tree.lines(found)):
        return f"{found} has no such heading"
    return None
