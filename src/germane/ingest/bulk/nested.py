"""Rows that hold their items inside: messages of the tracking API, and rows that list their products."""

from __future__ import annotations

from typing import Any, NamedTuple

from germane.ingest.bulk.columns import item_in
from germane.ingest.bulk.messages import is_message

LISTS = ("products", "items", "line_items", "lines")
"""Usual names of a list of products."""


class Inside(NamedTuple):
    """Paths, as a signal declares them; empty: there is no such thing."""

    item: str
    price: str
    order: str


def inside_of(values: dict[str, Any]) -> Inside | None:
    """Where a row holds its items; ``None``: in its columns, if it holds any."""
    message = is_message(values)
    said = values.get("properties") if message else values
    if not isinstance(said, dict):
        return None
    order = "properties.order_id" if "order_id" in said else ""
    for name in LISTS:
        product = _first(said.get(name))
        key = item_in(product) if product else None
        if key is not None:
            path = f"properties.{name}[].{key}"
            return Inside(path, "price" if "price" in product else "", order)
    key = item_in(said) if message else None
    if key is None:
        return None
    return Inside(f"properties.{key}", "properties.price" if "price" in said else "", order)


def _first(listed: Any) -> dict[str, Any]:
    entries = listed if isinstance(listed, list) else []
    return next((each for each in entries if isinstance(each, dict)), {})
