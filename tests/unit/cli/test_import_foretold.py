"""A dry run of events and people says what the import would say: it is the same import, and nothing is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from germane.cli.program import app
from germane.storage.sqlite import SqliteStore
from tests.unit.cli.test_rights import RUN, place, typed

__all__ = ["place"]
NOW_S = 1_790_000_000


def row(user: str, event: str, **more: Any) -> dict[str, Any]:
    """Of a file."""
    return {"user_id": user, "timestamp": NOW_S, "event": event, **more}


def imported(place: Path, *words: str, code: int = 0) -> dict[str, Any]:
    """What an import says, but for how long it took."""
    found = json.loads(typed(place, "import", *words, "--json", code=code))
    return {**found, "seconds": 0, "rowsPerSecond": 0}


def written(place: Path, name: str, *rows: dict[str, Any]) -> str:
    """A file."""
    path = place / name
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return str(path)


def state_of(place: Path) -> tuple[int, str, int]:
    """Of the data folder."""
    store = SqliteStore.open(place / "data", mode="read")
    try:
        return store.last_seq(), store.state_hash(), len(store.letters())
    finally:
        store.close()


def foretold(place: Path, *words: str, code: int = 0) -> dict[str, Any]:
    """What both say, the dry run before and after, and that it changes nothing."""
    before = state_of(place)
    dry = imported(place, *words, "--dry-run", code=code)
    assert state_of(place) == before
    real = imported(place, *words, code=code)
    assert dry == real
    after = state_of(place)
    again = imported(place, *words, "--dry-run", code=code)
    assert (again["accepted"], state_of(place)) == (0, after)
    return real


ODD = row("ann", "view", item_id="a", n=10**30)  # cannot go into the log
NO_ITEM = row("ann", "view")


def test_dead_letters(place: Path) -> None:
    """Of whole events and of parts, of several files; each whole one once."""
    first = written(place, "a.jsonl", NO_ITEM, ODD, row("bob", "view", item_id="a"))
    second = written(place, "b.jsonl", ODD, row("eve", "view"))
    found = foretold(place, "events", first, second, code=4)
    assert (found["deadLetters"], found["deadLettersKnown"], found["accepted"]) == (3, 1, 3)
    assert found["deadLetterExamples"][0] == (
        "signal 'view': no item id at 'properties.product_id'"
    )
    third = written(place, "c.jsonl", row("zoe", "view"))
    told = typed(place, "import", "events", third, "--dry-run", code=1)
    assert "1 dead letter would be made of what cannot be used, such as:" in told
    assert "  signal 'view': no item id at 'properties.product_id'" in told


def test_what_an_event_means_depends_on_those_before(place: Path) -> None:
    """A refund is of an order in the log, in the same file, or in the one before; or of none of them."""
    old, first, second = (
        row("ann", "purchase", order_id=each, item_id="a", qty=1) for each in ("A0", "A1", "A2")
    )
    refunds = [row("ann", "refund", order_id=f"A{n}", timestamp=NOW_S + 9) for n in range(4)]
    assert imported(place, "events", written(place, "o.jsonl", old))["accepted"] == 1
    files = written(place, "a.jsonl", first), written(place, "b.jsonl", second, *refunds)
    found = foretold(place, "events", *files, code=4)
    assert (found["accepted"], found["deadLetters"]) == (5, 1)
    assert found["deadLetterExamples"][0].startswith("It takes back an order that is not known")


@pytest.mark.parametrize("kind", ["events", "people"])
def test_consent(place: Path, kind: str) -> None:
    """Of whom nothing may be kept is told: it said 0, and that all of it would be new."""
    config = place / "germane.toml"
    config.write_text(config.read_text() + '\n[privacy]\njurisdiction = "gdpr"\n')
    typed(place, "consent", "bob", "personalisation", "grant")
    more = {"event": "view", "item_id": "a"} if kind == "events" else {}
    rows = [{"user_id": each, "timestamp": NOW_S, **more} for each in ("ann", "bob", "eve", "zoe")]
    found = foretold(place, kind, written(place, "a.jsonl", *rows[:3]))
    assert (found["accepted"], found["notKept"]) == (1, 2)
    told = typed(place, "import", kind, written(place, "b.jsonl", rows[3]), "--dry-run")
    assert "Would import 1 row" in told
    assert "0 new events, 1 not kept, 0 known already" in told
    assert "1 event would not be kept: their people have opted out" in told


def test_a_no_in_the_file_counts_for_what_follows(place: Path) -> None:
    """As it does in the import."""
    file = written(
        place,
        "a.jsonl",
        row("ann", "view", item_id="a"),
        row("ann", "Unsubscribed"),
        row("ann", "nobody knows"),
        row("ann", "view", item_id="b"),
    )
    found = foretold(place, "events", file, code=4)
    assert (found["refused"], found["undeclared"]) == (1, {"track nobody knows": 1})


def test_without_a_data_folder(place: Path, tmp_path: Path) -> None:
    """None is made by the dry run, and what the import says is the same."""
    twice = [row("ann", "view", item_id="a", message_id="m")] * 2
    file = written(place, "a.jsonl", NO_ITEM, ODD, *twice)
    where = ["--config", str(place / "germane.toml"), "--data", str(tmp_path / "none"), "--json"]
    dry, real = (
        json.loads(RUN.invoke(app, ["import", "events", file, *more, *where]).stdout)
        for more in (["--dry-run"], [])
    )
    assert {**dry, "seconds": 0, "rowsPerSecond": 0} == {**real, "seconds": 0, "rowsPerSecond": 0}
    assert (real["accepted"], real["duplicates"], real["deadLetters"]) == (2, 1, 2)
    RUN.invoke(
        app, ["import", "events", file, "--dry-run", *where[:2], "--data", str(tmp_path / "no")]
    )
    assert not (tmp_path / "no").exists()
