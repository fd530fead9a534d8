"""Says of each line of standard input, a document in hexadecimal, whether it is strict JSON: 1 or 0."""

import json
import sys


class Refused(Exception):
    pass


def unique(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Refused
    return members


def refuse(_):
    raise Refused


def is_strict(document):
    try:
        text = document.decode("utf-8")
        value = json.loads(text, object_pairs_hook=unique, parse_constant=refuse, parse_int=str,
                           parse_float=str)
        # Half a surrogate pair cannot be encoded.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, Refused):
        return False
    return True


for line in sys.stdin:
    print(int(is_strict(bytes.fromhex(line))))
