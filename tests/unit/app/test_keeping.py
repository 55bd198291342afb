"""Housekeeping goes on after a failure, and drops what is too old."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from germane.app import keeping, strangers
from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.app.rebuild import rebuild
from germane.domain.errors import StorageFailed
from germane.domain.event import Event
from germane.storage.memory import MemoryStore
from germane.testing import FakeWorld, a_shop, an_event
from germane.testing.world import START_MS


class Enough(BaseException):
    """Ends the loop."""


@pytest.mark.parametrize(
    "error", [StorageFailed("the disk is full"), ValueError("the disk is full")], ids=repr
)
def test_a_failure_does_not_end_it(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told, whatever it was, and everything is tried again the next time."""
    monkeypatch.setattr(keeping, "EVERY_S", 0.0)
    kept = keeping.Keeping(a_shop(), MemoryStore(), "main", FakeWorld)
    done: list[str] = []

    async def call(work: Callable[[], Any]) -> Any:
        done.append(work.__name__)
        if len(done) == 1:
            raise error
        if len(done) == 3:
            raise Enough
        return work()

    with pytest.raises(Enough):
        asyncio.run(kept.run(call))
    assert done == ["seal", "seal", "forget"]
    assert "the disk is full" in caplog.text


def test_all_that_is_old_is_sealed(
    tmp_path: Path, world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part at a time, in one round: however much there is, what is kept for a month only leaves in time."""
    monkeypatch.setattr(keeping, "SEAL_RECORDS", 5)
    monkeypatch.setattr(keeping, "PAUSE_S", 0.0)
    monkeypatch.setattr(keeping, "EVERY_S", 0.0)
    engine = open_engine(a_shop(), tmp_path, world=world)
    engine.accept_now([an_event(message_id=f"m{n}") for n in range(23)])
    world.advance(days=150)
    done: list[str] = []

    async def call(work: Callable[[], Any]) -> Any:
        done.append(work.__name__)
        if work.__name__ == "forget":
            raise Enough
        return work()

    with pytest.raises(Enough):
        asyncio.run(engine._keeping.run(call))
    assert done == [*["seal"] * 5, "forget"]
    assert sum(each.rows for each in engine.store.pieces()) == 23
    engine.store.close()


def test_what_is_too_old_leaves_the_profiles_of_people_who_never_come_back(
    engine: Engine, world: FakeWorld
) -> None:
    """By housekeeping alone; somebody who comes back later finds the same."""
    told = Event("told", "identify", START_MS, user_id="u1", traits={"likes": "c1"})
    engine.accept_now([told, an_event(item="i1"), an_event(user="u2", item="i2")])
    world.advance(days=25 * 31)
    now_ms = world.now_ms()
    strangers.drop_all(engine.store, engine.tenant, engine.settings, now_ms)
    kept = {each.person: each for each in engine.store.profiles(engine.tenant)}
    assert kept["u:u1"].traits == {}
    assert kept["u:u1"].own_items == kept["u:u2"].own_items == {}
    assert kept["u:u1"].interests == {"brand": {}, "category": {}}
    assert kept["u:u1"].evidence == 0.0
    world.advance(days=40)
    engine.accept_now([an_event(item="i3", at_ms=world.now_ms())])
    assert set(engine.profile_of("u:u1").own_items) == {"i3"}
    assert rebuild(engine).equal
