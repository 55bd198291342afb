"""Which column is which field: what the operator says, then the usual names."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Literal

from germane.domain.errors import ImportFailed, WrongUse

Kind = Literal["events", "people", "catalogue"]
KINDS: tuple[Kind, ...] = ("events", "people", "catalogue")

FIELDS: dict[Kind, dict[str, tuple[str, ...]]] = {
    "events": {
        "user_id": (
            "user",
            "customer",
            "customerid",
            "customer_id",
            "household_id",
            "person",
            "account_id",
            "client_id",
            "member_id",
        ),
        "anonymous_id": ("anonymous", "visitor", "visitor_id", "device_id", "session_id", "cookie"),
        "timestamp": (
            "time",
            "ts",
            "datetime",
            "date",
            "when",
            "created_at",
            "occurred_at",
            "event_time",
            "invoice_date",
            "order_date",
            "purchased_at",
        ),
        "event": ("event_name", "event_type", "action", "type", "behavior", "behaviour"),
        "item_id": (
            "item",
            "product",
            "product_id",
            "sku",
            "article",
            "article_id",
            "stock_code",
            "asin",
        ),
        "quantity": ("qty", "amount", "count"),
        "price": ("unit_price", "item_price"),
        "order_id": ("order", "invoice", "invoice_no", "basket_id", "transaction_id"),
        "message_id": ("event_id", "uuid"),
    },
    "people": {
        "user_id": ("user", "id", "customer", "customer_id", "household_id", "person", "member_id"),
        "timestamp": ("time", "updated_at", "created_at", "signed_up_at", "date"),
    },
    "catalogue": {
        "item_id": ("id", "item", "product_id", "sku", "article_id", "stock_code"),
        "type": ("item_type", "kind"),
        "title": ("name", "product_name", "label", "description"),
        "category": ("product_category", "leaf_category", "genre"),
        "categories": ("category_path", "genres"),
        "brand": ("manufacturer", "vendor", "publisher"),
        "price": ("unit_price", "median_price", "list_price"),
        "currency": (),
        "in_stock": ("stock", "available", "availability"),
        "url": ("link", "product_url"),
        "image_url": ("image", "image_link", "picture"),
        "available_from": (),
        "available_until": (),
    },
}
NEEDED: dict[Kind, tuple[tuple[str, ...], ...]] = {
    "events": (("user_id", "anonymous_id"), ("timestamp",)),
    "people": (("user_id",),),
    "catalogue": (("item_id",),),
}


@dataclass(frozen=True, slots=True)
class Mapping:
    """Field -> column. Columns without a field are kept as properties, traits or attributes."""

    fields: dict[str, str]
    rest: tuple[str, ...]


def map_columns(kind: Kind, names: tuple[str, ...], said: list[str], *, more: bool) -> Mapping:
    """Assign columns.

    Args:
        kind: What the rows are.
        names: The file's columns.
        said: ``FIELD=COLUMN`` as the operator gave them; they go first.
        more: Whether columns may exist that are not in ``names`` (JSONL).

    Raises:
        WrongUse: ``said`` names an unknown field or column.
        ImportFailed: a field that is needed is missing.
    """
    known = FIELDS[kind]
    fields: dict[str, str] = {}
    for each in said:
        field, mark, column = (part.strip() for part in each.partition("="))
        if not mark:
            raise WrongUse(
                f"--map {each!r} is not FIELD=COLUMN.", hint=f"Fields: {', '.join(known)}."
            )
        if field not in known:
            raise WrongUse(
                f"--map {each!r}: there is no field {field!r}.",
                hint=f"Fields: {', '.join(known)}.",
            )
        if column not in names and not more:
            raise WrongUse(
                f"--map {each!r}: there is no column {column!r}.", hint=_nearest(column, names)
            )
        fields[field] = column
    free = [name for name in names if name not in fields.values()]
    for field, usual in known.items():
        if field not in fields:
            found = next(
                (n for n in free if _plain(n) in {_plain(field), *map(_plain, usual)}), None
            )
            if found is not None:
                fields[field] = found
                free.remove(found)
    for needed in NEEDED[kind]:
        if not any(field in fields for field in needed):
            raise ImportFailed(
                f"No column holds {' or '.join(needed)}.",
                hint=f"Say which: --map {needed[0]}=COLUMN. Columns: {', '.join(names)}.",
            )
    return Mapping(fields, tuple(free))


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _nearest(column: str, names: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(column, names, 1)
    return f"Did you mean {near[0]!r}?" if near else f"Columns: {', '.join(names)}."
