"""Orders of any size, and the schema that rules check them by."""

import json

# What a broker's configuration is to find beside itself.
FILES = {"order.json": json.dumps({
    "type": "object", "required": ["id", "items"],
    "properties": {"id": {"type": "integer"}, "items": {"type": "array", "items": {
        "type": "object", "required": ["sku", "qty"],
        "properties": {"sku": {"type": "string"}, "qty": {"minimum": 1}}}}}})}


def document(byte_count):
    """An order of about so many bytes, and no fewer."""
    items, size = [], len('{"id": 1, "items": []}')
    while size < byte_count:
        items.append({"sku": f"A-{len(items):04}", "qty": 3, "note": "some text"})
        size += len(json.dumps(items[-1])) + 2
    return json.dumps({"id": 1, "items": items}).encode()
