"""What is declared in Sources is used there.

A name counts as used when it occurs anywhere but where it is declared, so what shares its name with
something else passes. What only tests and tools use is reported too, unless it is public: then it is
there for other programs. A case that is only ever matched or compared with is one that cannot happen.
Names that the language or a protocol from elsewhere calls are not looked at.
"""

import collections
import re

from .declarations import TYPES
from .documentation import WITNESSES
from .fault import Fault

_NAME = re.compile(r"[A-Za-z_]\w*")
_KINDS = TYPES + ("func", "let", "var", "case", "typealias", "associatedtype")
_CALLED = WITNESSES | {
    "main", "body", "id", "wrappedValue", "projectedValue", "callAsFunction", "appendInterpolation",
    "CodingKeys", "codingPath", "intValue", "stringValue",
    # Of swift-argument-parser, swift-log and executors.
    "defaultValueDescription", "logLevel", "metadata", "metadataProvider", "enqueue",
    "_",
}  # fmt: skip
_ENUM_BY_VALUE = re.compile(r":.*\b(?:String|U?Int\d*|Character|CodingKey|CaseIterable)\b", re.DOTALL)
_ENCODED = re.compile(r":.*\b(?:En|De)?[Cc]odable\b", re.DOTALL)
# What asks for a case, and does not make one.
_QUESTION = re.compile(r"\bcase\s+(?:let\s+|var\s+)?\.[^:={]*|[=!]=\s*\.\w+")


def check(tree):
    here, made, elsewhere = collections.Counter(), collections.Counter(), collections.Counter()
    for name in tree.named(".swift"):
        code = tree.code(name)
        if name.startswith("Sources/"):
            here.update(_NAME.findall(code))
            made.update(_NAME.findall(_QUESTION.sub(" ", code)))
        else:
            elsewhere.update(_NAME.findall(code))
    declared = [
        (file, it)
        for file in tree.named(".swift", "Sources")
        for it in tree.declarations(file)
        if it.kind in _KINDS and is_named_by_us(it)
    ]
    sites = collections.Counter(it.name for _, it in declared)
    for file, it in declared:
        if it.is_public and elsewhere[it.name]:
            continue
        if here[it.name] <= sites[it.name]:
            where = "only outside Sources" if elsewhere[it.name] else "nowhere"
            yield Fault("dead-code", file, it.line, it.path, f"{it.kind} {it.path} is used {where}")
        elif it.kind == "case" and made[it.name] <= sites[it.name] and not it.is_public:
            yield Fault("dead-code", file, it.line, it.path, f"nothing in Sources makes case {it.path}")


def is_named_by_us(it):
    if it.name in _CALLED or not _NAME.fullmatch(it.name) or it.has("override"):
        return False
    if re.search(r"@(?:main|_cdecl|objc)\b", it.head):
        return False
    if it.kind == "case":
        return not _ENUM_BY_VALUE.search(it.parent.tail)
    return not (it.kind in ("let", "var") and it.parent and _ENCODED.search(it.parent.tail))
