"""What the library modules declare public has a doc comment.

That is each type, function, initializer, property, subscript and alias that is public, the requirements
of a public protocol, and each case of a public enum that carries values; a case without any is said by
its name and by the comment of its enum. What answers a protocol of the standard library is documented
there, if its type says that it conforms.
"""

import collections
import re

from .declarations import SCOPES
from .fault import Fault

MODULES = ("Sources/MartletBroker", "Sources/MartletRules", "Sources/MartletMonitor")
_COLLECTIONS = ("Collection", "BidirectionalCollection", "RandomAccessCollection")
_SEQUENCES = ("Sequence", "AsyncSequence", *_COLLECTIONS)
_RAW = ("RawRepresentable", "OptionSet")
# What answers a protocol, and which protocols ask for it.
WITNESSES = {
    "description": ("CustomStringConvertible",),
    "debugDescription": ("CustomDebugStringConvertible",),
    "errorDescription": ("LocalizedError",),
    "hash": ("Hashable",),
    "encode": ("Encodable", "Codable"),
    "rawValue": _RAW,
    "RawValue": _RAW,
    "allCases": ("CaseIterable",),
    "startIndex": _COLLECTIONS,
    "endIndex": _COLLECTIONS,
    "index": _COLLECTIONS,
    "Index": _COLLECTIONS,
    "Element": _SEQUENCES,
    "makeIterator": ("Sequence", *_COLLECTIONS),
    "makeAsyncIterator": ("AsyncSequence",),
    "Iterator": ("Sequence", *_COLLECTIONS),
    "AsyncIterator": ("AsyncSequence",),
    "next": ("IteratorProtocol", "AsyncIteratorProtocol", "RandomNumberGenerator"),
    "ArrayLiteralElement": ("ExpressibleByArrayLiteral",),
}
_DOC = re.compile(r"/// .*\w")


def check(tree):
    files = tree.named(".swift", *MODULES)
    conforms = collections.defaultdict(set)
    for name in files:
        for it in tree.declarations(name):
            if it.kind in SCOPES:
                conforms[it.name.split(".")[-1]].update(re.findall(r"\w+", it.tail))
    for name in files:
        for it in tree.declarations(name):
            if needs_comment(it, conforms) and not any(_DOC.match(line) for line in it.comment):
                yield Fault(
                    "documentation", name, it.line, it.path,
                    f"public {it.kind} {it.path} has no doc comment")


def needs_comment(it, conforms):
    if not it.is_public or it.kind in ("extension", "deinit") or it.has("override"):
        return False
    if it.parent and conforms[it.parent.name.split(".")[-1]].intersection(WITNESSES.get(it.name, ())):
        return False
    if it.kind == "case":
        return it.tail.startswith("(")
    is_operator = not (it.name[0].isalpha() or it.name[0] == "_")
    return not (it.kind == "func" and is_operator)
