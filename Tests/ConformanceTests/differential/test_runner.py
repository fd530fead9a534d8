"""The runner must see a difference, and must not see one where there is none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from case import CaseError, load_case, unescape  # noqa: E402
from player import split  # noqa: E402
from transcript import FrameReader, sort_messages  # noqa: E402

ORACLE = os.environ.get("NATS_SERVER_BINARY", str(Path(sys.executable).parent / "nats-server"))


def frames_of(data: bytes):
    reader = FrameReader(port=4222)
    reader.feed(data)
    frames = []
    while frame := reader.next_frame():
        frames.append(frame)
    return frames, reader.rest()


def test_frames_keep_payloads_whole():
    frames, rest = frames_of(b"MSG a 1 6\r\nPONG\r\n\r\nPONG\r\n-ERR 'x'\r\nMSG b 2 5\r\nhel")
    assert [verb for verb, _ in frames] == ["MSG", "PONG", "-ERR"]
    assert rest == "MSG b 2 5\\r\\nhel"


def test_info_hides_only_what_is_listed():
    info = b'INFO {"server_id":"A","server_name":"A","port":%d,"max_payload":9,"go":"x"} \r\n'
    assert frames_of(info % 4222) == frames_of(
        (info % 4222).replace(b"A", b"B").replace(b'"x"', b'"y"')
    )
    assert frames_of(info % 4222) != frames_of(info % 4333)
    assert frames_of(info % 4222) != frames_of((info % 4222).replace(b"9", b"8"))


def test_sorting_keeps_the_order_of_messages():
    frames, _ = frames_of(b"MSG b 2 1\r\nx\r\nMSG b 1 1\r\nx\r\nMSG a 1 1\r\ny\r\n")
    assert [text for _, text in sort_messages(frames)] == [
        "MSG b 1 1\\r\\nx\\r\\n",
        "MSG b 2 1\\r\\nx\\r\\n",
        "MSG a 1 1\\r\\ny\\r\\n",
    ]


def test_escapes():
    assert unescape(r"a\r\n\t\\n\x00\xff{ab*3}ü") == b"a\r\n\t\\n\x00\xffababab\xc3\xbc"
    with pytest.raises(ValueError):
        unescape(r"\q")


@pytest.mark.parametrize("mode", ["whole", "bytes", "random"])
def test_splits_lose_nothing(mode):
    import random

    for length in [1, 2, 3, 50, 699, 700, 701, 5000]:
        data = os.urandom(length)
        pieces = split(data, mode, random.Random(1))
        assert b"".join(pieces) == data and all(pieces)


def test_a_case_must_end_in_a_read(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("---\nA sync\nA> PING\\r\\n\n")
    with pytest.raises(CaseError, match="must end in"):
        load_case(path, tmp_path)


@pytest.mark.parametrize(
    "flag, case",
    [
        ("--max_payload 10", "pub/payload-binary"),
        ("--user u --pass p", "connect/empty-object"),
        ("--name other", "verbs/unknown"),
    ],
)
def test_a_server_that_differs_fails(tmp_path, flag, case):
    """A nats-server that is started differently than the case says must not pass."""
    subject = tmp_path / "subject"
    config = tmp_path / "subject.conf"
    config.write_text("max_payload: 10\n" if "max_payload" in flag else "")
    flags = "" if "max_payload" in flag else flag
    subject.write_text(f'#!/bin/sh\nexec "{ORACLE}" -c "{config}" {flags} "$@"\n')
    subject.chmod(0o755)
    command = [sys.executable, HERE / "run", "--subject", subject, "--oracle", ORACLE]
    result = subprocess.run(
        [*command, HERE / "cases" / f"{case}.txt"], capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 1, result.stdout + result.stderr
    assert f"FAIL  {case}" in result.stdout
    assert result.stdout.splitlines()[-1] == "0 passed, 1 failed"
