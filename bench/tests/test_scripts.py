"""What the scripts that count share."""

import json
import pathlib
import runpy
import shutil

import pytest

import instructions
import item_orders


HERE = pathlib.Path(item_orders.__file__).parent
SCRIPTS = [
    path for path in HERE.iterdir()
    if path.is_file() and path.read_bytes().startswith(b"#!/usr/bin/env python3")]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_finds_what_it_imports_and_says_how_it_is_called(path):
    names = runpy.run_path(str(path), run_name="not main")
    assert f"bench/{path.name}" in names["__doc__"] and callable(names["main"])


@pytest.mark.parametrize("byte_count", [256, 1_024, 32_000])
def test_an_order_is_json_of_about_the_size_that_is_asked_for(byte_count):
    text = item_orders.document(byte_count)
    assert byte_count <= len(text) < byte_count + 60
    assert json.loads(text)["id"] == 1


def test_what_callgrind_counted_is_read_and_nothing_is_not_a_number():
    assert instructions.collected("==1== Events    : Ir\n==1== Collected : 1234\n") == 1_234
    with pytest.raises(SystemExit, match="counted nothing"):
        instructions.collected("valgrind: no such program")


def test_more_work_takes_more_instructions():
    if shutil.which("valgrind") is None:
        pytest.skip("valgrind is not installed")
    few, many = (
        instructions.of_command(["sh", "-c", f"i=0; while [ $i -lt {count} ]; do i=$((i+1)); done"])
        for count in (10, 10_000))
    assert many > few + 1_000_000
    with pytest.raises(SystemExit, match="failed under callgrind"):
        instructions.of_command(["false"])


def test_batches_say_what_they_deliver():
    messages = list(instructions.plain(5_000))
    found = list(instructions.batches(messages))
    assert len(found) > 1 and b"".join(batch for batch, _ in found) == b"".join(messages)
    assert all(len(batch) <= instructions.BATCH_BYTES for batch, _ in found)
    assert sum(delivered for _, delivered in found) == sum(
        len(instructions.frame(message)) for message in messages)
