"""Content rules as nats-py sees them."""

import json
import signal

import pytest
from nats_session import connected, drained, run, settled

SCHEMA = """
{"type": "object", "required": ["id", "country"],
 "properties": {"id": {"type": "integer"}, "total": {"minimum": 0}}}
"""
RULES = """
rules {
  inline_below: %s
  schemas { order: "order.json" }
  orders {
    subject: "orders.new.*"
    validate: { schema: order }
    set_headers: { "X-Country": "{{json(/country)}}" }
    to: "orders.{{json(/country)}}.{{wildcard(1)}}"
    on_invalid: { action: reject, dead_letter: "dlq.{{wildcard(1)}}" }
  }
  extract {
    subject: "svc.extract"
    reply: { pick: { id: "/id", tier: "/customer/tier" } }
  }
}
"""


@pytest.fixture(params=["64KB", "0"], ids=["on the loop", "on a worker"])
def ruled(start_broker, tmp_path, request):
    (tmp_path / "order.json").write_text(SCHEMA)
    configuration = tmp_path / "martlet.conf"
    configuration.write_text(RULES % request.param)
    return start_broker("-c", str(configuration))


def order(**members):
    return json.dumps({"id": 1, "country": "de", **members}).encode()


def test_orders_are_routed_by_content(ruled):
    async def scenario():
        async with connected(ruled, 2) as (publisher, subscriber):
            german = await subscriber.subscribe("orders.de.*")
            await settled(subscriber)
            for number in range(50):
                await publisher.publish("orders.new.web", order(id=number))
                await publisher.publish("orders.new.web", order(country="fr"), headers={"a": "b"})
            await settled(publisher)
            messages = await drained(german)
            assert [json.loads(message.data)["id"] for message in messages] == list(range(50))
            assert {message.subject for message in messages} == {"orders.de.web"}
            assert {message.headers["X-Country"] for message in messages} == {"de"}

    run(scenario())


def test_an_invalid_request_is_a_service_error(ruled):
    async def scenario():
        async with connected(ruled, 2) as (client, operator):
            dead = await operator.subscribe("dlq.>")
            await settled(operator)
            reply = await client.request("orders.new.web", order(total=-1), timeout=5)
            assert reply.headers["Nats-Service-Error-Code"] == "422"
            assert "/total" in reply.headers["Nats-Service-Error"]
            body = json.loads(reply.data)
            assert (body["rule"], body["code"], body["path"]) == ("orders", "minimum", "/total")
            letter = await dead.next_msg(timeout=5)
            assert letter.subject == "dlq.web" and json.loads(letter.data)["total"] == -1
            assert letter.headers["X-Dead-Subject"] == "orders.new.web"
            reply = await client.request("orders.new.web", b"[" * 100, timeout=5)
            assert reply.headers["Nats-Service-Error-Code"] == "413"
            reply = await client.request("orders.new.web", b'{"id":', timeout=5)
            assert reply.headers["Nats-Service-Error-Code"] == "400"

    run(scenario())


def test_a_rule_answers_in_place_of_a_service(ruled):
    async def scenario():
        async with connected(ruled) as client:
            for number in range(200):
                payload = order(id=number, customer={"tier": "gold"}, text="x" * (number * 50))
                reply = await client.request("svc.extract", payload, timeout=5)
                assert json.loads(reply.data) == {"id": number, "tier": "gold"}

    run(scenario())


def test_rules_change_with_a_reload(ruled, tmp_path):
    async def scenario():
        async with connected(ruled) as client:
            file = tmp_path / "martlet.conf"
            text = file.read_text()
            file.write_text(text.replace('id: "/id"', 'number: "/id"'))
            ruled.process.send_signal(signal.SIGHUP)
            for _ in range(200):
                reply = await client.request("svc.extract", order(), timeout=5)
                if b"number" in reply.data:
                    break
            assert json.loads(reply.data) == {"number": 1, "tier": None}
            # What is wrong changes nothing.
            file.write_text(text.replace('"/id"', '"id"'))
            ruled.process.send_signal(signal.SIGHUP)
            for _ in range(50):
                reply = await client.request("svc.extract", order(), timeout=5)
                assert json.loads(reply.data) == {"number": 1, "tier": None}

    run(scenario())
