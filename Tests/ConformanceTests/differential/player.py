"""Plays a case against one server and writes down all that the server sent, step by step."""

import itertools
import random
import select
import signal
import socket
import time

from transcript import FrameReader, sort_messages

# No passing case waits that long; a busy machine takes seconds for the largest payloads.
READ_SECONDS = 30.0
# Between single bytes, so that the server reads them one by one.
BYTE_PAUSE_SECONDS = 0.00005
# Longer input is cut byte by byte at its ends only.
SPLIT_WHOLLY_BELOW = 700


class Connection:
    def __init__(self, server):
        self.socket = server.connect()
        self.frames = FrameReader(server.port)
        self.is_closed = False

    def send(self, pieces, pause: float):
        try:
            for piece in pieces:
                self.socket.sendall(piece)
                if pause:
                    time.sleep(pause)
        except OSError:
            pass  # The server has closed it; the next read says so.

    def receive(self, deadline: float) -> bool:
        """Waits for bytes; False at the deadline."""
        remaining = deadline - time.monotonic()
        if remaining <= 0 or not select.select([self.socket], [], [], remaining)[0]:
            return False
        try:
            data = self.socket.recv(1 << 18)
        except OSError:
            data = b""
        self.is_closed = not data
        self.frames.feed(data)
        return True

    def read_until(self, verb, count: int, seconds: float):
        """Frames up to the count-th of a verb, and how it ended: reached, closed or timeout."""
        deadline = time.monotonic() + seconds
        frames = []
        while True:
            while frame := self.frames.next_frame():
                frames.append(frame)
                count -= frame[0] == verb
                if count == 0:
                    return frames, "reached"
            if self.is_closed:
                if rest := self.frames.rest():
                    frames.append(("?", rest))
                return frames, "closed"
            if not self.receive(deadline):
                return frames, "timeout"

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()


def split(data: bytes, mode: str, generator: random.Random):
    if mode == "whole" or len(data) < 2:
        return [data]
    if mode == "bytes":
        cuts = range(1, len(data))
        if len(data) > SPLIT_WHOLLY_BELOW:
            middle = range(64, len(data) - 64, max(997, len(data) // 64))
            cuts = [*range(1, 64), *middle, *range(len(data) - 64, len(data))]
    else:
        cuts = sorted(
            generator.sample(range(1, len(data)), min(len(data) - 1, generator.randint(1, 8)))
        )
    edges = [0, *cuts, len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


class Player:
    """One run of one case. `lines` is the transcript, `timed_out` whether a step waited in vain."""

    def __init__(self, case, server, mode: str, seed: int):
        self.case, self.server, self.mode = case, server, mode
        self.generator = random.Random(f"{seed}/{case.name}")
        self.connections = {}
        self.lines = []
        self.timed_out = False

    def play(self):
        try:
            for step in self.case.steps:
                self._perform(step)
        finally:
            for connection in self.connections.values():
                connection.close()
        return self

    def _perform(self, step):
        if step.verb == "wait":
            return time.sleep(step.seconds)
        if step.verb == "signal":
            return self.server.process.send_signal(getattr(signal, f"SIG{step.frame}"))
        if step.verb == "refused":
            return self._expect_refusal(step)
        connection = self.connections.get(step.connection) or self._connect(step)
        match step.verb:
            case "send":
                pause = BYTE_PAUSE_SECONDS if self.mode == "bytes" else 0.0005
                pieces = split(step.data, self.mode, self.generator)
                connection.send(pieces, pause if len(pieces) > 1 else 0)
            case "sync":
                connection.send([b"PING\r\n"], 0)
                self._read(step, connection, "PONG", 1)
            case "read":
                self._read(step, connection, step.frame, step.count)
            case "closed":
                self._read(step, connection, None, 0)
            case "quiet":
                frames, ended = connection.read_until(None, 0, step.seconds)
                self._note(step, frames, "closed" if ended == "closed" else "open")
            case "close":
                connection.close()

    def _connect(self, step):
        connection = Connection(self.server)
        self.connections[step.connection] = connection
        self._read(step, connection, "INFO", 1, label=f"{step.connection} connect")
        return connection

    def _expect_refusal(self, step):
        """The listener may take a moment to close, so this asks again for a while."""
        deadline = time.monotonic() + READ_SECONDS
        while time.monotonic() < deadline:
            try:
                self.server.connect().close()
            except ConnectionRefusedError:
                return self._note(step, [], "refused")
            except ConnectionError:
                pass  # It came just as the listener closed.
            time.sleep(0.05)
        self.timed_out = True
        self._note(step, [], "still listens")

    def _read(self, step, connection, verb, count, label=None):
        frames, ended = connection.read_until(verb, count or -1, READ_SECONDS)
        self.timed_out = self.timed_out or ended == "timeout"
        if ended == "timeout" and (rest := connection.frames.rest()):
            frames.append(("?", rest))
        self._note(step, frames, ended, label)

    def _note(self, step, frames, ended, label=None):
        if not self.case.expects_keepalive:
            # The first PING comes after two seconds, which a busy machine can take for a case.
            frames = [frame for frame in frames if frame[0] != "PING"]
        if "unordered" in self.case.headers:
            frames = sort_messages(frames)
        self.lines.append(f"line {step.line}: {label or step.text}")
        self.lines += [f"    {text}" for _, text in frames]
        if ended != "reached":
            self.lines.append(f"    <{ended}>")
