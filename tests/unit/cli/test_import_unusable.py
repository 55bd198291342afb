"""Events of which nothing can be used: the exit code and the last line tell it, of a dry run, too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.test_rights import place, typed

__all__ = ["place"]
DRY = pytest.mark.parametrize("more", [(), ("--dry-run",)], ids=["in earnest", "dry"])
MIXED = (
    "user_id,timestamp,event,item_id\n"
    "c1,2026-10-01,view,toy-1\nc1,2026-10-02,view,\nc1,2026-10-03,Menu Opened,toy-1\n"
)


def told(place: Path, text: str, *more: str, code: int) -> tuple[dict[str, Any], str]:
    """What an import of such a file says, for programs and for people."""
    (place / "e.csv").write_text(text)
    command = ("import", "events", str(place / "e.csv"), *more)
    words = " ".join(typed(place, *command, code=code).split())
    return json.loads(typed(place, *command, "--json", code=code)), words


@DRY
@pytest.mark.parametrize("event", ["purchase", "view"])
def test_a_forgotten_item_column(place: Path, event: str, more: tuple[str, ...]) -> None:
    """Nothing could be used; importing it again does not make it better."""
    text = "user_id,timestamp,sku_name\nc1,2026-10-01,a\nc2,2026-10-02,b\n"
    found, words = told(place, text, "--event", event, *more, code=1)
    assert (found["status"], found["unusable"]) == ("failed", 2)
    assert "none of 2 rows" in words
    assert "--map item_id=COLUMN" in words
    assert words.endswith("2 events could not be used. Exit code 1.")


@DRY
def test_a_misspelt_event(place: Path, more: tuple[str, ...]) -> None:
    """All are refused."""
    text = "user_id,timestamp,item_id\nc1,2026-10-01,toy-1\nc2,2026-10-02,toy-1\n"
    found, words = told(place, text, "--event", "Order Complete", *more, code=1)
    assert (found["status"], found["refused"], found["unusable"]) == ("failed", 2, 2)
    assert "Did you mean 'Order Completed'?" in words
    assert words.endswith("2 events could not be used. Exit code 1.")


@DRY
def test_some_of_them(place: Path, more: tuple[str, ...]) -> None:
    """Not all could be used, and some could."""
    found, words = told(place, MIXED, *more, code=4)
    assert (found["status"], found["unusable"], found["refused"]) == ("partial", 2, 1)
    assert words.endswith("2 events could not be used. Exit code 4.")


def test_an_event_that_is_read_in_part(place: Path) -> None:
    """A list with a product that has no id."""
    row = {"user_id": "c1", "timestamp": "2026-10-01", "event": "purchase"}
    row["products"] = [{"product_id": "toy-1"}, {"name": "Toy"}]
    (place / "e.jsonl").write_text(json.dumps(row) + "\n")
    command = ("import", "events", str(place / "e.jsonl"))
    words = " ".join(typed(place, *command, code=4).split())
    assert words.endswith("1 event could be used in part alone. Exit code 4.")
    assert json.loads(typed(place, *command, "--json", code=4))["usableInPart"] == 1
