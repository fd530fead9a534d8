"""A pair of clients that others may disturb: one publishes at an even rate, the other notes how late.

A process of its own, so that nothing else delays it: `probe.py PORT MESSAGES_PER_SECOND [CONNECT]`, where
CONNECT is more of the CONNECT's JSON. It says "ready", and when its input ends it prints one line of JSON.
Latency is counted from the time at which a message was due: one that could not be sent in time is late too.
"""

import json
import select
import socket
import sys
import time

SUBJECT = b"attack.probe"
# After the last message, as long as those under way may take.
LAST_SECONDS = 10


def connect(port, more):
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    options = '"verbose":false,"pedantic":false' + (f",{more}" if more else "")
    connection.sendall(b"CONNECT {%s}\r\nPING\r\n" % options.encode())
    received = b""
    while b"PONG\r\n" not in received:
        piece = connection.recv(4096)
        if not piece:
            raise SystemExit(f"the server closed the probe's connection: {received!r}")
        received += piece
    return connection


class Probe:
    def __init__(self, port, rate, more):
        self.subscriber = connect(port, more)
        self.publisher = connect(port, more)
        self.subscriber.sendall(b"SUB %s 1\r\nPING\r\n" % SUBJECT)
        while not self.subscriber.recv(4096).endswith(b"PONG\r\n"):
            pass
        self.interval = 1 / rate
        self.sent = 0
        self.late = []
        self.rest = b""

    def run(self):
        start = time.monotonic()
        poller = select.poll()
        poller.register(self.subscriber, select.POLLIN)
        poller.register(sys.stdin, select.POLLIN | select.POLLHUP)
        ends_at = None
        while ends_at is None or (len(self.late) < self.sent and time.monotonic() < ends_at):
            now = time.monotonic()
            while ends_at is None and start + self.sent * self.interval <= now:
                due = start + self.sent * self.interval
                self.publisher.sendall(b"PUB %s 20\r\n%020d\r\n" % (SUBJECT, int(due * 1e9)))
                self.sent += 1
            next_due = start + self.sent * self.interval
            wait = 0.1 if ends_at else max(0, next_due - time.monotonic())
            for descriptor, _ in poller.poll(wait * 1000):
                if descriptor == self.subscriber.fileno():
                    self.receive()
                elif ends_at is None:
                    ends_at = time.monotonic() + LAST_SECONDS
                    poller.unregister(sys.stdin)

    def receive(self):
        data = self.subscriber.recv(1 << 16)
        if not data:
            raise SystemExit("the server closed the probe's connection")
        now = time.monotonic() * 1e9
        *lines, self.rest = (self.rest + data).split(b"\r\n")
        for line in lines:
            if line == b"PING":
                self.subscriber.sendall(b"PONG\r\n")
            elif line.isdigit():
                self.late.append((now - int(line)) / 1e6)


def main():
    port, rate, *more = sys.argv[1:]
    probe = Probe(int(port), float(rate), "".join(more))
    print("ready", flush=True)
    probe.run()
    late = sorted(probe.late)

    def at(part):
        return round(late[min(len(late) - 1, int(len(late) * part))], 3) if late else None

    print(json.dumps({
        "sent": probe.sent, "lost": probe.sent - len(late),
        "p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1)}))


if __name__ == "__main__":
    main()
