#!/usr/bin/env python3
"""Validates a document again and again with jsonschema-rs; prints the nanoseconds of all of it.

    .venv/bin/python bench/peers/jsonschema_rs_time.py parsed|text SCHEMA DOCUMENT TIMES

It validates Python objects: "parsed" has one at hand, "text" makes it with json.loads each time.
"""

import json
import pathlib
import sys
import time

import jsonschema_rs


def main():
    mode, schema, document, times = sys.argv[1:]
    is_valid = jsonschema_rs.validator_for(json.loads(pathlib.Path(schema).read_text())).is_valid
    text = pathlib.Path(document).read_bytes()
    value = json.loads(text)
    if not is_valid(value):
        sys.exit("the document is not valid")
    loads = json.loads
    repeats = range(int(times))
    begin = time.perf_counter_ns()
    if mode == "parsed":
        for _ in repeats:
            is_valid(value)
    else:
        for _ in repeats:
            is_valid(loads(text))
    print(time.perf_counter_ns() - begin)


if __name__ == "__main__":
    main()
