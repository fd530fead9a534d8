"""Reads one case: a readable script of what is sent and what is awaited.

    # Free text that says what the case shows.
    args: --max_payload 100            extra command line of the server (optional)
    config: max_subscriptions: 3       a line of the server's configuration file (optional, repeats)
    unordered: WHY                     messages may come in any order within a step (optional)
    whole-only: WHY                    never split the input (optional)
    oracle-splits-differ: WHY          nats-server answers differently when the input is split;
                                       its unsplit answer counts (optional)
    own-server: WHY                    no other case may use this server (optional)
    ---
    A> CONNECT {"verbose":false}\\r\\n  send these bytes; the first mention of a name connects
    A< PONG                            read up to and including a PONG
    A< 2 MSG                           read up to and including the second MSG
    A sync                             send PING, read up to its PONG
    A closed                           read until the server closes the connection
    A quiet 100ms                      nothing may arrive for that long, and the connection stays
    A connect                          connect and read INFO (implied by the first use)
    A refused                          no connection can be made any more
    A close                            close from this side
    wait 50ms
    signal USR2                        to the server (own-server only)

Escapes in sent bytes: \\r \\n \\t \\\\ \\xHH, and {TEXT*N} for N repetitions of TEXT.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

HEADERS = {"args", "config", "unordered", "whole-only", "oracle-splits-differ", "own-server"}
ESCAPES = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\"}
ENDINGS = {"sync", "closed", "quiet", "close", "read", "refused"}


class CaseError(Exception):
    """A case that cannot be read; says where."""


@dataclass(frozen=True)
class Step:
    line: int
    text: str
    verb: str
    connection: str = ""
    data: bytes = b""
    frame: str = ""
    count: int = 1
    seconds: float = 0.0


@dataclass
class Case:
    name: str
    headers: dict = field(default_factory=dict)
    config: list = field(default_factory=list)
    steps: list = field(default_factory=list)

    @property
    def server_key(self):
        return (self.headers.get("args", ""), "\n".join(self.config))

    @property
    def expects_keepalive(self):
        """Whether the server's own PINGs are part of the case."""
        return any("ping_interval" in line for line in self.config)


def load_case(path: Path, root: Path) -> Case:
    case = Case(name=str(path.relative_to(root).with_suffix("")))
    in_header = True
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        line = raw.rstrip()
        if not line or line.startswith("#"):
            continue
        try:
            if in_header:
                in_header = line != "---" and not _read_header(case, line)
            else:
                case.steps.append(_read_step(number, line))
        except ValueError as error:
            raise CaseError(f"{path}:{number}: {error}") from None
    _check_endings(case, path)
    return case


def _read_header(case: Case, line: str) -> None:
    key, colon, value = line.partition(":")
    if not colon or key not in HEADERS:
        raise ValueError(f"unknown header {line!r}; known: {', '.join(sorted(HEADERS))}")
    if key == "config":
        case.config.append(value.strip())
    else:
        case.headers[key] = value.strip()


def _read_step(number: int, line: str) -> Step:
    if match := re.fullmatch(r"([A-Z])> (.*)", line):
        return Step(number, line, "send", match[1], data=unescape(match[2]))
    if match := re.fullmatch(r"([A-Z])< (?:(\d+) )?([-+A-Z]+)", line):
        return Step(number, line, "read", match[1], frame=match[3], count=int(match[2] or 1))
    if match := re.fullmatch(r"([A-Z]) (sync|closed|connect|refused|close)", line):
        return Step(number, line, match[2], match[1])
    if match := re.fullmatch(r"([A-Z]) quiet (\d+)ms", line):
        return Step(number, line, "quiet", match[1], seconds=int(match[2]) / 1000)
    if match := re.fullmatch(r"wait (\d+)ms", line):
        return Step(number, line, "wait", seconds=int(match[1]) / 1000)
    if match := re.fullmatch(r"signal ([A-Z0-9]+)", line):
        return Step(number, line, "signal", frame=match[1])
    raise ValueError(f"not a step: {line!r}")


def unescape(text: str) -> bytes:
    def escape(match):
        code = match[1]
        if code in ESCAPES:
            return ESCAPES[code]
        if code[0] == "x" and len(code) == 3:
            return chr(int(code[1:], 16))
        raise ValueError(f"unknown escape \\{code}")

    latin = text.encode("utf-8").decode("latin-1")
    repeated = re.sub(r"\{([^{}*]+)\*(\d+)\}", lambda match: match[1] * int(match[2]), latin)
    return re.sub(r"\\(x[0-9a-fA-F]{2}|.)", escape, repeated).encode("latin-1")


def _check_endings(case: Case, path: Path) -> None:
    """Whatever arrives after a connection's last step would go unseen, so it must end in a read."""
    last = {step.connection: step for step in case.steps if step.connection}
    if not last:
        raise CaseError(f"{path}: no steps")
    for step in last.values():
        if step.verb not in ENDINGS:
            raise CaseError(
                f"{path}:{step.line}: {step.connection} must end in sync, closed or quiet"
            )
