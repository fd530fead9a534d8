"""Loads that must not allocate once warm.

Each scenario connects its clients, then yields once a round: a round sends some messages, and ends
when all that they cause has arrived. The first number yielded is of messages sent by the busiest
connection in a round; `run` warms up with as many rounds as make at most 10,000 messages.
"""

import os
import signal

from broker import Client, drain


# A turn that takes long on a busy machine is logged, and a log line allocates.
QUIET = "stall_threshold: 60s"


def _message(subject, payload, reply="", header=b""):
    words = f"{subject} {reply}".strip()
    if header:
        return b"HPUB %s %d %d\r\n%s%s\r\n" % (
            words.encode(), len(header), len(header) + len(payload), header, payload)
    return b"PUB %s %d\r\n%s\r\n" % (words.encode(), len(payload), payload)


def _delivery(subject, sid, payload, reply="", header=b""):
    words = f"{subject} {sid} {reply}".strip()
    if header:
        return b"HMSG %s %d %d\r\n%s%s\r\n" % (
            words.encode(), len(header), len(header) + len(payload), header, payload)
    return b"MSG %s %d\r\n%s\r\n" % (words.encode(), len(payload), payload)


def _subscribers(broker, count, interest, queue=""):
    clients = [Client(broker) for _ in range(count)]
    for client in clients:
        client.subscribe(interest, 1, queue)
    for client in clients:
        client.barrier()
    return clients


def _publish(broker, payload, per_round, subscribers=1, interest="orders.new", header=b""):
    receivers = _subscribers(broker, subscribers, interest)
    publisher = Client(broker)
    batch = _message("orders.new", payload, header=header) * per_round
    delivered = len(_delivery("orders.new", 1, payload, header=header)) * per_round
    while True:
        publisher.send(batch)
        drain({receiver: delivered for receiver in receivers})
        yield per_round


def publish_subscribe(broker):
    yield from _publish(broker, b"x" * 16, 500)


def one_at_a_time(broker):
    yield from _publish(broker, b"x" * 16, 1)


def many_publishers(broker):
    """Eight publishers, eight subscribers of each other's subjects, all at once."""
    pairs = []
    for i in range(8):
        subscriber, = _subscribers(broker, 1, f"orders.{i}")
        pairs.append((Client(broker), subscriber, i))
    while True:
        for publisher, _, i in pairs:
            publisher.send(_message(f"orders.{i}", b"x" * 100) * 200)
        size = len(_delivery("orders.0", 1, b"x" * 100)) * 200
        drain({subscriber: size for _, subscriber, _ in pairs})
        yield 200


def fan_in(broker):
    """One message from each of 40 publishers to one subscriber, all ready before the broker looks: it is
    stopped meanwhile. Their deliveries should leave together."""
    subscriber, = _subscribers(broker, 1, "in")
    publishers = [Client(broker) for _ in range(40)]
    size = len(_delivery("in", 1, b"x" * 16)) * len(publishers)
    while True:
        broker.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, broker.process.pid, os.WSTOPPED)
        for publisher in publishers:
            publisher.send(_message("in", b"x" * 16))
        broker.process.send_signal(signal.SIGCONT)
        drain({subscriber: size})
        yield len(publishers)


def headers(broker):
    yield from _publish(broker, b"x" * 16, 500, header=b"NATS/1.0\r\nTrace: 4711\r\n\r\n")


def wildcards(broker):
    """A subject that three filters match, and that changes with each message."""
    publisher = Client(broker)
    filters = ("orders.*", "orders.>", "*.*")
    receivers = [_subscribers(broker, 1, interest)[0] for interest in filters]
    number = 0
    while True:
        subjects = [f"orders.{number + i:08}" for i in range(500)]
        number += 500
        publisher.send(b"".join(_message(subject, b"x" * 16) for subject in subjects))
        size = len(_delivery(subjects[0], 1, b"x" * 16)) * 500
        drain({receiver: size for receiver in receivers})
        yield 500


def told_apart(broker):
    """Subjects that never repeat and must be looked up each time, because a literal one is beside them."""
    publisher = Client(broker)
    receiver, = _subscribers(broker, 1, "orders.*")
    beside = _subscribers(broker, 1, "orders.special")
    number = 0
    while True:
        subjects = [f"orders.{number + i:08}" for i in range(500)]
        number += 500
        publisher.send(b"".join(_message(subject, b"x" * 16) for subject in subjects))
        drain({receiver: len(_delivery(subjects[0], 1, b"x" * 16)) * 500})
        assert beside
        yield 500


