"""Tells the code of a Swift file from its comments and literals."""

import re

_STRING = re.compile(r'(#*)("""(?=[ \t]*\n)|")')
_REGEX = re.compile(r"(#+)/(?=\S).*?/\1|/(?![\s/*])(?:\\.|\[(?:\\.|[^]\n])*\]|[^/\\\n])+/", re.DOTALL)
_BEFORE_REGEX = re.compile(r"(?:^|[(,=:\[{&|?]|\b(?:return|try|case|in))\s*$")
_COMMENT_EDGE = re.compile(r"/\*|\*/")


def code_only(text):
    """The text with every comment and literal made spaces: what is left stands where it stood."""
    kept = []
    end = _scan(text, 0, kept, closing=None)
    assert end == len(text)
    result = list(re.sub(r"[^\n]", " ", text))
    for first, last in kept:
        result[first:last] = text[first:last]
    return "".join(result)


def _scan(text, at, kept, closing):
    """Adds the ranges of code from `at` on, to the end or to the `)` that closes an interpolation."""
    start, depth = at, 0
    while at < len(text):
        c, skipped = text[at], None
        if c == "/" and text.startswith("//", at):
            skipped = text.find("\n", at)
            skipped = len(text) if skipped < 0 else skipped
        elif c == "/" and text.startswith("/*", at):
            skipped = _end_of_comment(text, at)
        elif c in '"#' and (string := _STRING.match(text, at)):
            kept.append((start, at))
            at = start = _string(text, string, kept)
            continue
        elif c in "/#" and (regex := _REGEX.match(text, at)):
            line = text[text.rfind("\n", 0, at) + 1 : at]
            if c == "#" or _BEFORE_REGEX.search(line):
                skipped = regex.end()
        if skipped is not None:
            kept.append((start, at))
            at = start = skipped
            continue
        depth += (c == "(") - (c == ")")
        if closing and depth < 0:
            break
        at += 1
    kept.append((start, at))
    return at


def _end_of_comment(text, at):
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, at):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(text)


def _string(text, opening, kept):
    """The end of a string literal; what it interpolates is code."""
    pounds, quotes = opening.groups()
    escape, end = "\\" + pounds, quotes + pounds
    at = opening.end()
    while at < len(text) and not text.startswith(end, at):
        if text.startswith(escape + "(", at):
            at = _scan(text, at + len(escape) + 1, kept, closing=")") + 1
        elif text.startswith(escape, at):
            at += len(escape) + 1
        else:
            at += 1
    return min(at + len(end), len(text))
