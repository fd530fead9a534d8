"""The section "Locks" of docs/ARCHITECTURE.md lists every lock, and no other.

An item of the list names locks before its first colon: `Type.property`, or `File.name` for a lock in C. A
lock is a variable of a type that locks, by whatever alias, or a queue that somebody waits for with `sync`.
"""

import posixpath
import re

from .declarations import SCOPES
from .fault import Fault
from .markdown import section

DOCUMENT = "docs/ARCHITECTURE.md"
# The project's own, whose insides are not listed.
WRAPPERS = ("Guarded", "ThreadLock")
_SYSTEM = (
    "Mutex", "NSLock", "NSRecursiveLock", "NSCondition", "NSConditionLock", "OSAllocatedUnfairLock",
    "os_unfair_lock", "DispatchSemaphore", "pthread_mutex_t", "pthread_rwlock_t", "pthread_spinlock_t",
    "mtx_t", "sem_t",
)  # fmt: skip
_ITEM = re.compile(r"^\s*(?:[-*]|\d+\.|\|)\s+(.*)")
_NAME = re.compile(r"`([A-Z]\w*(?:\.\w+)+)`")
_SYNC = re.compile(r"\b(\w+)\s*\.\s*sync\s*[({]")
_IN_C = re.compile(r"\b(?:pthread_(?:mutex|rwlock|spinlock)_t|mtx_t|sem_t)\s*\**\s*(\w+)")


def check(tree):
    document = section(tree.lines(DOCUMENT), "Locks")
    listed = {name: number for number, line in document for name in names(line)}
    used = set()
    for file, line, lock in locks(tree):
        known = {name for name in listed if f".{lock}".endswith(f".{name}")}
        used |= known
        if not known:
            yield Fault("locks", file, line, lock, f"the lock {lock} is not in the list of {DOCUMENT}")
    for name, number in listed.items():
        if name not in used:
            yield Fault("locks", DOCUMENT, number, name, f"there is no lock {name}")


def names(line):
    item = _ITEM.match(line)
    return _NAME.findall(re.split(r"[:|]", item.group(1))[0]) if item else []


def locks(tree):
    """(file, line, name with its types) of each variable that is a lock."""
    files = tree.named(".swift", "Sources")
    variable = re.compile(
        # Its type or value, on this line or the next one.
        rf"\b(?:let|var)\s+(\w+)\s*[:=][ \w.<\[(,?!]*?(?:\n[ \w.<\[(,?!]*?)?{types(tree, files)}(?!\s*\.)")
    for file in files:
        code = tree.code(file)
        for pattern in (variable, _SYNC):
            for match in pattern.finditer(code):
                line = code.count("\n", 0, match.start()) + 1
                around = [
                    it.name
                    for it in tree.declarations(file)
                    if it.kind in SCOPES and it.line <= line <= it.end_line
                ]
                if not set(around) & set(WRAPPERS):
                    yield file, line, ".".join([*around, match.group(1)])
    for file in (*tree.named(".h", "Sources"), *tree.named(".c", "Sources")):
        for number, line in enumerate(tree.lines(file), 1):
            for name in _IN_C.findall(line):
                yield file, number, f"{posixpath.basename(file).split('.')[0]}.{name}"


def types(tree, files):
    """Matches what locks: the project's types, the system's, and aliases of either."""
    known = [*WRAPPERS, *_SYSTEM]
    found = True
    while found:
        alias = re.compile(rf"\btypealias\s+(\w+)[^=\n]*=[^\n]*\b(?:{'|'.join(known)})\b")
        found = {name for file in files for name in alias.findall(tree.code(file))} - set(known)
        known += sorted(found)
    return rf"\b(?:{'|'.join(known)})\b"
