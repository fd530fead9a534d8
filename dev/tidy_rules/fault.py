"""What a rule reports."""

import typing


class Fault(typing.NamedTuple):
    rule: str
    path: str
    line: int
    # What an exemption names: it stays the same when lines move.
    subject: str
    text: str
