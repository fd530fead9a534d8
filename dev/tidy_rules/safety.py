"""A type that is marked `@safe`, or sent to other threads unchecked, says above it why that is right."""

import re

from .declarations import SCOPES
from .fault import Fault

_CLAIM = re.compile(r"@safe\b|@unchecked\s+Sendable\b")


def check(tree):
    for name in tree.named(".swift", "Sources"):
        for it in tree.declarations(name):
            claims = _CLAIM.findall(it.head + it.tail) if it.kind in SCOPES else []
            if claims and not any(re.match(r"///? SAFETY: \S", line) for line in it.comment):
                claim = " and ".join(dict.fromkeys(" ".join(claim.split()) for claim in claims))
                yield Fault(
                    "safety", name, it.line, it.path,
                    f"{it.path} is {claim} without a SAFETY: line in the comment above it")