def fan_out_50(broker):
    yield from _publish(broker, b"x" * 16, 100, subscribers=50)


def fan_out_1000(broker):
    yield from _publish(broker, b"x" * 16, 10, subscribers=1_000)


def payload_10_kb(broker):
    """Large enough to be cut by the ends of reads, small enough to be copied."""
    yield from _publish(broker, b"x" * 10_000, 50, subscribers=2)


def payload_40_kb(broker):
    yield from _publish(broker, b"x" * 40_000, 20, subscribers=2)


def payload_1_mb(broker):
    yield from _publish(broker, b"x" * 1_000_000, 2, subscribers=2)


def queue_groups(broker):
    """Two groups, of three members and of one."""
    workers = _subscribers(broker, 3, "orders.new", "workers")
    audit = _subscribers(broker, 1, "orders.new", "audit")
    publisher = Client(broker)
    batch = _message("orders.new", b"x" * 16) * 500
    size = len(_delivery("orders.new", 1, b"x" * 16))
    for client in workers:
        client.socket.setblocking(False)
    while True:
        publisher.send(batch)
        drain({audit[0]: size * 500})
        left = size * 500
        while left:
            for client in workers:
                try:
                    left -= len(client.socket.recv(1 << 16))
                except BlockingIOError:
                    pass
        yield 500


def _requests(broker, fresh):
    requester, responder = Client(broker), Client(broker)
    requester.subscribe("_INBOX.Zx3kQ9vT1mB7.*", 1)
    responder.subscribe("price", 1)
    for client in (requester, responder):
        client.barrier()
    number = 0
    while True:
        replies = [f"_INBOX.Zx3kQ9vT1mB7.{number + i if fresh else 0:08}" for i in range(100)]
        number += 100
        requester.send(b"".join(_message("price", b"x" * 16, reply) for reply in replies))
        requests = responder.receive(len(_delivery("price", 1, b"x" * 16, replies[0])) * 100)
        answered = [line.split()[3].decode() for line in requests.split(b"\r\n")[::2] if line]
        responder.send(b"".join(_message(reply, b"y" * 16) for reply in answered))
        requester.receive(len(_delivery(replies[0], 1, b"y" * 16)) * 100)
        yield 100


def request_fixed_reply(broker):
    yield from _requests(broker, fresh=False)


def request_fresh_inbox(broker):
    yield from _requests(broker, fresh=True)


def no_responders(broker):
    requester = Client(broker, '"verbose":false,"headers":true,"no_responders":true')
    requester.subscribe("_INBOX.Zx3kQ9vT1mB7.*", 1)
    requester.barrier()
    number = 0
    while True:
        replies = [f"_INBOX.Zx3kQ9vT1mB7.{number + i:08}" for i in range(100)]
        number += 100
        requester.send(b"".join(_message("nobody", b"x", reply) for reply in replies))
        answer = b"HMSG %s 1 38 38\r\nNATS/1.0 503\r\nNats-Subject: nobody\r\n\r\n\r\n" % replies[0].encode()
        requester.receive(len(answer) * 100)
        yield 100


def churn(broker):
    """Requests with fresh inboxes, while another connection subscribes and unsubscribes."""
    other = Client(broker)
    number = 0
    for messages in _requests(broker, fresh=True):
        other.send(b"".join(
            b"SUB churn.%d.%d %d\r\nUNSUB %d\r\n" % (number + i, i, 7 + i, 7 + i) for i in range(50)))
        other.barrier()
        number += 50
        yield messages


def _stuck(broker):
    """One subscriber never reads; another one and the publisher go on."""
    stuck = Client(broker, receive_buffer=4_096)
    stuck.subscribe("orders.new", 1)
    receiver, = _subscribers(broker, 1, "orders.new")
    publisher = Client(broker)
    batch = _message("orders.new", b"x" * 1_000) * 500
    size = len(_delivery("orders.new", 1, b"x" * 1_000)) * 500
    sent = 0
    try:
        while True:
            publisher.send(batch)
            drain({receiver: size})
            sent += size
            yield 500
    finally:
        got = _everything(stuck)
        if not 0 < got < sent:
            raise AssertionError(f"the stuck subscriber got {got} of {sent} bytes: nothing was dropped")


