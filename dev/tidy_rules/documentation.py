"""What the library modules declare public has a doc comment.

That is each type, function, initializer, property, subscript and alias that is public, the requirements
of a public protocol, and each case of a public enum that carries values; a case without any is said by
its name and by the comment of its enum. What answers a protocol of the standard library is documented
there.
"""

from .fault import Fault

MODULES = ("Sources/MartletBroker", "Sources/MartletRules", "Sources/MartletMonitor")
WITNESSES = {
    "description", "debugDescription", "errorDescription", "hash", "encode", "rawValue", "allCases",
    "startIndex", "endIndex", "index", "makeIterator", "next", "deinit",
    "RawValue", "Element", "Iterator", "Index", "ArrayLiteralElement",
}  # fmt: skip


def check(tree):
    for name in tree.named(".swift", *MODULES):
        for it in tree.declarations(name):
            if needs_comment(it) and not any(line.startswith("///") for line in it.comment):
                yield Fault(
                    "documentation", name, it.line, it.path,
                    f"public {it.kind} {it.path} has no doc comment")


def needs_comment(it):
    if not it.is_public or it.kind == "extension" or it.has("override") or it.name in WITNESSES:
        return False
    if it.kind == "case":
        return it.tail.startswith("(")
    is_operator = not (it.name[0].isalpha() or it.name[0] == "_")
    return not (it.kind == "func" and is_operator)
