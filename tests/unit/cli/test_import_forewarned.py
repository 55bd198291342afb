"""Events that are imported before their catalogue: what that costs is said before it is done, and most of it is
mended when the catalogue comes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.test_rights import place, typed

__all__ = ["place"]
SAID = "The catalogue is empty, so what these events tell of interests (category, brand, department) waits"


@pytest.mark.parametrize("more", [(), ("--dry-run",)], ids=["in earnest", "dry"])
def test_it_is_said_before_the_mapping(place: Path, more: tuple[str, ...]) -> None:
    """And in the end, and for programs; not where there is a catalogue."""
    (place / "e.csv").write_text("user_id,timestamp,event,item_id\nc1,2026-10-01,view,tent-1\n")
    command = ("import", "events", str(place / "e.csv"), *more)
    words = " ".join(typed(place, *command).split())
    assert words.startswith(SAID)
    assert words.count(SAID) == 2
    names = ["category", "brand", "department"]
    assert json.loads(typed(place, *command, "--json"))["interestsWaiting"] == names
    typed(place, "import", "catalogue", str(place / "catalogue.csv"))
    assert json.loads(typed(place, *command, "--json"))["interestsWaiting"] == []
    assert SAID not in " ".join(typed(place, *command).split())


def test_single_items_that_it_does_not_have(place: Path) -> None:
    """The summary says the same of these."""
    typed(place, "import", "catalogue", str(place / "catalogue.csv"))
    (place / "e.csv").write_text("user_id,timestamp,event,item_id\nc1,2026-10-01,view,old-1\n")
    words = " ".join(typed(place, "import", "events", str(place / "e.csv")).split())
    assert "what these events tell of interests waits, until it has them" in words
    shown = typed(place, "person", "c1")
    assert "What they did with 1 item tells of interests when the catalogue has them." in shown


def test_the_catalogue_mends_it(place: Path) -> None:
    """Interests, as if it had come first."""
    (place / "e.csv").write_text("user_id,timestamp,event,item_id\nc1,2026-10-01,view,tent-1\n")
    typed(place, "import", "events", str(place / "e.csv"))
    person = json.loads(typed(place, "person", "c1", "--json"))
    assert person["interests"] == {}
    (waits,) = person["notInCatalogue"]
    assert (waits["itemId"], waits["from"]["months"]) == ("tent-1", {"2026-10": {"view": 1}})
    typed(place, "import", "catalogue", str(place / "catalogue.csv"))
    person = json.loads(typed(place, "person", "c1", "--json"))
    known = {name: [x["value"] for x in each] for name, each in person["interests"].items()}
    assert known == {"brand": ["Northway"], "category": ["Tents"], "department": ["Outdoor"]}
    assert person["notInCatalogue"] == []
