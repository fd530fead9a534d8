"""A broker process and raw connections to it, for whoever counts what a message costs."""

import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def binary():
    """The release binary: $MARTLET_BINARY, or the one that `swift build -c release` made."""
    path = pathlib.Path(os.environ.get("MARTLET_BINARY", ROOT / ".build/release/martlet"))
    if not path.is_file():
        raise SystemExit(
            f"error: {path} does not exist; run 'swift build -c release --product martlet' first")
    return path


def embedding_program():
    """A program with the broker and handlers in it, from the same build."""
    path = binary().with_name("AllocationHandlers")
    if not path.is_file():
        raise SystemExit(
            f"error: {path} does not exist; run "
            "'swift build -c release --product AllocationHandlers' first")
    return path


class Broker:
    """`martlet`, or a program that embeds it, on a free port of 127.0.0.1, under a wrapper such as
    valgrind if wanted."""

    def __init__(self, *flags, wrapper=(), environment=(), configuration=None, files=(),
                 program=None):
        self.folder = tempfile.TemporaryDirectory()
        self.log = pathlib.Path(self.folder.name) / "log"
        arguments = [*wrapper, str(program or binary()), "-a", "127.0.0.1", "-p", "-1", *flags]
        for name, text in dict(files).items():
            (pathlib.Path(self.folder.name) / name).write_text(text)
        if configuration is not None:
            file = pathlib.Path(self.folder.name) / "martlet.conf"
            file.write_text(configuration)
            arguments += ["-c", str(file)]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **dict(environment)})
        self.port = self._wait_for_port()

    def _wait_for_port(self):
        pattern = re.compile(rb"Listening for client connections on 127\.0\.0\.1:(\d+)")
        for _ in range(3_000):
            text = self.log.read_bytes()
            found = pattern.search(text)
            if found and b"Server is ready" in text:
                return int(found.group(1))
            if self.process.poll() is not None:
                break
            select.select([], [], [], 0.01)
        self.stop()
        raise SystemExit(f"error: the broker did not start:\n{self.text_of_log}")

    def stop(self):
        """Ends the process as an operator would, so that it may say what it has to say."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.log.exists():
            self.text_of_log = self.log.read_text(errors="replace")
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Client:
    """A raw connection that counts the bytes it is sent."""

    def __init__(self, broker, options='"verbose":false,"pedantic":false,"headers":true',
                 receive_buffer=None):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(60)
        self.socket.connect(("127.0.0.1", broker.port))
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
            piece = self.socket.recv(min(count - len(data), 1 << 20))
            if not piece:
                raise EOFError("the broker closed the connection")
            data += piece
        return bytes(data)

    def barrier(self):
        """Waits for the PONG to a PING, and throws away what comes before it."""
        self.send(b"PING\r\n")
        end = b""
        while not end.endswith(b"PONG\r\n"):
            piece = self.socket.recv(1 << 20)
            if not piece:
                raise EOFError("the broker closed the connection")
            end = (end + piece)[-6:]

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
                    raise EOFError("the broker closed the connection")
                left[client] -= count
                if left[client] == 0:
                    del left[client]
                    poller.unregister(descriptor)
    finally:
        poller.close()
