"""Requests to handlers in the broker's own process, whose answers must not allocate once warm.

As in scenarios.py; the handlers are those of Handlers/CountedHandlers.swift. The requester uses a
fresh inbox subject for each request, as clients do, and has 100 requests under way, after some
rounds with 300: how many of them a thread finds in a pipe is chance, and its buffers must have seen
the most.
"""

from broker import Client
from scenarios import _delivery, _message

INBOX = "_INBOX.Zx3kQ9vT1mB7"
ORDER = b'{"id":"4711","item":"apple","quantity":3}'


def _requests(broker, subject, request, answer, header=b"", answer_header=b""):
    requester = Client(broker)
    requester.subscribe(f"{INBOX}.*", 1)
    requester.barrier()
    number = 0
    while True:
        count = 300 if number < 3_000 else 100
        replies = [f"{INBOX}.{number + i:08}" for i in range(count)]
        number += count
        requester.send(b"".join(
            _message(subject, request, reply, header) for reply in replies))
        expected = b"".join(
            _delivery(reply, 1, answer, header=answer_header) for reply in replies)
        received = requester.receive(len(expected))
        if received != expected:
            raise AssertionError(f"not the answers: {received[:200]}")
        yield count


def handler_echo(broker):
    yield from _requests(broker, "echo", b"x" * 100, b"x" * 100)


def handler_10_kb(broker):
    """Longer together than the broker puts into the pipe at once: frames are cut."""
    yield from _requests(broker, "echo", b"x" * 10_000, b"x" * 10_000)


def handler_reads_json(broker):
    """Checked against a schema, and read by JSON Pointers."""
    yield from _requests(broker, "quote", ORDER, b'{"total":90}')


def handler_headers(broker):
    """One field read, one written."""
    yield from _requests(
        broker, "traced", b"x", b"4711", b"NATS/1.0\r\nTrace: 4711\r\n\r\n",
        b"NATS/1.0\r\nAnswered-By: the handler that was asked\r\n\r\n")


REFUSAL = b"NATS/1.0\r\nNats-Service-Error: there is no such item\r\n" \
    b"Nats-Service-Error-Code: 404\r\n\r\n"


def handler_fails(broker):
    """A typed error as the answer."""
    yield from _requests(broker, "failed", b"x", b"", answer_header=REFUSAL)


def handler_throws(broker):
    """The same one thrown; it was made before."""
    yield from _requests(broker, "thrown", b"x", b"", answer_header=REFUSAL)


def handler_throws_new(broker):
    """An error that is made where it is thrown."""
    yield from _requests(broker, "thrown.new", b"x", b"", answer_header=REFUSAL)


def handler_refuses_json(broker):
    """What does not match the schema: where and why, for people and for programs."""
    body = b'{"code":"minimum","path":"/quantity",' \
        b'"keyword":"/properties/quantity/minimum","offset":39}'
    header = b"NATS/1.0\r\nNats-Service-Error: /quantity must be >= 1\r\n" \
        b"Nats-Service-Error-Code: 422\r\n\r\n"
    yield from _requests(
        broker, "quote", ORDER.replace(b"3", b"0"), body, answer_header=header)


SCENARIOS = {
    scenario.__name__: scenario for scenario in (
        handler_echo, handler_10_kb, handler_reads_json, handler_headers, handler_fails,
        handler_throws, handler_throws_new, handler_refuses_json)
}
# Swift allocates a box for an error that is made where it is thrown, since handlers throw any type.
# One of a schema also owns its two texts. A call or two more were seen in 15,000 on a busy machine, where a
# thread finds more requests in its pipe than it ever did: one in a thousand is no call for each message.
ALLOCATIONS_MAX = {
    **{name: 1 for name in SCENARIOS}, "handler_throws_new": 1_001, "handler_refuses_json": 3_001}
