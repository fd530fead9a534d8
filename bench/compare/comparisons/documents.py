"""What validation is timed with: orders of several sizes, and a page of short posts."""

import dataclasses
import json
import pathlib

from ..machine import ROOT

RULES = ROOT / "bench/rules"


@dataclasses.dataclass(frozen=True)
class Document:
    name: str
    content: str
    schema: pathlib.Path

    @property
    def bytes(self):
        return len(self.content.encode())

    @property
    def text(self):
        return f"{self.bytes:,} bytes"


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def order(bytes_most):
    """The order of bench/rules with as many items as fit."""
    value = json.loads((RULES / "order.json").read_text())
    number = len(value["items"])
    while True:
        number += 1
        item = {"sku": f"MRT-{417 + number:05d}", "name": f"Nest box {number}, untreated larch",
                "quantity": 1 + number % 9, "price": 34.5 + number}
        value["items"].append(item)
        if len(compact(value).encode()) > bytes_most:
            value["items"].pop()
            return compact(value)


TEXTS = (
    "The swifts are back over the harbour, three days earlier than last year #swifts",
    "RT @harbour_watch: 41 nests counted on the old mill \u2013 a record! https://t.co/Q7wzXk2",
    "ツバメが帰ってきました。今年は去年より三日早いです。",
    "Who says \"it is only a bird\" has never seen one sleep in the air\nat two thousand metres",
)


def post(number):
    tags = [{"text": "swifts", "indices": [72, 79]}] if number % 4 == 0 else []
    return {
        "created_at": f"Sun Aug 31 00:{number % 60:02d}:15 +0000 2026",
        "id": 505_874_924_095_815_680 + number, "id_str": str(505_874_924_095_815_680 + number),
        "text": TEXTS[number % len(TEXTS)], "truncated": False,
        "source": "<a href=\"https://example.org/app\" rel=\"nofollow\">Example for phones</a>",
        "in_reply_to_status_id": None if number % 3 else 505_874_000_000_000_000 + number,
        "user": {
            "id": 1_186_275_104 + number, "name": f"Bird watcher {number}",
            "screen_name": f"watcher_{number}", "location": "", "url": None,
            "description": "Counts what flies. Opinions are those of the birds, mostly.",
            "protected": False, "followers_count": 262 + 7 * number, "friends_count": 252,
            "profile_image_url": f"https://example.org/images/{4_700_000 + number}/normal.jpeg"},
        "geo": None if number % 5 else {"latitude": 53.55 + number / 100, "longitude": 9.99},
        "retweet_count": number * 13 % 97, "favorite_count": number * 29 % 211,
        "entities": {"hashtags": tags, "urls": []},
        "favorited": False, "retweeted": number % 2 == 0, "lang": "ja" if number % 4 == 2 else "en"}


def page(bytes_most):
    posts = []
    while True:
        posts.append(post(len(posts)))
        value = {"statuses": posts, "search_metadata": {"count": len(posts), "completed_in": 0.087}}
        if len(compact(value).encode()) > bytes_most:
            posts.pop()
            value["search_metadata"]["count"] = len(posts)
            return compact(value)


def documents():
    order_schema, posts_schema = RULES / "order-schema.json", RULES / "posts-schema.json"
    return (
        Document("order", (RULES / "order.json").read_text(), order_schema),
        Document("order 1 KB", order(1_024), order_schema),
        Document("order 4 KB", order(4_096), order_schema),
        Document("posts 64 KB", page(65_536), posts_schema),
    )
