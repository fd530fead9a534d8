"""Reads headings, sections and links of Markdown."""

import re

_FENCE = re.compile(r"^\s*(```|~~~)")
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$")
_LINK = re.compile(r"!?\[(?:[^][]|\[[^]]*\])*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_DEFINITION = re.compile(r"^\s*\[[^]]+\]:\s*<?(\S+?)>?(?:\s|$)")
_ATTRIBUTE = re.compile(r"\b(?:href|src)=\"([^\"]+)\"")


def prose(lines):
    """The lines with their numbers, without those of code blocks."""
    fence = None
    for number, line in enumerate(lines, 1):
        mark = _FENCE.match(line)
        if mark and fence in (None, mark.group(1)):
            fence = None if fence else mark.group(1)
        elif not fence:
            yield number, line


def commands(lines):
    """The numbered lines of code blocks."""
    outside = {number for number, _ in prose(lines)}
    for number, line in enumerate(lines, 1):
        if number not in outside:
            yield number, line


def quoted(lines):
    """(line number, text) of what stands in backticks."""
    for number, line in prose(lines):
        for match in re.finditer(r"(?<!`)`([^`]+)`(?!`)", line):
            yield number, match.group(1)


def headings(lines):
    """(line number, level, title) of each."""
    for number, line in prose(lines):
        if match := _HEADING.match(line):
            yield number, len(match.group(1)), match.group(2)


def anchors(lines):
    """The anchors that GitHub makes of the headings."""
    found = {}
    for _, _, title in headings(lines):
        title = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", title)
        slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        found[slug] = found.get(slug, -1) + 1
        if found[slug]:
            found[f"{slug}-{found[slug]}"] = 0
    return set(found)


def section(lines, title):
    """The numbered lines under a heading, up to the next of its level or above; none if there is no such."""
    known = list(headings(lines))
    for i, (start, level, name) in enumerate(known):
        if name.lower() == title.lower():
            end = next((it for it, its_level, _ in known[i + 1 :] if its_level <= level), len(lines) + 1)
            return [(number, lines[number - 1]) for number in range(start + 1, end)]
    return []


def links(lines):
    """(line number, target) of every link and picture."""
    for number, line in prose(lines):
        line = re.sub(r"(`+).*?\1", "``", line)
        if definition := _DEFINITION.match(line):
            yield number, definition.group(1)
        for pattern in (_LINK, _ATTRIBUTE):
            for match in pattern.finditer(line):
                yield number, match.group(1)
