"""The rules of dev/tidy: a module each, whose `check` yields the faults that it finds in a tree."""

from . import dead_code, documentation, layout, links, locks, path, safety, size, words
from .exemptions import exempted

RULES = {
    "safety": safety.check,
    "documentation": documentation.check,
    "size": size.check,
    "locks": locks.check,
    "path": path.check,
    "layout": layout.check,
    "links": links.check,
    "words": words.check,
    "dead-code": dead_code.check,
}


def faults_of(tree, rules):
    """The faults that no exemption allows, and the exemptions that allow nothing, in the order of files."""
    found = [fault for rule in rules for fault in RULES[rule](tree)]
    return sorted(exempted(tree, rules, found), key=lambda fault: (fault.path, fault.line, fault.rule))
