"""Accounts as nats-py sees them: who hears whom, rules of one account, what the system account may ask."""

import asyncio
import json

import nats
import pytest
from nats_session import connected, drained, run, settled

CONFIGURATION = """
server_name: under-test
server_tags: ["eu", "test"]
server_metadata: { zone: "a" }
accounts {
  A { users: [ {user: a, password: a} ] }
  B { users: [ {user: b, password: b} ] }
  SYS { users: [ {user: s, password: s} ] }
}
system_account: SYS
martlet { loops: 2 }
rules {
  orders {
    subject: orders
    account: A
    validate: json
    set_headers: { "X-Total": "{{json(/total)}}" }
  }
}
"""


@pytest.fixture
def broker(start_broker, tmp_path):
    configuration = tmp_path / "martlet.conf"
    configuration.write_text(CONFIGURATION)
    return start_broker("-c", str(configuration))


def as_user(broker, name, count=1):
    return connected(broker, count, user=name, password=name)


def test_accounts_do_not_hear_each_other(broker):
    async def scenario():
        async with as_user(broker, "a", 2) as (one, other), as_user(broker, "b") as stranger:
            heard = await other.subscribe("orders")
            unheard = await stranger.subscribe(">")
            await settled(other)
            await settled(stranger)
            await one.publish("orders", b'{"total": 5}')
            await one.publish("orders", b'{"total": 6}')
            await settled(one)
            assert [m.headers["X-Total"] for m in await drained(heard)] == ["5", "6"]
            assert await drained(unheard) == []

    run(scenario())


def test_a_rule_of_one_account_is_none_of_another(broker):
    async def scenario():
        async with as_user(broker, "b", 2) as (publisher, subscriber):
            subscription = await subscriber.subscribe("orders")
            await settled(subscriber)
            await publisher.publish("orders", b"no json")
            await settled(publisher)
            message = await subscription.next_msg(timeout=5)
            assert message.data == b"no json" and message.headers is None
        async with as_user(broker, "a") as client:
            reply = await client.request("orders", b"no json", timeout=5)
            assert reply.headers["Nats-Service-Error-Code"] == "400"

    run(scenario())


async def rulesz(client, server, payload=b""):
    reply = await client.request(f"$SYS.REQ.SERVER.{server}.RULESZ", payload, timeout=5)
    return json.loads(reply.data)


def test_the_system_account_asks_for_the_rules(broker):
    async def scenario():
        async with as_user(broker, "a") as client, as_user(broker, "s") as operator:
            await client.publish("orders", b"{}")
            await settled(client)
            for server in (operator._server_info["server_id"], "PING"):
                answer = await rulesz(operator, server)
                assert answer["server"]["name"] == "under-test"
                assert answer["server"]["id"] == operator._server_info["server_id"]
                assert answer["server"]["tags"] == ["eu", "test"]
                assert answer["server"]["metadata"] == {"zone": "a"}
                (rule,) = answer["data"]["rules"]
                assert (rule["name"], rule["account"], rule["matched"]) == ("orders", "A", 1)
            for wanted in ({}, {"server_name": "under"}, {"tags": ["eu"]},
                           {"server_name": "under-test", "exact_match": True}):
                assert "data" in await rulesz(operator, "PING", json.dumps(wanted).encode())

    run(scenario())


def test_a_request_for_other_servers_is_not_answered(broker):
    async def scenario():
        async with as_user(broker, "s") as operator:
            for wanted in ({"server_name": "other"}, {"tags": ["us"]}, {"cluster": "c"},
                           {"server_name": "under", "exact_match": True}):
                with pytest.raises(nats.errors.TimeoutError):
                    await operator.request("$SYS.REQ.SERVER.PING.RULESZ",
                                           json.dumps(wanted).encode(), timeout=0.2)
            answer = await rulesz(operator, "PING", b"what")
            assert answer["error"]["code"] == 400 and "data" not in answer

    run(scenario())


def test_only_the_system_account_may_ask(broker):
    async def scenario():
        async with as_user(broker, "a") as client:
            with pytest.raises(nats.errors.NoRespondersError):
                await rulesz(client, "PING")

    run(scenario())


def test_the_servers_own_handlers_are_in_no_count(broker, start_broker, tmp_path):
    plain = tmp_path / "plain.conf"
    plain.write_text(CONFIGURATION + "http: 127.0.0.1:-1\nports_file_dir: " + json.dumps(str(tmp_path)))
    monitored = start_broker("-c", str(plain))

    async def scenario():
        async with as_user(monitored, "s") as operator:
            await rulesz(operator, "PING")
            ports = json.loads(next(tmp_path.glob("*.ports")).read_text())
            seen = await get(ports["monitoring"][0] + "/connz?auth=1")
            assert seen["num_connections"] == 1
            assert [c["account"] for c in seen["connections"]] == ["SYS"]
            varz = await get(ports["monitoring"][0] + "/varz")
            assert (varz["connections"], varz["system_account"]) == (1, "SYS")

    run(scenario())


async def get(url):
    host, port = url.removeprefix("http://").split("/")[0].split(":")
    path = "/" + url.removeprefix("http://").split("/", 1)[1]
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
    body = (await reader.read()).split(b"\r\n\r\n", 1)[1]
    writer.close()
    return json.loads(body)


def test_an_answer_over_max_payload_is_an_error(start_broker, tmp_path):
    configuration = tmp_path / "small.conf"
    rules = "".join(f"r{n} {{ subject: s{n}, validate: json }}\n" for n in range(20))
    configuration.write_text(
        "max_payload: 1000\naccounts { SYS { users: [ {user: s, password: s} ] } }\n"
        "system_account: SYS\nmax_sub_tokens: 3\nrules {\n" + rules + "}\n")
    broker = start_broker("-c", str(configuration))

    async def scenario():
        async with as_user(broker, "s") as operator:
            answer = await rulesz(operator, "PING")
            assert answer["error"]["code"] == 413 and "data" not in answer

    run(scenario())
