"""The section "Locks" of docs/ARCHITECTURE.md lists every lock, and no other.

An item of the list names locks before its first colon: `Type.property`, or `Type` for all of that type.
"""

import re

from .declarations import SCOPES
from .fault import Fault
from .markdown import section

DOCUMENT = "docs/ARCHITECTURE.md"
# The project's own, whose insides are not listed, and the system's.
WRAPPERS = ("Guarded", "ThreadLock")
_LOCK = re.compile(
    r"\b(?:let|var)\s+(\w+)\b[^\n]*?(?<![.\w])(?:Guarded|ThreadLock|Mutex|NSLock|NSRecursiveLock|NSCondition"
    r"|OSAllocatedUnfairLock|os_unfair_lock|pthread_(?:mutex|rwlock|spinlock)_t|DispatchSemaphore|sem_t)\b"
    r"(?!\s*\.)"
)
_ITEM = re.compile(r"^\s*(?:[-*]|\d+\.|\|)\s+(.*)")
_NAME = re.compile(r"`([A-Z]\w*(?:\.\w+)*)`")


def check(tree):
    document = section(tree.lines(DOCUMENT), "Locks")
    listed = {name: number for number, line in document for name in names(line)}
    used = set()
    for file, line, lock in locks(tree):
        known = {name for name in listed if is_listed(lock, name)}
        used |= known
        if not known:
            yield Fault("locks", file, line, lock, f"the lock {lock} is not in the list of {DOCUMENT}")
    for name, number in listed.items():
        if name not in used:
            yield Fault("locks", DOCUMENT, number, name, f"there is no lock {name}")


def names(line):
    item = _ITEM.match(line)
    return _NAME.findall(re.split(r"[:|]", item.group(1))[0]) if item else []


def is_listed(lock, name):
    return f".{lock}".endswith(f".{name}") or name in lock.split(".")[:-1]


def locks(tree):
    """(file, line, name with its types) of each variable that is a lock."""
    for file in tree.named(".swift", "Sources"):
        code = tree.code(file)
        for match in _LOCK.finditer(code):
            line = code.count("\n", 0, match.start()) + 1
            around = [
                it
                for it in tree.declarations(file)
                if it.kind in SCOPES and it.line <= line <= it.end_line
            ]
            if not any(it.name in WRAPPERS for it in around):
                yield file, line, ".".join([it.name for it in around] + [match.group(1)])
