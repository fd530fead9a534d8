"""Raw connections to a server: they send what they are told, and count or return what comes."""

import select
import socket


def connect(port, receive_buffer=None, seconds=60):
    """A socket to a port of 127.0.0.1, on which no wait is longer than `seconds`."""
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if receive_buffer is not None:
        # Before it connects: the window is agreed on then.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.settimeout(seconds)
    try:
        connection.connect(("127.0.0.1", port))
    except OSError:
        connection.close()
        raise
    return connection


class Client:
    """A client of a server that has a `port`, connected and with its first PONG."""

    def __init__(self, server, options='"verbose":false,"pedantic":false,"headers":true',
                 receive_buffer=None, seconds=60):
        self.socket = connect(server.port, receive_buffer, seconds)
        self.send(b"CONNECT {%s}\r\n" % options.encode())
        self.barrier()

    def fileno(self):
        return self.socket.fileno()

    def send(self, data):
        self.socket.sendall(data)

    def subscribe(self, subject, sid, queue=""):
        self.send(f"SUB {subject} {queue} {sid}\r\n".encode())

    def receive(self, count):
        """The next `count` bytes."""
        data = bytearray()
        while len(data) < count:
            data += self._piece(min(count - len(data), 1 << 20))
        return bytes(data)

    def barrier(self):
        """Waits for the PONG to a PING, and throws away what comes before it."""
        self.send(b"PING\r\n")
        end = b""
        while not end.endswith(b"PONG\r\n"):
            end = (end + self._piece(1 << 20))[-6:]

    def _piece(self, count_max):
        piece = self.socket.recv(count_max)
        if not piece:
            raise EOFError("the server closed the connection")
        return piece

    def close(self):
        self.socket.close()


def drain(expected):
    """Reads, from several clients at once, the bytes that each expects: {client: count}."""
    left = {client: count for client, count in expected.items() if count}
    poller = select.epoll()
    by_descriptor = {client.fileno(): client for client in left}
    for descriptor in by_descriptor:
        poller.register(descriptor, select.EPOLLIN)
    buffer = bytearray(1 << 18)
    try:
        while left:
            events = poller.poll(60)
            if not events:
                raise TimeoutError(f"{sum(left.values())} bytes are missing")
            for descriptor, _ in events:
                client = by_descriptor[descriptor]
                count = client.socket.recv_into(buffer, min(len(buffer), left[client]))
                if count == 0:
                    raise EOFError("the server closed the connection")
                left[client] -= count
                if left[client] == 0:
                    del left[client]
                    poller.unregister(descriptor)
    finally:
        poller.close()
