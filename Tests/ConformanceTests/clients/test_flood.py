"""A flood of large documents beside small requests: what a loop does in one turn.

Turns are measured by the processor time of the loop's thread (`turn_clock: thread`), because on a
machine with other work the time that passes says more of the scheduler. What others do at the
thread's expense still shows: interrupts, and a host that takes the core away from a virtual
machine. So one turn in a thousand documents may be longer; on the loop itself, nearly all would be.
"""

import json
import threading
import urllib.request

import pytest
from raw_client import Client
from server_process import free_port

RULES = """
martlet { loops: 1, turn_clock: thread }
http: "127.0.0.1:%d"
rules {
  max_fields: 20000
  workers: %d
  inline_below: 8KB
  schemas { order: "order.json" }
  orders { subject: "flood", validate: { schema: order } }
}
"""
SCHEMA = """
{"type": "object", "required": ["id", "items"], "properties": {"id": {"type": "integer"},
 "items": {"type": "array", "items": {"type": "object", "required": ["sku", "qty", "note"],
   "properties": {"sku": {"type": "string", "pattern": "^[A-Z]-[0-9]{4}$"}, "qty": {"minimum": 1},
                  "note": {"type": "string", "minLength": 3, "pattern": "^some.*text$"}}}}}}
"""
DOCUMENT_BYTES = 256 * 1024
# A turn above this is long: the bound of the histogram next to 500 us. Bucket n counts turns of up
# to 1,024 << n nanoseconds.
LONG_BUCKET = 10
LONG_NS = 1_024 << (LONG_BUCKET - 1)


def document():
    items = []
    size = len('{"id": 1, "items": []}')
    while size < DOCUMENT_BYTES - 100:
        items.append({"sku": f"A-{len(items) % 10_000:04}", "qty": 3, "note": "some long text"})
        size += len(json.dumps(items[-1])) + 2
    text = json.dumps({"id": 1, "items": items}).encode()
    assert DOCUMENT_BYTES - 200 < len(text) <= DOCUMENT_BYTES
    return text


class LineClient(Client):
    """Whose answers are read line by line."""

    def __init__(self, server):
        super().__init__(server, '"verbose":false', seconds=120)
        self.lines = self.socket.makefile("rb")

    def close(self):
        self.lines.close()
        super().close()


@pytest.fixture
def flooded(start_broker, tmp_path):
    """Gives a function: floods a broker, and says what its turns were."""
    connections = []

    def flood(workers, documents):
        monitoring = free_port()
        (tmp_path / "order.json").write_text(SCHEMA)
        configuration = tmp_path / "martlet.conf"
        configuration.write_text(RULES % (monitoring, workers))
        broker = start_broker("-c", str(configuration))
        flooder, requester, responder = (LineClient(broker) for _ in range(3))
        connections.extend((flooder, requester, responder))
        responder.send(b"SUB svc 1\r\n")
        responder.barrier()
        requester.send(b"SUB inbox 1\r\n")
        text = document()
        message = b"PUB flood %d\r\n%s\r\n" % (len(text), text)
        # The first ones make the scratch and the buffers.
        flooder.send(message * 4)
        flooder.barrier()
        before = own(monitoring)
        answered = send_beside(flooder, message, documents, requester, responder)
        return Flood(documents, answered, before, own(monitoring), rules(monitoring))

    yield flood
    for connection in connections:
        connection.close()


class Flood:
    def __init__(self, documents, answered, before, after, rule):
        self.answered = answered
        self.valid = rule["results"]["passed"] - 4
        counts = [b - a for a, b in zip(before["turns_by_log2_us"], after["turns_by_log2_us"])]
        self.turns = sum(counts)
        self.long = sum(counts[LONG_BUCKET:])
        self.longest_us = after["longest_turn_ns"] / 1_000
        print(f"{documents} documents, {answered} requests, {self.turns} turns, {self.long} over "
              f"{LONG_NS / 1_000:.0f} us, the longest ever {self.longest_us:.0f} us, {counts}")


def send_beside(flooder, message, documents, requester, responder):
    """How many requests were answered until the documents were through."""
    failures = []
    done = threading.Event()

    def flood():
        try:
            for _ in range(documents):
                flooder.send(message)
            flooder.barrier()
        except OSError as failure:
            failures.append(failure)
        done.set()

    thread = threading.Thread(target=flood)
    thread.start()
    answered = 0
    try:
        while not done.is_set():
            requester.send(b"PUB svc inbox 2\r\nhi\r\n")
            assert responder.lines.readline() == b"MSG svc 1 inbox 2\r\n"
            responder.lines.readline()
            responder.send(b"PUB inbox 2\r\nok\r\n")
            assert requester.lines.readline() == b"MSG inbox 1 2\r\n"
            requester.lines.readline()
            answered += 1
    finally:
        thread.join()
    assert not failures
    return answered


def page(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return json.load(answer)


def own(port):
    return page(port, "/varz")["martlet"]


def rules(port):
    return page(port, "/rulesz")["rules"][0]


def test_documents_that_a_worker_checks_make_no_long_turns(flooded):
    found = flooded(1, 1_000)
    assert found.valid == 1_000 and found.answered > 100
    # A host that takes the core away counts as the thread's time: some turns are long by that alone.
    assert found.long < found.valid // 100


def test_documents_that_the_loop_checks_make_long_turns(flooded):
    """The other test can fail: each document is a turn that it would count."""
    found = flooded(0, 100)
    assert found.valid == 100
    assert found.long >= 90
