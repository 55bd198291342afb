"""A server that goes on while what is shared is learned anew from a log that has lost records."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from germane.app import erasing
from germane.app.engine import Engine
from germane.app.opening import advance_snapshot, catch_up, open_engine, save_snapshot
from germane.app.relearning import relearn, snapshot_of
from germane.domain.decision import Ask
from germane.domain.settings import Settings
from germane.predict.model import SharedModel
from germane.testing import FakeWorld, an_event, an_item


@pytest.fixture
def engine(tmp_path: Path, shop: Settings, world: FakeWorld) -> Iterator[Engine]:
    """On a folder of its own, with nothing in it."""
    made = open_engine(shop, tmp_path / "data", world=world)
    yield made
    made.store.close()


async def lived(engine: Engine, count: int = 30) -> None:
    """So many events of five people."""
    for n in range(count):
        await engine.accept([an_event(user=f"u{n % 5}", item=f"i{n % 20}")])
        engine.decide(f"u{n % 5}", "", "", [Ask("home")])


def of_the_log(engine: Engine) -> str:
    """Digest of what the log alone teaches."""
    fresh = SharedModel(engine.settings)
    catch_up(fresh, engine.store)
    return fresh.digest()


def test_it_is_what_the_log_that_is_left_teaches(engine: Engine, shop: Settings) -> None:
    """With all that came while the snapshot was made, and while it was taken over."""

    async def run() -> None:
        await engine.start()
        await engine.put_items([an_item(n) for n in range(20)])
        await lived(engine)
        before = engine.model.digest()
        await erasing.erase(engine, "u1")
        assert (engine.stale, engine.model.digest()) == (True, before)
        await lived(engine, 7)
        assert engine.folder is not None
        await asyncio.to_thread(advance_snapshot, shop, engine.folder)
        await lived(engine, 9)
        snapshot = snapshot_of(engine)
        assert snapshot is not None
        taking = asyncio.create_task(relearn(engine, snapshot, engine.forgotten))
        await engine.put_items([an_item(99)])
        await lived(engine, 40)
        assert await taking
        assert not engine.stale
        await lived(engine, 5)
        await engine.stop()

    asyncio.run(run())
    assert engine.model.digest() == of_the_log(engine)
    assert "i99" in engine.model.state.index  # type: ignore[attr-defined]


def test_an_older_snapshot_is_not_taken(engine: Engine, shop: Settings) -> None:
    """It has seen whom the log has no more."""

    async def run() -> None:
        await engine.start()
        await lived(engine)
        assert engine.folder is not None
        save_snapshot(engine, engine.folder)
        assert snapshot_of(engine) is not None
        old = snapshot_of(engine)
        forgotten = engine.forgotten
        await erasing.erase(engine, "u1")
        assert snapshot_of(engine) is None
        assert old is not None
        before = engine.model.digest()
        assert not await relearn(engine, old, forgotten)
        assert (engine.stale, engine.model.digest()) == (True, before)
        await engine.accept([an_event(user="u2")])
        await engine.stop()
        assert engine.model.digest() != before

    asyncio.run(run())


def test_a_damaged_snapshot(engine: Engine) -> None:
    """It is an error, and the live model goes on learning."""

    async def run() -> None:
        await engine.start()
        await lived(engine)
        with pytest.raises(ValueError, match="damaged"):
            await relearn(engine, b"no dump", engine.forgotten)
        await lived(engine, 3)
        await engine.stop()

    asyncio.run(run())
    assert engine.model.digest() == of_the_log(engine)
