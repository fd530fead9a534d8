"""dev/tidy-exemptions: on each line a rule, what it is not to say anything about, and why."""

import re

from .fault import Fault

FILE = "dev/tidy-exemptions"


def exempted(tree, rules, faults):
    """The faults without those that are exempted, and with a fault for each exemption that is not right."""
    known, wrong = read(tree, rules)
    needed = {(fault.rule, fault.subject) for fault in faults}
    yield from (fault for fault in faults if (fault.rule, fault.subject) not in known)
    yield from wrong
    for (rule, subject), line in known.items():
        if (rule, subject) not in needed:
            yield Fault(rule, FILE, line, subject, "this exemption is no longer needed")


def read(tree, rules):
    """The exemptions of these rules, {(rule, subject): line}, and the lines that cannot be read."""
    known, wrong = {}, []
    for number, line in enumerate(tree.lines(FILE), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = re.split(r"\s{2,}", line.strip(), maxsplit=2)
        if len(fields) < 3:
            text = "an exemption is: rule, subject, reason"
            wrong.append(Fault(rules[0], FILE, number, line.strip(), text))
        elif fields[0] in rules:
            known[fields[0], fields[1]] = number
    return known, wrong
