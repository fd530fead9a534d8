"""Request and reply with nats-py."""

import asyncio

import nats
import pytest
from nats_session import connected, run, settled


def test_request_gets_its_reply(broker):
    async def scenario():
        async with connected(broker, 2) as (client, service):

            async def answer(message):
                await message.respond(b"re: " + message.data)

            await service.subscribe("echo", cb=answer)
            await settled(service)
            for number in range(500):
                reply = await client.request("echo", str(number).encode(), timeout=5)
                assert reply.data == b"re: " + str(number).encode()

    run(scenario())


def test_requests_in_flight_find_their_own_reply(broker):
    async def scenario():
        async with connected(broker, 4) as (client, *services):

            async def answer(message):
                await asyncio.sleep(0.001 * (int(message.data) % 7))
                await message.respond(message.data)

            for service in services:
                await service.subscribe("slow", queue="q", cb=answer)
                await settled(service)
            calls = [client.request("slow", str(n).encode(), timeout=10) for n in range(300)]
            replies = await asyncio.gather(*calls)
            assert [int(reply.data) for reply in replies] == list(range(300))

    run(scenario())


def test_old_style_request(broker):
    async def scenario():
        async with connected(broker, 2) as (client, service):

            async def answer(message):
                await message.respond(b"one")
                await message.respond(b"two")

            await service.subscribe("twice", cb=answer)
            await settled(service)
            reply = await client.request("twice", b"", timeout=5, old_style=True)
            assert reply.data == b"one"

    run(scenario())


def test_reply_with_headers(broker):
    async def scenario():
        async with connected(broker, 2) as (client, service):

            async def answer(message):
                await service.publish(
                    message.reply, b"ok", headers={"Echo": message.headers["Ask"]}
                )

            await service.subscribe("h", cb=answer)
            await settled(service)
            reply = await client.request("h", b"", timeout=5, headers={"Ask": "why"})
            assert reply.headers["Echo"] == "why"

    run(scenario())


def test_request_without_responders_fails_at_once(broker):
    async def scenario():
        async with connected(broker) as client:
            loop = asyncio.get_running_loop()
            started = loop.time()
            with pytest.raises(nats.errors.NoRespondersError):
                await client.request("nobody", b"", timeout=10)
            assert loop.time() - started < 2

    run(scenario())


def test_request_after_the_only_responder_left(broker):
    async def scenario():
        async with connected(broker, 2) as (client, service):

            async def answer(message):
                await message.respond(b"ok")

            await service.subscribe("svc", cb=answer)
            await settled(service)
            assert (await client.request("svc", b"", timeout=5)).data == b"ok"
            await service.close()
            for _ in range(50):  # The broker learns of the closed socket a moment later.
                try:
                    await client.request("svc", b"", timeout=0.1)
                except nats.errors.NoRespondersError:
                    return
                except nats.errors.TimeoutError:
                    await asyncio.sleep(0.02)
            pytest.fail("no 503 after the responder left")

    run(scenario())


def test_silent_responder_times_out(broker):
    async def scenario():
        async with connected(broker, 2) as (client, service):
            await service.subscribe("silent")
            await settled(service)
            with pytest.raises(nats.errors.TimeoutError) as failure:
                await client.request("silent", b"", timeout=0.2)
            assert not isinstance(failure.value, nats.errors.NoRespondersError)

    run(scenario())
