"""Which column is which field: what the operator says, then the usual names."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from germane.domain.errors import ImportFailed, WrongUse
from germane.privacy.categories import OWN, own_of

Kind = Literal["events", "people", "catalogue", "consents"]
KINDS: tuple[Kind, ...] = ("events", "people", "catalogue", "consents")

USERS = (
    "user",
    "customer",
    "customerid",
    "customer_id",
    "household_id",
    "person",
    "account_id",
    "client_id",
    "member_id",
)
"""Usual names of the column that tells who it was, where people are known."""
VISITORS = ("anonymous", "visitor", "visitor_id", "device_id", "session_id", "cookie")
"""The same where they are not."""

FIELDS: dict[Kind, dict[str, tuple[str, ...]]] = {
    "events": {
        "user_id": USERS,
        "anonymous_id": VISITORS,
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
        "quantity": ("qty", "count"),
        "price": ("unit_price", "item_price"),
        "order_id": ("order", "invoice", "invoice_no", "basket_id", "transaction_id"),
        "message_id": ("event_id", "uuid"),
    },
    "people": {
        "user_id": ("user", "id", "customer", "customer_id", "household_id", "person", "member_id"),
        "timestamp": ("time", "updated_at", "date"),
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
    "consents": {
        "user_id": USERS,
        "anonymous_id": VISITORS,
        "purpose": ("purpose_name", "consent_purpose", "consent_type", "permission"),
        "granted": (
            "state",
            "status",
            "consent",
            "answer",
            "choice",
            "opted_in",
            "opt_in",
            "optin",
        ),
        "timestamp": (
            "at",
            "time",
            "ts",
            "datetime",
            "date",
            "when",
            "said_at",
            "stated_at",
            "occurred_at",
            "recorded_at",
            "updated_at",
            "created_at",
        ),
        "until": ("expires_at", "expires", "expiry", "valid_until", "valid_to"),
        "source": ("evidence", "proof", "origin", "page", "form", "where"),
        "method": ("how", "mechanism"),
        "notice": ("notice_name", "policy"),
        "notice_version": ("policy_version", "text_version"),
    },
}
RANKED = ("title",)
"""Fields of whose usual names the first is meant that a file has; of all others, its first column that has one
of them. (Who and what a row is of must stay the same, however a file is read: else it would count twice.)"""
NEEDED: dict[Kind, tuple[tuple[str, ...], ...]] = {
    "events": (("user_id", "anonymous_id"), ("timestamp",)),
    "people": (("user_id",),),
    "catalogue": (("item_id",),),
    "consents": (("user_id", "anonymous_id"), ("purpose",), ("granted",), ("timestamp",)),
}


@dataclass(frozen=True, slots=True)
class Mapping:
    """Field -> column. Columns without a field are kept as properties, traits or attributes."""

    fields: dict[str, str]
    rest: tuple[str, ...]
    named: dict[str, str] = field(default_factory=dict)
    """Declared attribute or trait -> the column, of another name, that holds it."""
    said: frozenset[str] = frozenset()
    """Of both, what the operator said; the rest was recognised."""
    late: dict[str, str] = field(default_factory=dict)
    """Name in small letters -> what is declared, for columns that turn up later (JSONL)."""

    _taken: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        taken = frozenset((*self.fields.values(), *self.named.values()))
        object.__setattr__(self, "_taken", taken)

    @property
    def all(self) -> dict[str, str]:
        """Every field, attribute and trait that has a column of its own."""
        return {**self.named, **self.fields}

    def rest_of(self, values: dict[str, Any]) -> dict[str, Any]:
        """What a row holds beside its fields, by the names under which it is kept."""
        found = {}
        for column, value in values.items():
            if column not in self._taken:
                name = column if column in self.rest else self.late.get(column.lower(), column)
                found[column if name in values else name] = value
        for name, column in self.named.items():
            found[name] = values.get(column)
        return found


def map_columns(
    kind: Kind,
    names: tuple[str, ...],
    said: list[str],
    *,
    more: bool,
    declared: Collection[str] = (),
    file: object = "",
    before: str = "",
) -> Mapping:
    """Assign columns. Of names that differ by capitals alone, the one that fits is meant; how people are
    reached and called (``privacy.categories.OWN``) may be spelt in any way, and needs no declaration.

    Args:
        kind: What the rows are.
        names: The file's columns.
        said: ``FIELD=COLUMN`` as the operator gave them; they go first.
        more: Whether columns may exist that are not in ``names`` (JSONL).
        declared: Attributes of a catalogue or traits of people: they are fields, too.
        file: How the file is called in errors.
        before: What ``--map`` has before the name of a field of such rows.

    Raises:
        WrongUse: ``said`` names an unknown field or column.
        ImportFailed: a field that is needed is missing.
    """
    known = FIELDS[kind]
    if kind == "people":
        declared = (*declared, *(each for each in OWN if each not in declared))
    told = dict(_said(each, (*known, *declared), names, more=more) for each in said)
    fields = {field: column for field, column in told.items() if field in known}
    named = {field: column for field, column in told.items() if field not in known}
    free = [name for name in names if name not in told.values()]
    for each, usual in known.items():
        if each not in fields:
            found = _named((each,), free) or _usual(each, usual, free)
            if found is not None:
                fields[each] = found
                free.remove(found)
    for needed in NEEDED[kind]:
        if not any(field in fields for field in needed):
            raise ImportFailed(
                f"No column of {file or 'the file'} holds {' or '.join(needed)}.",
                hint=f"Say which: --map {before}{needed[0]}=COLUMN. Columns: {', '.join(names)}.",
            )
    open_ = [each for each in declared if each not in known and each not in named]
    named |= _called(open_, free)
    if kind == "people":
        others = [each for each in free if each not in (*declared, *named.values())]
        named |= _spelt([each for each in open_ if each not in (*free, *named)], others)
    rest = tuple(name for name in free if name not in named.values())
    late = {each.lower(): each for each in open_ if _alike(each, open_)} if more else {}
    return Mapping(fields, rest, named, frozenset(told), late)


def _called(wanted: list[str], columns: list[str]) -> dict[str, str]:
    """Of what is declared, and no column is called exactly so -> the column that differs by capitals alone."""
    found = {}
    for name in wanted:
        column = _alike(name, columns) if name not in columns else None
        if column is not None and _alike(column, wanted) == name:
            found[name] = column
    return found


def _spelt(wanted: list[str], columns: Iterable[str]) -> dict[str, str]:
    """Of the traits that need no declaration -> the first column that is called so in another spelling."""
    found: dict[str, str] = {}
    for column in columns:
        meant = own_of(column)
        if meant in wanted:
            found.setdefault(meant, column)
    return found


def _usual(field: str, usual: tuple[str, ...], columns: list[str]) -> str | None:
    """The column that is called by one of a field's usual names."""
    groups = [(each,) for each in usual] if field in RANKED else [usual]
    return next(filter(None, (_named(names, columns) for names in groups)), None)


