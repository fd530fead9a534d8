"""What is marked `@safe` or `nonisolated(unsafe)`, or sent to other threads unchecked, says above it why.

A type, function or variable counts, whoever declares it. `SAFETY:` and one word say nothing.
"""

import re

from .declarations import SCOPES
from .fault import Fault

_CLAIM = re.compile(r"@safe\b|nonisolated\s*\(\s*unsafe\s*\)|@unchecked\s+Sendable\b")
_PROOF = re.compile(r"///? SAFETY: \S+ \S")


def check(tree):
    for name in tree.named(".swift", "Sources"):
        told = set()
        for it in tree.declarations(name):
            claims = _CLAIM.findall(it.head + (it.tail if it.kind in SCOPES else ""))
            told.update(range(it.first_line, it.line + 1 + it.tail.count("\n")) if claims else ())
            if claims and not any(_PROOF.match(line) for line in it.comment):
                yield fault(name, it.line, it.path, claims)
        # Of what a function holds there are no declarations.
        lines, code = tree.lines(name), tree.code(name)
        for claim in _CLAIM.finditer(code):
            line = code.count("\n", 0, claim.start()) + 1
            if line not in told and not proved(lines, line):
                yield fault(name, line, f"{name}:{line}", [claim.group()])


def proved(lines, line):
    """Whether the comment above this line says why."""
    above = line - 1
    while above and lines[above - 1].lstrip().startswith("//"):
        above -= 1
    return any(_PROOF.match(text.strip()) for text in lines[above : line - 1])


def fault(name, line, subject, claims):
    claim = " and ".join(dict.fromkeys(" ".join(claim.split()) for claim in claims))
    return Fault(
        "safety", name, line, subject,
        f"{subject} is {claim} without a SAFETY: line of a few words in the comment above it")
