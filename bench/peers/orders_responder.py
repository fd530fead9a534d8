#!/usr/bin/env python3
"""A service beside a broker: nats-py, json, and the checks of an order written by hand.

    .venv/bin/python bench/peers/orders_responder.py PORT
"""

import asyncio
import json
import re
import sys

import nats

TIERS = ("basic", "silver", "gold", "vip")
CURRENCIES = ("EUR", "GBP", "USD")
MEMBERS = {"id", "placed", "customer", "items", "total", "currency", "paid"}
SKU = re.compile(r"[A-Z]{3}-[0-9]{5}")
COUNTRY = re.compile(r"[A-Z]{2}")


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_integer(value):
    return isinstance(value, int) and not isinstance(value, bool)


def is_text(value, most):
    return isinstance(value, str) and len(value) <= most


def fault(order):
    """What is wrong with an order; None if nothing is."""
    if not isinstance(order, dict):
        return "not an object"
    if not order.keys() <= MEMBERS:
        return "unknown member"
    if not is_text(order.get("id"), 36) or len(order["id"]) != 36:
        return "id"
    if not is_text(order.get("placed"), 40):
        return "placed"
    if not is_number(order.get("total")) or order["total"] < 0:
        return "total"
    if order.get("currency") not in CURRENCIES:
        return "currency"
    if not isinstance(order.get("paid", True), bool):
        return "paid"
    items = order.get("items")
    if not isinstance(items, list) or not 1 <= len(items) <= 100:
        return "items"
    if not all(map(is_item, items)):
        return "item"
    return None if is_customer(order.get("customer")) else "customer"


def is_customer(customer):
    return (
        isinstance(customer, dict)
        and is_integer(customer.get("id")) and customer["id"] >= 1
        and customer.get("tier") in TIERS
        and is_text(customer.get("name", ""), 100)
        and ("country" not in customer
             or isinstance(customer["country"], str)
             and COUNTRY.fullmatch(customer["country"]) is not None))


def is_item(item):
    return (
        isinstance(item, dict)
        and isinstance(item.get("sku"), str) and SKU.fullmatch(item["sku"]) is not None
        and is_integer(item.get("quantity")) and 1 <= item["quantity"] <= 1000
        and is_number(item.get("price")) and item["price"] > 0
        and is_text(item.get("name", ""), 200))


def quote(payload):
    try:
        order = json.loads(payload)
    except ValueError as error:
        return json.dumps({"error": str(error)}).encode()
    problem = fault(order)
    if problem is not None:
        return json.dumps({"error": problem}).encode()
    return json.dumps(
        {"id": order["id"], "placed": order["placed"], "total": order["total"]},
        separators=(",", ":")).encode()


async def main():
    connection = await nats.connect(f"nats://127.0.0.1:{sys.argv[1]}")

    async def answer(message):
        await message.respond(quote(message.data))

    await connection.subscribe("orders.quote", cb=answer)
    await connection.flush()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
