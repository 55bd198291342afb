"""Events that are imported before their catalogue: what that costs is said before it is done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.test_rights import place, typed

__all__ = ["place"]
SAID = "The catalogue is empty, so no interests (category, brand, department) are learned"


@pytest.mark.parametrize("more", [(), ("--dry-run",)], ids=["in earnest", "dry"])
def test_it_is_said_before_the_mapping(place: Path, more: tuple[str, ...]) -> None:
    """And in the end, and for programs; not where there is a catalogue."""
    (place / "e.csv").write_text("user_id,timestamp,event,item_id\nc1,2026-10-01,view,tent-1\n")
    command = ("import", "events", str(place / "e.csv"), *more)
    words = " ".join(typed(place, *command).split())
    assert words.startswith(SAID)
    assert words.count(SAID) == 2
    names = ["category", "brand", "department"]
    assert json.loads(typed(place, *command, "--json"))["interestsNotLearned"] == names
    typed(place, "import", "catalogue", str(place / "catalogue.csv"))
    assert json.loads(typed(place, *command, "--json"))["interestsNotLearned"] == []
    assert SAID not in " ".join(typed(place, *command).split())


def test_single_items_that_it_does_not_have(place: Path) -> None:
    """The summary says the same of these."""
    typed(place, "import", "catalogue", str(place / "catalogue.csv"))
    (place / "e.csv").write_text("user_id,timestamp,event,item_id\nc1,2026-10-01,view,old-1\n")
    words = " ".join(typed(place, "import", "events", str(place / "e.csv")).split())
    assert "no interests are learned from these events, even if the catalogue comes later" in words
