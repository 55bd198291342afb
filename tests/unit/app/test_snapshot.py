"""A snapshot made beside a running engine is as good as one that the engine makes itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from germane.app import Engine, advance_snapshot, open_engine, opening
from germane.app.opening import load_snapshot
from germane.domain.settings import Settings
from germane.predict.model import SharedModel
from germane.storage.blobs import FolderBlobs
from germane.testing import FakeWorld, an_event


def test_snapshot_beside_a_writer(tmp_path: Path, shop: Settings, world: FakeWorld) -> None:
    """It stands for the log up to where it was read; the next start folds the rest and is equal."""
    folder = tmp_path / "data"
    engine = open_engine(shop, folder, world=world)
    _shop(engine, world, 40)
    assert advance_snapshot(shop, folder) == engine.seq
    made = SharedModel(shop)
    assert load_snapshot(made, FolderBlobs(folder / "models"), shop, engine.seq)
    assert (made.digest(), made.seq) == (engine.model.digest(), engine.model.seq)
    _shop(engine, world, 10)
    live = engine.model.digest()
    assert made.digest() != live
    engine.store.close()
    again = open_engine(shop, folder, world=world)
    assert again.model.digest() == live
    again.store.close()


def test_nothing_new_writes_nothing(tmp_path: Path, shop: Settings, world: FakeWorld) -> None:
    """A second one right after the first has nothing to fold."""
    engine = open_engine(shop, tmp_path, world=world)
    _shop(engine, world, 3)
    advance_snapshot(shop, tmp_path)
    before = sorted(each.name for each in (tmp_path / "models" / "shared").iterdir())
    assert advance_snapshot(shop, tmp_path) == 0
    assert sorted(each.name for each in (tmp_path / "models" / "shared").iterdir()) == before
    engine.store.close()


def test_a_long_tail_is_folded_once(
    tmp_path: Path, shop: Settings, world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is killed before a snapshot is made, again and again, does not start slower each time."""
    monkeypatch.setattr(opening, "SHORT_TAIL", 20)
    engine = open_engine(shop, tmp_path, world=world)
    _shop(engine, world, 30)
    live, seq = engine.model.digest(), engine.seq
    engine.store.close()
    assert FolderBlobs(tmp_path / "models").newest("shared") is None
    again = open_engine(shop, tmp_path, world=world)
    made = SharedModel(shop)
    assert load_snapshot(made, FolderBlobs(tmp_path / "models"), shop, seq)
    assert (made.digest(), again.model.digest(), made.seq) == (live, live, seq)
    again.store.close()


def test_a_large_snapshot_waits_for_a_long_tail(
    tmp_path: Path, shop: Settings, world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writing it takes longer than folding a few records did: it is written when they are many."""
    monkeypatch.setattr(opening, "SHORT_TAIL", 5)
    monkeypatch.setattr(opening, "BYTES_A_RECORD", 1)
    blobs = FolderBlobs(tmp_path / "models")
    engine = open_engine(shop, tmp_path, world=world)
    _shop(engine, world, 10)
    engine.store.close()
    open_engine(shop, tmp_path, world=world).store.close()  # there was none: it is written at once
    first = blobs.versions("shared")
    engine = open_engine(shop, tmp_path, world=world)
    _shop(engine, world, 10)
    engine.store.close()
    open_engine(shop, tmp_path, world=world).store.close()
    assert blobs.versions("shared") == first
    monkeypatch.setattr(opening, "LONG_TAIL", 10)
    open_engine(shop, tmp_path, world=world).store.close()
    assert len(blobs.versions("shared")) == 2


def _shop(engine: Engine, world: FakeWorld, count: int) -> None:
    for number in range(count):
        world.advance(seconds=60)
        engine.accept_now(
            [an_event(user=f"u{number % 5}", item=f"i{number % 7}", at_ms=world.now_ms())]
        )
