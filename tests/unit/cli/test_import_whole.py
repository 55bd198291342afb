"""Catalogue files without columns for what their items have: nothing is emptied without a word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from germane.domain.errors import ImportFailed
from tests.unit.cli.test_rights import place, typed

__all__ = ["place"]
HEADER = "item_id,title,category,department,brand,price,in_stock\n"
WHOLE = f"{HEADER}tent-1,One,Tents,Outdoor,Northway,9,false\ntent-2,Two,Tents,Outdoor,,19,true\n"


def brought(place: Path, text: str, *more: str, name: str = "c.csv") -> Any:
    """What an import of such a file says."""
    (place / name).write_text(text)
    return json.loads(typed(place, "import", "catalogue", str(place / name), *more, "--json"))


def item(place: Path, item_id: str) -> dict[str, Any]:
    """One item, as it is exported."""
    rows = map(json.loads, typed(place, "export", "items", "-").splitlines())
    found: dict[str, Any] = next(row for row in rows if row["itemId"] == item_id)
    return found


@pytest.mark.parametrize("more", [(), ("--dry-run",)], ids=["in earnest", "dry"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("prices.csv", "item_id,price\ntent-1,99\ntent-2,199\nnew-1,5\nnew-2,dear\n"),
        ("prices.jsonl", '{"item_id": "tent-1", "price": 99}\n{"item_id": "tent-2"}\n'),
    ],
)
def test_a_price_list_stops(place: Path, name: str, text: str, more: tuple[str, ...]) -> None:
    """With what it would empty, of how many items, and what would be in stock again; nothing is lost."""
    brought(place, WHOLE)
    with pytest.raises(ImportFailed) as refused:
        brought(place, text, *more, name=name)
    told = str(refused.value)
    for each in ("title (2 items)", "department (2 items)", "brand (1 item)", "in_stock (1 item)"):
        assert each in told
    assert "What is sold out would be in stock again." in told
    assert "price" not in told.partition("would empty")[2]
    assert "--force" in refused.value.hint
    tent = item(place, "tent-1")
    assert (tent["title"], tent["inStock"], tent["price"]) == ("One", False, 9.0)


def test_force_and_other_items_go_on(place: Path) -> None:
    """What has no entry yet has nothing to lose."""
    brought(place, WHOLE)
    assert brought(place, "item_id,price\nnew-1,99\n")["accepted"] == 1
    assert brought(place, "item_id,price\ntent-1,99\n", "--force")["accepted"] == 1
    tent = item(place, "tent-1")
    assert (tent["title"], tent["inStock"], tent["price"]) == ("", True, 99.0)


def test_an_empty_cell_is_said(place: Path) -> None:
    """A column that is there tells of every item; so does one of an attribute that turns up late."""
    brought(place, WHOLE)
    assert brought(place, f"{HEADER}tent-1,,,,,,\n")["accepted"] == 1
    rows = [{"item_id": f"j{n}", "title": "x", "category": "y"} for n in range(120)]
    rows += [{"item_id": "tent-2", "brand": "z", "price": 1, "title": "Zwei", "category": "Z"}]
    rows += [{"item_id": "j0", "DEPARTMENT": "Outdoor"}]
    text = "\n".join(map(json.dumps, rows))
    with pytest.raises(ImportFailed, match=r"empty price \(1 item\)\.$"):
        brought(place, text, "--dry-run", name="late.jsonl")


def test_a_path_is_kept_that_came_in_the_column_of_the_category(place: Path) -> None:
    """The same file again empties nothing."""
    text = '{"item_id": "p-1", "category": ["Home", "Lamps"]}\n'
    assert brought(place, text, name="c.jsonl")["accepted"] == 1
    assert brought(place, text, name="c.jsonl")["duplicates"] == 1
