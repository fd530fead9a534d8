"""Words that dev/tidy-words lists are not used.

Each of its lines has a scope, a word or a /regular expression/, and what to write instead:

    text   in any tracked file, as a word of its own
    swift  in Swift, comments and literals too, also as a part of a name: bell in `bells` and `ringBell`
    name   in Swift, in names only

A regular expression is looked for in lines of text, and in each name of Swift.
"""

import functools
import re

from . import exemptions
from .fault import Fault

FILE = "dev/tidy-words"
_NAME = re.compile(r"[A-Za-z_]\w*")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def check(tree):
    rules, wrong = read(tree)
    yield from wrong
    in_text = [(word, pattern(word), instead) for scope, word, instead in rules if scope == "text"]
    in_swift = {"swift": [], "name": []}
    for scope, word, instead in rules:
        if scope != "text":
            in_swift[scope].append((word, finder(word), instead))
    for file in tree.files:
        if file in (FILE, exemptions.FILE):
            continue
        for number, line in enumerate(tree.lines(file), 1):
            for word, regex, instead in in_text:
                if match := regex.search(line):
                    yield fault(file, number, word, match.group(), instead)
        if file.endswith(".swift"):
            yield from in_names(file, tree.text(file), in_swift["swift"])
            yield from in_names(file, tree.code(file), in_swift["name"])


def read(tree):
    rules, wrong = [], []
    for number, line in enumerate(tree.lines(FILE), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = re.split(r"\s{2,}", line.strip(), maxsplit=2)
        if len(fields) == 3 and fields[0] in ("text", "swift", "name"):
            rules.append(fields)
        else:
            text = "a line is: text, swift or name; a word; what to write instead"
            wrong.append(Fault("words", FILE, number, line.strip(), text))
    return rules, wrong


def pattern(word):
    if word.startswith("/"):
        return re.compile(word[1:-1], re.IGNORECASE)
    return re.compile(rf"\b{re.escape(word)}s?\b", re.IGNORECASE)


def finder(word):
    """Whether a name has this word in it."""
    if word.startswith("/"):
        return re.compile(word[1:-1]).search
    wanted = parts(word)
    return functools.lru_cache(maxsize=None)(lambda name: holds(parts(name), wanted))


def parts(name):
    """`toldApart` is told, apart."""
    return [part.lower() for part in _PART.findall(name)]


def holds(its_parts, wanted):
    *first, last = wanted
    for i in range(len(its_parts) - len(first)):
        end = i + len(first)
        if its_parts[i:end] == first and its_parts[end] in (last, last + "s"):
            return True
    return False


def in_names(file, text, words):
    for number, line in enumerate(text.splitlines() if words else [], 1):
        names = _NAME.findall(line)
        for word, is_in, instead in words:
            if found := next(filter(is_in, names), None):
                yield fault(file, number, word, found, instead)


def fault(file, line, word, found, instead):
    return Fault("words", file, line, f"{file}:{word}", f"`{found}`: {instead}")
