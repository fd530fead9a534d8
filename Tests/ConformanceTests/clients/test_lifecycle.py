"""Drain, reconnect, authorization and the end of the broker with nats-py."""

import asyncio
import signal

import nats
import pytest
from nats_session import connected, run, settled


def test_drained_subscription_loses_nothing(broker):
    async def scenario():
        received = []
        async with connected(broker, 2) as (publisher, subscriber):

            async def slowly(message):
                await asyncio.sleep(0.001)
                received.append(int(message.data))

            await subscriber.subscribe("d", cb=slowly)
            await settled(subscriber)
            for number in range(200):
                await publisher.publish("d", str(number).encode())
            await settled(publisher)
            await subscriber.drain()
            assert subscriber.is_closed
        assert received == list(range(200))

    run(scenario())


def test_client_reconnects_after_the_broker_was_killed(broker):
    async def scenario():
        back = asyncio.Event()

        async def reconnected():
            back.set()

        options = dict(allow_reconnect=True, reconnect_time_wait=0.1, max_reconnect_attempts=100)
        connection = await nats.connect(broker.url, reconnected_cb=reconnected, **options)
        subscription = await connection.subscribe("r")
        await connection.publish("r", b"before")
        assert (await subscription.next_msg(timeout=5)).data == b"before"
        broker.kill()
        await asyncio.sleep(0.3)
        broker.start()
        await asyncio.wait_for(back.wait(), 15)
        await connection.publish("r", b"after")
        assert (await subscription.next_msg(timeout=5)).data == b"after"
        await connection.close()

    run(scenario())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_broker_ends_when_asked(broker, number):
    async def scenario():
        gone = asyncio.Event()

        async def disconnected():
            gone.set()

        async with connected(broker, disconnected_cb=disconnected) as connection:
            await settled(connection)
            # In a thread of its own, as it waits for the process.
            status = await asyncio.get_running_loop().run_in_executor(None, broker.end, number)
            assert status == 0
            await asyncio.wait_for(gone.wait(), 5)

    run(scenario())


def test_token(start_broker):
    broker = start_broker("--auth", "s3cret")

    async def scenario():
        async with connected(broker, token="s3cret") as connection:
            await settled(connection)
        for options in [{}, {"token": "wrong"}, {"user": "s3cret", "password": ""}]:
            with pytest.raises(nats.errors.Error):
                await nats.connect(broker.url, allow_reconnect=False, **options)

    run(scenario())


def test_user_and_password(start_broker):
    broker = start_broker("--user", "derek", "--pass", "porkchop")

    async def scenario():
        async with connected(broker, user="derek", password="porkchop") as connection:
            await settled(connection)
        for options in [
            {},
            {"user": "derek", "password": "x"},
            {"user": "eve", "password": "porkchop"},
        ]:
            with pytest.raises(nats.errors.Error):
                await nats.connect(broker.url, allow_reconnect=False, **options)

    run(scenario())


def test_lame_duck_tells_clients(broker):
    async def scenario():
        told = asyncio.Event()

        async def lame_duck():
            told.set()

        async with connected(broker, lame_duck_mode_cb=lame_duck) as connection:
            await settled(connection)
            broker.process.send_signal(signal.SIGUSR2)
            await asyncio.wait_for(told.wait(), 5)

    run(scenario())


def test_connection_that_stops_reading_does_not_hold_up_others(broker):
    async def scenario():
        idle_reader, idle_writer = await asyncio.open_connection(
            "127.0.0.1", broker.port, limit=1024
        )
        idle_writer.write(b'CONNECT {"verbose":false}\r\nSUB flood 1\r\nPING\r\n')
        while b"PONG" not in await idle_reader.readline():
            pass
        idle_reader._transport.pause_reading()
        async with connected(broker, 2) as (publisher, subscriber):
            subscription = await subscriber.subscribe("flood")
            await settled(subscriber)
            for _ in range(400):  # 40 MB, below what marks a slow consumer.
                await publisher.publish("flood", b"x" * 100_000)
                await subscription.next_msg(timeout=5)
        idle_writer.transport.abort()

    run(scenario())
