"""What a client can do to a server. Each attack prepares, says when others are to be watched, and goes on.

An attack is a function of an `Attacker`; it yields once, when it is prepared: what it does after that is
what the probe beside it sees. Its docstring's first line stands in the table.
"""

import random
import socket

# A bcrypt hash of cost 11, which takes some 100 ms to check; the password is "right".
BCRYPT = "$2b$11$abcdefghijklmnopqrstuuD06ya1Nw2W31Tn1jG5w4.7wnwI3cNXm"
RIGHT = '"user":"probe","pass":"probe"'


def wide_tree(attacker):
    """all 2^15 filters of `*` and `a` over 15 tokens, then 100 publishes that ask the whole tree"""
    client = attacker.client()
    client.send(b"".join(
        b"SUB %s.z %d\r\n" % (b".".join(b"*" if n >> bit & 1 else b"a" for bit in range(15)), n + 1)
        for n in range(1 << 15)))
    client.barrier()
    yield
    for n in range(100):
        client.send(b"PUB %s.u%d 1\r\nx\r\n" % (b".".join([b"a"] * 15), n))
        client.barrier()


def leaving(attacker):
    """a client with 400,000 subscriptions leaves"""
    client = attacker.client()
    subscribe(client, lambda n: b"leaving.%d" % n, 400_000)
    yield
    client.close()
    attacker.wait(1)


def queue_groups(attacker):
    """20,000 queue groups on one subject, changed and published to 20 times"""
    client = attacker.client()
    yield
    client.send(b"".join(b"SUB groups g%d %d\r\n" % (n, n + 1) for n in range(20_000)))
    client.barrier()
    for n in range(20):
        client.send(b"SUB groups h%d %d\r\nPUB groups 1\r\nx\r\n" % (n, 30_000 + n))
        client.barrier()


def fan_out(attacker):
    """20 publishes to 100,000 subscriptions of one client"""
    client = attacker.client()
    subscribe(client, lambda n: b"wide", 100_000)
    yield
    for _ in range(20):
        client.send(b"PUB wide 1\r\nx\r\n")
        client.barrier()


def held_reply(attacker):
    """1,000 requests without responders whose reply subject 100,000 others hold"""
    others = attacker.client()
    subscribe(others, lambda n: b"held", 100_000)
    client = attacker.client('"verbose":false,"headers":true,"no_responders":true')
    client.send(b"SUB held 1\r\n")
    client.barrier()
    yield
    for _ in range(100):
        client.send(b"PUB nobody held 0\r\n\r\n" * 10)
        client.barrier()


def without_echo(attacker):
    """1,000 publishes without echo to 100,000 subscriptions of one's own"""
    client = attacker.client('"verbose":false,"echo":false')
    subscribe(client, lambda n: b"own", 100_000)
    yield
    for _ in range(100):
        client.send(b"PUB own 1\r\nx\r\n" * 10)
        client.barrier()


def wide_routes(attacker):
    """5,000 members of a queue group, and 3,000 subjects that all reach them"""
    client = attacker.client()
    client.send(b"".join(b"SUB many.> q %d\r\n" % (n + 1) for n in range(5_000)))
    client.barrier()
    yield
    for n in range(3_000):
        client.send(b"PUB many.%d.x 1\r\nx\r\n" % n)
        if n % 100 == 0:
            client.barrier()
    client.barrier()


def deep_subjects(attacker):
    """1,000 filters of 1,900 wildcards, and publishes that match them"""
    client = attacker.client()
    yield
    for n in range(1_000):
        client.send(b"SUB %s.d%d %d\r\n" % (b".".join([b"*"] * 1_900), n, n + 1))
    client.barrier()
    for n in range(50):
        client.send(b"PUB %s.d%d 1\r\nx\r\n" % (b".".join([b"b"] * 1_900), n))
        client.barrier()


def unread_pongs(attacker):
    """4 clients send 48 MB of PINGs each and read nothing"""
    clients = [attacker.client() for _ in range(4)]
    yield
    for _ in range(8):
        for client in clients:
            attacker.try_to_send(client, b"PING\r\n" * 1_000_000)


def slow_readers(attacker):
    """8 subscribers that read nothing of 256 MB"""
    readers = [attacker.client() for _ in range(8)]
    for reader in readers:
        reader.subscribe("slow", "1")
        reader.barrier()
    client = attacker.client()
    payload = b"x" * 65_536
    yield
    for _ in range(4_096):
        client.send(b"PUB slow %d\r\n%s\r\n" % (len(payload), payload))
    client.barrier()


