"""Where rows hold their items inside."""

from __future__ import annotations

from typing import Any

import pytest

from germane.ingest.bulk import Inside, inside_of

TRACK = {"type": "track", "userId": "u", "event": "Bought"}


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"user": "u", "item": "a"}, None),
        ({"user": "u", "products": "a, b"}, None),
        ({"user": "u", "products": []}, None),
        ({"user": "u", "products": ["a"]}, None),
        ({"user": "u", "products": [{"colour": "red"}]}, None),
        (
            {"user": "u", "products": [None, {"product_id": "a", "price": 2}]},
            Inside("properties.products[].product_id", "price", ""),
        ),
        (
            {"user": "u", "order_id": 7, "items": [{"sku": "a"}]},
            Inside("properties.items[].sku", "", "properties.order_id"),
        ),
        (
            TRACK | {"properties": {"order_id": 7, "products": [{"productId": "a", "price": 1}]}},
            Inside("properties.products[].productId", "price", "properties.order_id"),
        ),
        (
            TRACK | {"properties": {"product_id": "a", "price": 1}},
            Inside("properties.product_id", "properties.price", ""),
        ),
        (TRACK | {"properties": {}}, None),
        ({"type": "page", "userId": "u", "name": "Home"}, None),
        ({"type": "identify", "userId": "u", "traits": {"plan": "x"}}, None),
    ],
)
def test_where_items_are(row: dict[str, Any], found: Inside | None) -> None:
    """By the usual names of lists and ids; what is no list of objects holds nothing."""
    assert inside_of(row) == found
