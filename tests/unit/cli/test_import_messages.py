"""Exports of the tracking API through the command line, and mappings that no row has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from germane.cli.mappings import changed, packed
from germane.domain.errors import WrongUse
from tests.unit.cli.test_rights import place, typed
from tests.unit.ingest.test_messages import ORDER

__all__ = ["place"]


def test_an_export_is_imported(place: Path) -> None:
    """All of its items are, and it is said what the rows are taken for."""
    (place / "e.jsonl").write_text(json.dumps(ORDER) + "\n")
    command = ("import", "events", str(place / "e.jsonl"))
    words = " ".join(typed(place, *command).split())
    assert "1 row is a message of the tracking API" in words
    assert json.loads(typed(place, *command, "--json"))["duplicates"] == 1
    person = json.loads(typed(place, "person", "u1", "--json"))
    assert {each["itemId"] for each in person["ownItems"]} == {"tent", "mat"}


@pytest.mark.parametrize("column", ["properties.product_id", "sku"])
def test_a_column_that_no_row_has_is_refused(place: Path, column: str) -> None:
    """A path into an object, too; one that turns up late is none."""
    rows = [ORDER] * 120 + [ORDER | {"late": "x"}]
    (place / "e.jsonl").write_text("\n".join(map(json.dumps, rows)))
    command = ("import", "events", str(place / "e.jsonl"), "--dry-run", "--map")
    with pytest.raises(WrongUse, match=column):
        typed(place, *command, f"item_id={column}")
    typed(place, *command, "item_id=late", code=4)  # of the rows that have none, nothing is told


def test_rows_with_an_id_are_no_new_events_under_another_mapping() -> None:
    """So they are not said to be."""
    before = packed({"user_id": "u", "item_id": "a", "message_id": "id"})
    told = changed("events", before, {"user_id": "u", "item_id": "b", "message_id": "id"})
    assert "known by their ids" in told
    assert "new events" not in told
    assert "are new events" in changed("events", packed({"item_id": "a"}), {"item_id": "b"})