def _named(names: Iterable[str], columns: Iterable[str]) -> str | None:
    """The first column that is called by one of some names, in any spelling."""
    plain = {_plain(each) for each in names}
    return next((each for each in columns if _plain(each) in plain), None)


def _said(
    text: str, known: Iterable[str], names: tuple[str, ...], *, more: bool
) -> tuple[str, str]:
    """``FIELD=COLUMN``, both as they are written where they are declared."""
    field, mark, column = (part.strip() for part in text.partition("="))
    fields = f"Fields: {', '.join(known)}."
    if not mark:
        raise WrongUse(f"--map {text!r} is not FIELD=COLUMN.", hint=fields)
    meant = field if field in known else _alike(field, known)
    if meant is None:
        raise WrongUse(f"--map {text!r}: there is no field {field!r}.", hint=fields)
    there = column if column in names else _alike(column, names)
    outer, dot, _ = column.partition(".")
    if there is None and dot and outer in names:
        raise WrongUse(
            f"--map {text!r}: there is no column {column!r}.",
            hint=f"{outer!r} is one column, whatever is inside of it: write what is to be mapped into columns "
            "of its own. Rows in the shape of the tracking API need no mapping.",
        )
    if there is None and not more:
        raise WrongUse(
            f"--map {text!r}: there is no column {column!r}.", hint=_nearest(column, names)
        )
    return meant, there or column


def item_in(names: Iterable[str]) -> str | None:
    """The first name that a product may hold its id under."""
    return _named(("item_id", *FIELDS["events"]["item_id"], "id"), names)


def _alike(name: str, names: Iterable[str]) -> str | None:
    """The only one that differs from it by capitals alone, or is the same."""
    found = {each for each in names if each.lower() == name.lower()}
    return found.pop() if len(found) == 1 else None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _nearest(column: str, names: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(column, names, 1)
    return f"Did you mean {near[0]!r}?" if near else f"Columns: {', '.join(names)}."
