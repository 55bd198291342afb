"""Whether a catalogue file brings whole entries: what it has no column for would be emptied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from germane.cli.common import many
from germane.domain.errors import ImportFailed

if TYPE_CHECKING:
    from germane.domain.item import Item
    from germane.ingest.bulk import Mapping as Columns
    from germane.ingest.bulk import Shaper


def check(path: Path, mapping: Columns, shaper: Shaper, items: Mapping[str, Item]) -> None:
    """
    Args:
        path: A file of items.
        mapping: Which of its columns is which field.
        shaper: Makes items of its rows.
        items: Those that there are, by id.

    Raises:
        ImportFailed: the file lacks columns for what its items have.
    """
    lost = emptied(path, mapping, shaper, items)
    if not lost:
        return
    told = ", ".join(f"{name} ({many(count, 'item')})" for name, count in lost.items())
    again = " What is sold out would be in stock again." if "in_stock" in lost else ""
    raise ImportFailed(
        f"{path} has no column for what its items have now, and an entry is replaced as a whole: it would "
        f"empty {told}.{again}",
        hint="Add these columns to the file, or change single values by PATCH /v1/items/ID; or --force, if "
        "that is meant.",
    )


def emptied(
    path: Path, mapping: Columns, shaper: Shaper, items: Mapping[str, Item]
) -> dict[str, int]:
    """Field or attribute that the file has no column for -> how many of its items would lose it."""
    from germane.ingest.bulk.columns import FIELDS

    told = {*mapping.fields, *mapping.named, *mapping.rest}
    may = {name for item in items.values() for name in _filled(item)} - told
    if not may:
        return {}
    lost: Counter[str] = Counter()
    for item, columns in _read(path, shaper):
        may -= {mapping.late.get(each.lower(), each) for each in columns} - {*FIELDS["catalogue"]}
        if item.item_id in items:
            brought = {*_filled(item)}
            had = _filled(items[item.item_id])
            lost.update(each for each in had if each in may and each not in brought)
    return {name: count for name, count in lost.most_common() if name in may}


def _read(path: Path, shaper: Shaper) -> Iterator[tuple[Item, set[str]]]:
    """Items of a file, each with the columns of its row; rows that cannot be used replace nothing."""
    from germane.ingest.bulk import Unusable, rows_of

    for row in rows_of(path):
        try:
            yield shaper.item(row), {*row.values}
        except Unusable:
            continue


def _filled(item: Item) -> Iterator[str]:
    """Names of the fields and attributes that an item has."""
    for field, default in _defaults().items():
        if getattr(item, field) != default:
            yield field.removesuffix("_ms")
    yield from (name for name in item.attributes if name not in _defaults())


@cache
def _defaults() -> dict[str, Any]:
    """Field of an item that a file may tell -> what it is where none does."""
    from msgspec.structs import fields

    from germane.domain.item import Item

    untold = ("item_id", "created_ms", "attributes")
    return {each.name: each.default for each in fields(Item) if each.name not in untold}
