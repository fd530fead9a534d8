"""The first lines of the message path's files lead a reader from one to the next.

`// Message path, step N: what it is. Next: File.swift.` stands on each step, from 0 on; the last ends with
`The end of the path.` All other files of the folder say `// Message path, beside File.swift: what it is.`
A step may stand in another folder of the module.
"""

import posixpath
import re

from .fault import Fault

MODULE = "Sources/MartletBroker"
FOLDER = "Sources/MartletBroker/MessagePath"
_STEP = re.compile(r"// Message path, step (\d+): .*\S\. (?:Next: ([\w+]+)\.swift|The end of the path)\.")
_BESIDE = re.compile(r"// Message path, beside ([\w+]+)\.swift: .*\S")


def check(tree):
    steps, beside = {}, {}
    for name in tree.named(".swift", MODULE):
        first = (tree.lines(name) or [""])[0]
        if match := _STEP.fullmatch(first):
            steps.setdefault(int(match.group(1)), []).append((name, match.group(2)))
        elif match := _BESIDE.fullmatch(first):
            beside[name] = match.group(1)
        elif name.startswith(f"{FOLDER}/") or first.startswith("// Message path"):
            yield Fault(
                "path", name, 1, name,
                "the first line is neither `// Message path, step N: ... Next: X.swift.`"
                " nor `// Message path, beside X.swift: ...`")
    yield from chain(steps)
    known = {stem(name) for named in steps.values() for name, _ in named} | {stem(name) for name in beside}
    for name, other in beside.items():
        if other not in known:
            yield Fault("path", name, 1, name, f"{other}.swift, which it stands beside, is not of the path")
    if not steps and not beside:
        yield Fault("path", FOLDER, 1, FOLDER, "there is no message path")


def chain(steps):
    for number in range(max(steps, default=-1) + 1):
        here, after = steps.get(number, []), steps.get(number + 1, [])
        if not here:
            yield Fault("path", FOLDER, 1, f"step {number}", f"no file is step {number} of the message path")
        for name, _ in here[1:]:
            yield Fault("path", name, 1, name, f"step {number} is already {stem(here[0][0])}.swift")
        for name, following in here:
            expected = stem(after[0][0]) if after else None
            if following != expected and (after or number == max(steps)):
                says = f"Next: {expected}.swift." if expected else "The end of the path."
                yield Fault("path", name, 1, name, f"the first line is to end with `{says}`")


def stem(name):
    return posixpath.basename(name).removesuffix(".swift")
