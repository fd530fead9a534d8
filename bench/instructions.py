"""Loads whose instructions are counted by callgrind, and the counting."""

import re

from broker import Broker

BATCH_BYTES = 64 << 10
PAYLOAD = b"0123456789abcdef"
SUBJECT = "orders.new"
INBOX = "_INBOX.Zx3kQ9vT1mB7"


def frame(line):
    """What a subscriber with the sid 1 gets for a PUB line."""
    verb, subject, rest = line.split(b" ", 2)
    return b"MSG %s 1 %s" % (subject, rest)


def batches(messages):
    """Messages joined to batches of 64 KiB, with what each batch delivers in bytes."""
    parts, size, delivered = [], 0, 0
    for message in messages:
        if size + len(message) > BATCH_BYTES:
            yield b"".join(parts), delivered
            parts, size, delivered = [], 0, 0
        parts.append(message)
        size += len(message)
        delivered += len(frame(message))
    if parts:
        yield b"".join(parts), delivered


def plain(count):
    return (b"PUB %s 16\r\n%s\r\n" % (SUBJECT.encode(), PAYLOAD) for _ in range(count))


def instructions(scenario, count, output, loops=1):
    """User instructions of a whole broker process, from start to stop, that is given a load."""
    wrapper = ("valgrind", "--tool=callgrind", f"--callgrind-out-file={output}")
    with Broker("--loops", str(loops), wrapper=wrapper) as broker:
        scenario(broker, count)
    found = re.search(r"Collected : (\d+)", broker.text_of_log)
    if not found:
        raise SystemExit(f"error: callgrind counted nothing:\n{broker.text_of_log}")
    return int(found.group(1))
