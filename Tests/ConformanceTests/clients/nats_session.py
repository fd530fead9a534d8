"""Runs a coroutine against a broker, with connections that close with it."""

import asyncio
import contextlib

import nats

TIMEOUT_SECONDS = 30


def run(coroutine):
    """The result of a coroutine; a test that hangs fails."""
    return asyncio.run(asyncio.wait_for(coroutine, TIMEOUT_SECONDS))


@contextlib.asynccontextmanager
async def connected(broker, count: int = 1, **options):
    """One connection, or a list of `count`."""
    options.setdefault("allow_reconnect", False)
    connections = []
    try:
        for _ in range(count):
            connections.append(await nats.connect(broker.url, **options))
        yield connections[0] if count == 1 else connections
    finally:
        for connection in connections:
            if not connection.is_closed:
                await connection.close()


async def drained(subscription, seconds: float = 0.2):
    """All messages of a subscription, until none comes for `seconds`."""
    messages = []
    with contextlib.suppress(nats.errors.TimeoutError):
        while True:
            messages.append(await subscription.next_msg(timeout=seconds))
    return messages


async def settled(connection):
    """Returns once the broker has acted on all that was sent.

    nats-py writes the PING of a flush at once, ahead of commands that it still holds back; those
    are out when the PONG is in, so the second PING comes behind them.
    """
    await connection.flush()
    await connection.flush()