def _everything(client):
    """How many bytes wait for a client that has not read so far."""
    client.socket.settimeout(0.2)
    count = 0
    try:
        while piece := client.socket.recv(1 << 20):
            count += len(piece)
    except TimeoutError:
        pass
    return count


def drop_new(broker):
    yield from _stuck(broker)


def drop_old(broker):
    yield from _stuck(broker)


ORDER = b'{"id":4711,"country":"de","customer":{"tier":"gold"},"total":99.5,"items":["a","b"]}'


def _ruled(broker, interest, request, answered, per_round=200, reply=""):
    """Messages that a rule changes; what arrives is the same each time."""
    subscriber, = _subscribers(broker, 1, interest)
    publisher = Client(broker)
    batch = _message("orders.new", request, reply) * per_round
    while True:
        publisher.send(batch)
        drain({subscriber: len(answered) * per_round})
        yield per_round


def rule_validates(broker):
    yield from _ruled(broker, "orders.new", ORDER, _delivery("orders.new", 1, ORDER))


def rule_routes(broker):
    header = b"NATS/1.0\r\nTier: gold\r\n\r\n"
    yield from _ruled(broker, "by.*", ORDER, _delivery("by.de", 1, ORDER, header=header))


def rule_answers(broker):
    answer = b'{"id":4711,"tier":"gold"}'
    yield from _ruled(broker, "inbox", ORDER, _delivery("inbox", 1, answer), reply="inbox")


def rule_refuses(broker):
    """What is not valid becomes a dead letter; its header block tells the time, in one length."""
    broken = b'{"id":"4711","country":"de"}'
    dead = _subscribers(broker, 1, "dead")[0]
    publisher = Client(broker)
    publisher.send(_message("orders.new", broken))
    letter = b""
    while broken + b"\r\n" not in letter:
        letter += dead.socket.recv(65_536)
    while True:
        publisher.send(_message("orders.new", broken) * 100)
        drain({dead: len(letter) * 100})
        yield 100


def rule_on_worker(broker):
    """Documents that are looked at on another thread."""
    document = b'{"id":1,"country":"de","total":1,"text":"%s"}' % (b"x" * 6_000)
    yield from _ruled(broker, "orders.new", document, _delivery("orders.new", 1, document), 50)


def rule_on_worker_large(broker):
    document = b'{"id":1,"country":"de","total":1,"text":"%s"}' % (b"x" * 60_000)
    yield from _ruled(broker, "orders.new", document, _delivery("orders.new", 1, document), 10)


# What configurations refer to.
FILES = {"order.json": """
    {"type": "object", "required": ["id", "country"],
     "properties": {"id": {"type": "integer"}, "total": {"minimum": 0},
                    "country": {"enum": ["de", "fr"]}}}
"""}


def _rules(rule):
    return f"martlet {{ {QUIET} }}\nrules {{\n  inline_below: 4KB\n" \
        "  schemas { order: \"order.json\" }\n" \
        f"  orders {{ subject: \"orders.*\", validate: {{ schema: order }}, {rule} }}\n}}\n"



def _policy(name):
    return "max_payload: 64KB\nmax_pending: 1MB\nwrite_deadline: \"60s\"\n" \
        "martlet { slow_consumers { default: %s }, %s }\n" % (name, QUIET)


# Each with its configuration, where it needs one.
SCENARIOS = {
    scenario.__name__: (scenario, configuration or "martlet { %s }\n" % QUIET)
    for scenario, configuration in (
        (publish_subscribe, None), (one_at_a_time, None), (many_publishers, None), (fan_in, None),
        (headers, None),
        (wildcards, None), (told_apart, None), (queue_groups, None), (request_fixed_reply, None),
        (request_fresh_inbox, None), (no_responders, None), (churn, None), (fan_out_50, None),
        (fan_out_1000, None), (payload_10_kb, None), (payload_40_kb, None), (payload_1_mb, None),
        (drop_new, _policy("drop_new")), (drop_old, _policy("drop_old")),
        (rule_validates, _rules("")),
        (rule_routes, _rules("to: \"by.{{json(/country)}}\", set_headers { Tier: \"{{json(/customer/tier)}}\" }")),
        (rule_answers, _rules("reply { pick { id: \"/id\", tier: \"/customer/tier\" } }")),
        (rule_refuses, _rules("on_invalid { action: reject, dead_letter: dead }")),
        (rule_on_worker, _rules("")), (rule_on_worker_large, _rules("")),
    )
}