def announced_payloads(attacker):
    """1,000 clients announce a megabyte each and send nothing of it"""
    yield
    for _ in range(1_000):
        attacker.client().send(b"PUB announced 1000000\r\nx")
    attacker.wait(1)


def connections(attacker):
    """4,000 clients connect, subscribe and go"""
    yield
    for _ in range(20):
        some = [attacker.socket() for _ in range(200)]
        for one in some:
            one.sendall(b'CONNECT {"verbose":false}\r\nSUB storm 1\r\nPING\r\n')
        for one in some:
            one.close()


def garbage(attacker):
    """4,000 connections that send random bytes and verbs"""
    source = random.Random(attacker.seed)
    pieces = [b"PUB ", b"SUB ", b"HPUB", b"CONNECT {", b"\r\n", b"INFO {}", b"+OK", b"-ERR", b" 99999999999",
              b"MSG a 1 1\r\n", b"{\"a\":[", b"\x00\xff", b"foo.*.> ", b"PING\r\n"]
    yield
    for _ in range(4_000):
        one = attacker.socket()
        text = b"".join(
            source.choice(pieces) if source.random() < 0.8 else source.randbytes(8) for _ in range(12))
        attacker.try_to_send_socket(one, text)
        one.close()


def monitoring(attacker):
    """20 requests for every subscription of 100,000, whose clients hang up at once"""
    client = attacker.client()
    subscribe(client, lambda n: b"listed.%d" % n, 100_000)
    yield
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", attacker.monitoring), timeout=30) as page:
            page.sendall(b"GET /connz?subs=detail&limit=1024 HTTP/1.1\r\nHost: a\r\n\r\n")
    attacker.wait(3)


def passwords(attacker):
    """100 logins whose hash is expensive, by clients that are gone; then a rightful one"""
    yield
    for n in range(100):
        one = attacker.socket()
        one.sendall(b'CONNECT {"user":"a","pass":"wrong%d"}\r\n' % n)
        one.close()
    attacker.login_seconds('"user":"a","pass":"right"')


def schemas(attacker):
    """5,000 documents of 73 bytes for a schema that refers to itself by `oneOf`"""
    client = attacker.client()
    text = b'{"a":' * 12 + b"1" + b"}" * 12
    yield
    for n in range(5_000):
        client.send(b"PUB rules.%d %d\r\n%s\r\n" % (n, len(text), text))
    client.barrier()


def equal_keys(attacker):
    """200 documents with 4,000 members whose names differ in few bytes"""
    client = attacker.client()
    text = b"{%s}" % b",".join(b'"abcdefg%04x":1' % n for n in range(4_000))
    yield
    for n in range(200):
        client.send(b"PUB rules.%d %d\r\n%s\r\n" % (n, len(text), text))
    client.barrier()


def subscribe(client, subject, count):
    for first in range(0, count, 10_000):
        client.send(b"".join(b"SUB %s %d\r\n" % (subject(n), n + 1)
                             for n in range(first, min(count, first + 10_000))))
    client.barrier()


# In the order of the table. Those of rules are Martlet's own: nats-server has none.
ATTACKS = [
    wide_tree, leaving, queue_groups, fan_out, held_reply, without_echo, wide_routes, deep_subjects,
    unread_pongs, slow_readers, announced_payloads, connections, garbage, monitoring, passwords, schemas,
    equal_keys,
]
OWN = {schemas, equal_keys}
# What goes to other loops, or waits for them.
OTHER_WITH_LOOPS = {wide_tree, leaving, queue_groups, fan_out, wide_routes, slow_readers}
USERS = f"""authorization {{ users: [
  {{ user: "probe", password: "probe" }}
  {{ user: "a", password: "{BCRYPT}" }}
] }}
"""
SCHEMA = '{"oneOf":[{"type":"integer"},{"type":"object","properties":{"a":{"$ref":"#"}}},' \
    '{"type":"object","properties":{"a":{"$ref":"#"}},"required":["b"]}]}'
RULES = """rules {
  schemas { s: "schema.json" }
  attacked { subject: "rules.>", validate: { schema: s } }
}
"""


def configuration(attack):
    if attack is passwords:
        return USERS
    return RULES if attack in OWN else ""
