"""Publish, subscribe, headers and queue groups with nats-py."""

import asyncio
import os

import nats
import pytest
from nats_session import connected, drained, run, settled


def test_messages_arrive_in_order(broker):
    async def scenario():
        async with connected(broker, 2) as (publisher, subscriber):
            subscription = await subscriber.subscribe("orders.*")
            await settled(subscriber)
            for number in range(5000):
                await publisher.publish(f"orders.{number % 3}", str(number).encode())
            await settled(publisher)
            for number in range(5000):
                message = await subscription.next_msg(timeout=5)
                assert message.subject == f"orders.{number % 3}"
                assert message.data == str(number).encode()

    run(scenario())


@pytest.mark.parametrize("size", [0, 1, 127, 4096, 65535, 65536, 300_000, 1_048_576])
def test_payload_of_any_size_is_unchanged(broker, size):
    async def scenario():
        payload = os.urandom(size)
        async with connected(broker, 2) as (publisher, subscriber):
            subscription = await subscriber.subscribe("blob")
            await settled(subscriber)
            for _ in range(3):
                await publisher.publish("blob", payload)
            await settled(publisher)
            for _ in range(3):
                assert (await subscription.next_msg(timeout=5)).data == payload

    run(scenario())


def test_fan_out_reaches_every_subscriber(broker):
    async def scenario():
        async with connected(broker, 9) as (publisher, *subscribers):
            subscriptions = [await subscriber.subscribe("news.>") for subscriber in subscribers]
            for subscriber in subscribers:
                await settled(subscriber)
            for number in range(200):
                await publisher.publish("news.sport.chess", str(number).encode())
            await settled(publisher)
            for subscription in subscriptions:
                data = [(await subscription.next_msg(timeout=5)).data for _ in range(200)]
                assert data == [str(number).encode() for number in range(200)]

    run(scenario())


def test_wildcards_choose(broker):
    async def scenario():
        async with connected(broker) as connection:
            one = await connection.subscribe("a.*.c")
            tail = await connection.subscribe("a.>")
            for subject in ["a.b.c", "a.b", "a", "a.b.c.d", "x.b.c"]:
                await connection.publish(subject)
            await settled(connection)
            assert [m.subject for m in await drained(one)] == ["a.b.c"]
            assert [m.subject for m in await drained(tail)] == ["a.b.c", "a.b", "a.b.c.d"]

    run(scenario())


def test_unsubscribe_and_its_maximum(broker):
    async def scenario():
        async with connected(broker) as connection:
            plain = await connection.subscribe("s")
            limited = await connection.subscribe("s")
            await limited.unsubscribe(limit=2)
            for _ in range(3):
                await connection.publish("s", b"x")
            await settled(connection)
            assert len(await drained(plain)) == 3
            assert limited._received == 2
            await plain.unsubscribe()
            again = await connection.subscribe("s")
            await connection.publish("s", b"y")
            assert [m.data for m in await drained(again)] == [b"y"]

    run(scenario())


def test_headers_travel_with_the_message(broker):
    async def scenario():
        headers = {"Trace-Id": "a1b2", "Empty": "", "Colon": "a: b"}
        async with connected(broker, 2) as (publisher, subscriber):
            subscription = await subscriber.subscribe("h")
            await settled(subscriber)
            await publisher.publish("h", b"with", headers=headers)
            await publisher.publish("h", b"without")
            await settled(publisher)
            first = await subscription.next_msg(timeout=5)
            assert first.data == b"with"
            assert dict(first.headers) == headers
            assert (await subscription.next_msg(timeout=5)).headers is None

    run(scenario())


def test_queue_group_shares_the_work(broker):
    async def scenario():
        total = 3000
        async with connected(broker, 4) as (publisher, *members):
            groups = [await member.subscribe("jobs", queue="workers") for member in members]
            watcher = await members[0].subscribe("jobs")
            for member in members:
                await settled(member)
            for number in range(total):
                await publisher.publish("jobs", str(number).encode())
            await settled(publisher)
            shares = [[int(m.data) for m in await drained(group)] for group in groups]
            assert sorted(sum(shares, [])) == list(range(total))
            assert all(share == sorted(share) for share in shares)
            assert all(len(share) > total / 10 for share in shares), [len(s) for s in shares]
            assert len(await drained(watcher)) == total

    run(scenario())


def test_queue_group_over_several_subjects_is_one_group(broker):
    async def scenario():
        async with connected(broker, 3) as (publisher, literal, wildcard):
            groups = [
                await literal.subscribe("jobs.a", queue="workers"),
                await wildcard.subscribe("jobs.*", queue="workers"),
            ]
            await settled(literal)
            await settled(wildcard)
            for number in range(500):
                await publisher.publish("jobs.a", str(number).encode())
            await settled(publisher)
            shares = [[int(m.data) for m in await drained(group)] for group in groups]
            assert sorted(sum(shares, [])) == list(range(500))
            assert all(shares)

    run(scenario())


def test_publisher_over_the_maximum_payload(start_broker, tmp_path):
    config = tmp_path / "small.conf"
    config.write_text("max_payload: 1000\n")
    broker = start_broker("-c", str(config))

    async def scenario():
        async with connected(broker) as connection:
            assert connection.max_payload == 1000
            with pytest.raises(nats.errors.MaxPayloadError):
                await connection.publish("s", b"x" * 1001)
            subscription = await connection.subscribe("s")
            await connection.publish("s", b"x" * 1000)
            assert len((await subscription.next_msg(timeout=5)).data) == 1000

    run(scenario())


def test_many_connections_at_once(broker):
    async def scenario():
        async with connected(broker, 200) as connections:
            subscriptions = [await c.subscribe(f"c.{n}") for n, c in enumerate(connections)]
            await asyncio.gather(*(settled(connection) for connection in connections))
            for number, connection in enumerate(connections):
                await connection.publish(f"c.{(number + 1) % 200}", str(number).encode())
            for number, subscription in enumerate(subscriptions):
                message = await subscription.next_msg(timeout=5)
                assert message.data == str((number - 1) % 200).encode()

    run(scenario())
