"""Instructions, counted by callgrind: of a command, and of a broker that is given a load."""

import re
import subprocess

from martlet import Broker

BATCH_BYTES = 64 << 10
PAYLOAD = b"0123456789abcdef"
SUBJECT = "orders.new"
INBOX = "_INBOX.Zx3kQ9vT1mB7"
# Under callgrind all takes fifty times as long: the clock would end each slice long before its time.
SLICES = "martlet { slice: 60s }"


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


def of_broker(scenario, count, output, loops=1):
    """User instructions of a whole broker process, from start to stop, that is given a load."""
    with Broker("--loops", str(loops), wrapper=callgrind(output), configuration=SLICES) as broker:
        scenario(broker, count)
    return collected(broker.text_of_log)


def of_command(command, output="/dev/null"):
    """User instructions of a command that ends by itself."""
    run = subprocess.run([*callgrind(output), *map(str, command)], capture_output=True, text=True)
    if run.returncode != 0:
        raise SystemExit(f"error: {command[0]} failed under callgrind:\n{run.stderr}")
    return collected(run.stderr)


def callgrind(output):
    return ("valgrind", "--tool=callgrind", f"--callgrind-out-file={output}")


def collected(text):
    found = re.search(r"Collected : (\d+)", text)
    if not found:
        raise SystemExit(f"error: callgrind counted nothing:\n{text}")
    return int(found.group(1))


def demangled(*command):
    """What a command prints, with Swift's names as they are written."""
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return subprocess.run(
        ["swift", "demangle", "--simplified"], input=text, capture_output=True, text=True,
        check=True).stdout
