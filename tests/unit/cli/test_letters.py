"""`dead-letters` as they are typed, when there are many."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.cli import letters
from germane.config import load
from germane.domain.event import Rejection
from germane.domain.record import Txn
from germane.storage.sqlite import SqliteStore
from tests.unit.cli.test_rights import place, typed

__all__ = ["place"]
WRONG = 7
RIGHT = 5


@pytest.fixture
def many(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with dead letters of two kinds, and groups of three."""
    monkeypatch.setattr(letters, "GROUP", 3)
    engine = open_engine(load(place / "germane.toml", {}).settings, place / "data")
    bad = [{"type": "track", "userId": "bob", "messageId": f"bad{n}"} for n in range(WRONG)]
    good = [
        {"type": "track", "event": "Product Viewed", "userId": "bob", "messageId": f"late{n}"}
        | {"properties": {"product_id": "toy-1"}}
        for n in range(RIGHT)
    ]
    kept = [
        Rejection("event.invalid", "Wrong.", json.dumps(each).encode()) for each in [*bad, *good]
    ]
    engine.accept_now([], kept)
    engine.store.close()
    return place


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[Txn]:
    """What is committed."""
    found, commit = list[Txn](), SqliteStore.commit

    def noted(self: SqliteStore, txn: Txn) -> None:
        found.append(txn)
        commit(self, txn)

    monkeypatch.setattr(SqliteStore, "commit", noted)
    return found


def test_the_same_reason_is_told_once(many: Path) -> None:
    """With how many have it, and some of them by number."""
    told = typed(many, "dead-letters", "replay", "--yes", code=1)
    assert f"Replayed {RIGHT} of {WRONG + RIGHT}." in told
    (line,) = [each for each in told.splitlines() if each.startswith("  ")]
    assert line.startswith("  1, 2, 3, 4, 5 and 2 more: ")
    failed = json.loads(typed(many, "dead-letters", "replay", "--yes", "--json", code=1))["failed"]
    assert sorted(map(int, failed)) == [*range(1, WRONG + 1)]


def test_a_group_is_one_commit(many: Path, commits: list[Txn]) -> None:
    typed(many, "dead-letters", "replay", "--yes", code=1)
    settled = [len(each.replayed_letters) for each in commits if each.replayed_letters]
    assert settled == [2, 3]  # 8 and 9, then 10 to 12
    typed(many, "dead-letters", "dismiss", "--all", "--yes")
    dismissed = [len(each.dismissed_letters) for each in commits if each.dismissed_letters]
    assert dismissed == [3, 3, 1]


def test_the_same_number_twice(engine: Engine) -> None:
    """Is tried once."""
    said = {"type": "track", "event": "Product Viewed", "properties": {"product_id": "i1"}}
    body = json.dumps(said | {"userId": "u9", "messageId": "late"}).encode()
    engine.accept_now([], [Rejection("event.too_large", "Too large.", body)])
    assert engine.settle_letters("replay", [1, 1, 9]) == {1: "", 9: "there is no such dead letter"}
    assert engine.store.pending_letters() == 0
