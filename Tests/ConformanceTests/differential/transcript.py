"""Splits what a server sends into frames, and hides what may differ between two servers."""

import itertools
import json

# Fields of INFO that are the server's or the connection's own: on both sides, with any value.
MASKED = {
    "server_id": "random",
    "version": "each server has its own",
    "port": "a free one, where it is the one the server listens on",
    "client_id": "counts connections, and servers are shared between cases",
    "nonce": "random",
}

# Fields of INFO that one side may lack.
OPTIONAL = {
    "go": "the Go version nats-server was built with",
    "git_commit": "of nats-server's build",
    "xkey": "nats-server's public curve key, for auth callout",
    "api_lvl": "of JetStream's API",
}


class FrameReader:
    """Collects bytes; gives back whole frames as (verb, printable text)."""

    def __init__(self, port: int):
        self.buffer = bytearray()
        self.port = port

    def feed(self, data: bytes):
        self.buffer += data

    def next_frame(self):
        end = self.buffer.find(b"\n")
        if end < 0:
            return None
        line = bytes(self.buffer[: end + 1])
        verb = line.split(None, 1)[0].decode("latin-1") if line.strip() else ""
        length = len(line)
        if verb in ("MSG", "HMSG"):
            length += _payload_length(line) + 2
            if len(self.buffer) < length:
                return None
        frame = bytes(self.buffer[:length])
        del self.buffer[:length]
        return verb, normalise(verb, frame, self.port)

    def rest(self) -> str:
        text = printable(bytes(self.buffer)) if self.buffer else ""
        self.buffer.clear()
        return text


def _payload_length(line: bytes) -> int:
    digits = line.split()[-1]
    return int(digits) if digits.isdigit() else 0


def normalise(verb: str, frame: bytes, port: int) -> str:
    if verb != "INFO":
        return printable(frame)
    try:
        fields = json.loads(frame[4:])
    except ValueError:
        return printable(frame)
    if fields.get("server_name") == fields.get("server_id"):
        fields["server_name"] = "<server_id>"
    for key in OPTIONAL:
        fields.pop(key, None)
    for key in MASKED.keys() & fields.keys():
        if key != "port" or fields[key] == port:
            fields[key] = "*"
    ending = printable(frame[frame.rindex(b"}") + 1 :])
    return "INFO " + json.dumps(fields, sort_keys=True) + ending


def printable(data: bytes) -> str:
    """One line, without loss; long runs of one byte are folded."""
    text = "".join(
        {13: "\\r", 10: "\\n", 9: "\\t", 92: "\\\\"}.get(byte)
        or (chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}")
        for byte in data
    )
    return fold(text)


def fold(text: str) -> str:
    if len(text) < 200:
        return text
    parts, index = [], 0
    while index < len(text):
        end = index
        while end < len(text) and text[end] == text[index]:
            end += 1
        run = end - index
        parts.append(f"{{{text[index]}*{run}}}" if run >= 20 else text[index:end])
        index = end
    return "".join(parts)


def sort_messages(frames: list) -> list:
    """Sorts the deliveries of each message by subscription, where their order is not defined."""
    return [
        frame
        for _, group in itertools.groupby(frames, key=_message_of)
        for frame in sorted(group, key=lambda frame: frame[1])
    ]


def _message_of(frame):
    """What the deliveries of one message have in common: all but the subscription's id."""
    verb, text = frame
    if verb not in ("MSG", "HMSG"):
        return text
    _, subject, _, rest = text.split(" ", 3)
    return subject, rest
