"""What is declared in Sources is used there.

A name counts as used when it occurs anywhere but where it is declared and within itself, so what shares its
name with something else passes. What only tests and tools use is reported too, unless it is public: then it
is there for other programs. A case that is only ever matched or compared with is one that cannot happen, and
a protocol is used by who conforms to it. An initializer is looked for by the labels that a call may begin
with. Names that the language or a protocol from elsewhere calls are not looked at.
"""

import collections
import re

from .declarations import SCOPES, TYPES
from .documentation import WITNESSES
from .fault import Fault

_NAME = re.compile(r"[A-Za-z_]\w*")
_KINDS = TYPES + ("func", "let", "var", "case", "typealias", "associatedtype")
_CALLED = set(WITNESSES) | {
    "main", "body", "id", "wrappedValue", "projectedValue", "callAsFunction", "appendInterpolation",
    "CodingKeys", "codingPath", "intValue", "stringValue",
    # Of swift-argument-parser, swift-log and executors.
    "defaultValueDescription", "logLevel", "metadata", "metadataProvider", "enqueue",
    "_",
}  # fmt: skip
# First labels of initializers that protocols from elsewhere call.
_CALLED_INITS = {"from", "argument", "rawValue", "arrayLiteral", "dictionaryLiteral", "stringLiteral"}
_ENUM_BY_VALUE = re.compile(r":.*\b(?:String|U?Int\d*|Character|CodingKey|CaseIterable)\b", re.DOTALL)
_ENCODED = re.compile(r":.*\b(?:En|De)?[Cc]odable\b", re.DOTALL)
# What asks for a case, and does not make one.
_QUESTION = re.compile(r"\bcase\s+(?:let\s+|var\s+)?\.[^:={]*|[=!]=\s*\.\w+")
_C_FUNCTION = re.compile(r"\b(martlet_\w+)\s*\(")
_PARAMETER = re.compile(r"\s*(?:@\w+\s+)*(\w+)\b[^:]*:")


def check(tree):
    yield from unused_names(tree)
    yield from unused_inits(tree)
    yield from protocols_without_types(tree)
    yield from unused_c_functions(tree)


def unused_names(tree):
    here, made, elsewhere = collections.defaultdict(list), collections.Counter(), collections.Counter()
    for name in tree.named(".swift"):
        code = tree.code(name)
        if name.startswith("Sources/"):
            for line, text in enumerate(code.split("\n"), 1):
                for word in _NAME.findall(text):
                    here[word].append((name, line))
            made.update(_NAME.findall(_QUESTION.sub(" ", code)))
        else:
            elsewhere.update(_NAME.findall(code))
    declared = [
        (file, it)
        for file in tree.named(".swift", "Sources")
        for it in tree.declarations(file)
        if it.kind in _KINDS and is_named_by_us(it)
    ]
    sites, own = collections.Counter(it.name for _, it in declared), collections.defaultdict(list)
    for file, it in declared:
        # What other programs may call is alive, and so is what it calls.
        if not (it.is_public and elsewhere[it.name]):
            own[it.name].append((file, it.line, it.end_line))
    for file in tree.named(".swift", "Sources"):
        for it in tree.declarations(file):
            if it.kind == "extension":
                own[it.name.split(".")[-1]].append((file, it.line, it.end_line))

    def is_used(name):
        if len(here[name]) <= sites[name]:
            return False
        return not all(
            any(file == where and start <= line <= end for where, start, end in own[name])
            for file, line in here[name]
        )

    for file, it in declared:
        if it.is_public and elsewhere[it.name]:
            continue
        if not is_used(it.name):
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


def unused_inits(tree):
    """Those whose type, `Self` or `.init` is nowhere called with a label that they may begin with."""
    here, elsewhere = calls(tree, tree.named(".swift", "Sources")), None
    for file in tree.named(".swift", "Sources"):
        for it in tree.declarations(file):
            labels = first_labels(it.tail) if it.kind == "init" and it.parent else None
            if not labels or labels & here or labels & _CALLED_INITS or it.has("override"):
                continue
            if it.is_public:
                elsewhere = elsewhere or calls(tree, tree.named(".swift"))
                if labels & elsewhere:
                    continue
            label = f"{it.path}({sorted(labels)[0]}:)"
            yield Fault("dead-code", file, it.line, label, f"nothing in Sources calls {label}")


def calls(tree, files):
    """The first labels of what may be a call of an initializer."""
    call = re.compile(r"(?:\b[A-Z]\w*(?:<[^()\n]*>)?|\.init|\bSelf|\])\s*\(\s*(\w+)\s*:")
    return {label for file in files for label in call.findall(tree.code(file))}


def first_labels(tail):
    """The labels that a call may begin with; none when it may begin without."""
    labels, depth, start = set(), 0, tail.find("(") + 1
    for at in range(start, len(tail)):
        depth += (tail[at] in "([{") - (tail[at] in ")]}")
        if depth < 0 or depth == 0 and tail[at] == ",":
            parameter = tail[start:at]
            label = _PARAMETER.match(parameter)
            if not label or label.group(1) == "_":
                return None
            labels.add(label.group(1))
            if "=" not in parameter:
                return labels
            start = at + 1
        if depth < 0:
            break
    return None


def protocols_without_types(tree):
    files = tree.named(".swift")
    conformed = {
        word
        for file in files
        for it in tree.declarations(file)
        if it.kind in SCOPES
        for word in _NAME.findall(it.tail)
        if file.startswith("Sources/") or it.is_public
    }
    for file in tree.named(".swift", "Sources"):
        for it in tree.declarations(file):
            if it.kind == "protocol" and it.name not in conformed and not it.is_public:
                yield Fault("dead-code", file, it.line, it.path, f"nothing in Sources is a {it.path}")


def unused_c_functions(tree):
    in_c = [*tree.named(".h", "Sources"), *tree.named(".c", "Sources")]
    uses = collections.Counter()
    for file in (*in_c, *tree.named(".swift", "Sources")):
        text = tree.code(file) if file.endswith(".swift") else tree.text(file)
        uses.update(re.findall(r"\bmartlet_\w+", text))
    for file in in_c:
        for number, line in enumerate(tree.lines(file), 1):
            for name in _C_FUNCTION.findall(line):
                if uses[name] < 2:
                    yield Fault("dead-code", file, number, name, f"function {name} is used nowhere")
