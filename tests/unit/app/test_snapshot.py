"""A snapshot made beside a running engine is as good as one that the engine makes itself."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Literal

import pytest
from msgspec.structs import replace

from germane.app import Engine, advance_snapshot, open_engine, opening, save_snapshot
from germane.app.opening import load_snapshot
from germane.app.rebuild import rebuild
from germane.cli.project import data_findings
from germane.domain.settings import Settings
from germane.predict.model import SharedModel
from germane.storage.blobs import FolderBlobs
from germane.testing import FakeWorld, an_event, an_item


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


def test_what_an_operator_changes_is_no_alarm(
    tmp_path: Path, shop: Settings, world: FakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """The first start of a project whose configuration was edited says nothing; of a long log, what is so."""
    caplog.set_level(logging.INFO)
    _kept(tmp_path, shop, world)
    other = replace(shop, timezone="Europe/Berlin")
    open_engine(other, tmp_path, world=world).store.close()
    assert caplog.messages == []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "SHORT_TAIL", 0)
        open_engine(other, tmp_path, world=world).store.close()
    (said,) = caplog.records
    assert said.levelname == "INFO"
    assert "the configuration has changed since the snapshot was made" in said.message
    assert "until `germane rebuild` reads them with the new configuration" in said.message
    assert "another version" not in said.message


def test_what_was_read_by_other_signals_is_told(
    tmp_path: Path, shop: Settings, world: FakeWorld
) -> None:
    """By the check, before and after the next start, until a rebuild; nothing before the first event."""

    def told(settings: Settings, mode: Literal["read", "write"] = "read") -> int:
        engine = open_engine(settings, tmp_path, mode=mode, world=world)
        found = [each.remedy for each in data_findings(engine, tmp_path)]
        engine.store.close()
        return sum("germane rebuild" in each for each in found)

    view = shop.signals["view"]
    other = replace(shop, signals={**shop.signals, "view": replace(view, weight=3.0)})
    words = replace(shop, signals={**shop.signals, "view": replace(view, speakable=False)})
    assert [told(shop, "write"), told(other), told(other, "write"), told(shop, "write")] == [0] * 4
    _kept(tmp_path, shop, world)
    assert (told(shop), told(words, "write"), told(other)) == (0, 0, 1)
    assert (told(other, "write"), told(other)) == (1, 1)
    engine = open_engine(other, tmp_path, mode="write", world=world)
    rebuild(engine)
    engine.store.close()
    assert told(other) == 0


def test_a_snapshot_of_another_log_is_a_warning(
    tmp_path: Path, shop: Settings, world: FakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """However short the log is: it has seen what the log has not."""
    _kept(tmp_path / "one", shop, world)
    open_engine(shop, tmp_path / "two", world=world).store.close()
    shutil.copytree(tmp_path / "one" / "models", tmp_path / "two" / "models")
    engine = open_engine(shop, tmp_path / "two", world=world)
    assert engine.model.seq == engine.seq == 0
    engine.store.close()
    (said,) = caplog.records
    assert said.levelname == "WARNING"
    assert "and the log has 0: is it the log of this folder?" in said.message


def test_what_never_became_durable_is_in_no_snapshot(
    tmp_path: Path, shop: Settings, world: FakeWorld
) -> None:
    """As when somebody stops a server before its last commits: later records would get the same offsets."""
    engine = open_engine(shop, tmp_path, world=world)
    _shop(engine, world, 3)
    engine.fold_item(an_item(1))  # and nobody commits it
    save_snapshot(engine, tmp_path)
    blobs = FolderBlobs(tmp_path / "models")
    assert blobs.newest("shared") is None
    opening.write_snapshot(engine.model, blobs, shop)
    engine.store.close()
    engine = open_engine(shop, tmp_path, world=world)
    assert blobs.newest("shared") is None
    _shop(engine, world, 3)
    live = engine.model.digest()
    engine.store.close()
    again = open_engine(shop, tmp_path, world=world)
    assert again.model.digest() == live
    again.store.close()


def test_a_snapshot_of_another_version_says_so(
    tmp_path: Path,
    shop: Settings,
    world: FakeWorld,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.INFO)
    _kept(tmp_path, shop, world)
    monkeypatch.setattr(opening, "SHORT_TAIL", 0)
    monkeypatch.setattr(SharedModel, "version", "later")
    open_engine(shop, tmp_path, world=world).store.close()
    assert "made by another version of Germane" in caplog.text


def _kept(folder: Path, settings: Settings, world: FakeWorld) -> None:
    """A data folder with a few records and a snapshot."""
    engine = open_engine(settings, folder, world=world)
    _shop(engine, world, 3)
    save_snapshot(engine, folder)
    engine.store.close()
