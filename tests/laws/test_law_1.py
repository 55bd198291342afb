"""Law 1: acknowledged is durable, wherever the disk gives up."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.app.rebuild import rebuild
from germane.domain.decision import Ask
from germane.domain.errors import StorageFailed
from germane.storage.sqlite import SqliteStore
from germane.testing import FakeWorld, a_shop, an_event, an_item

ROUNDS = st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=4), min_size=1, max_size=6)
"""Rounds of callers that send at the same time, each so many events."""


class Failing:
    """A connection whose disk gives up at one of its statements, before or after it was done."""

    def __init__(self, real: Any, at: int, *, after: bool) -> None:
        self._real, self._left, self._after = real, at, after
        self.failed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def execute(self, *arguments: Any) -> Any:
        """One statement."""
        return self._done(self._real.execute, arguments)

    def executemany(self, *arguments: Any) -> Any:
        """One statement for many rows."""
        return self._done(self._real.executemany, arguments)

    def _done(self, call: Any, arguments: tuple[Any, ...]) -> Any:
        self._left -= 1
        if self._left == 0 and not self._after:
            self._give_up()
        found = call(*arguments)
        if self._left == 0:
            self._give_up()
        return found

    def _give_up(self) -> None:
        self.failed = True
        error = apsw.IOError("disk I/O error")
        error.extendedresult = apsw.SQLITE_IOERR
        raise error


async def send(engine: Engine, rounds: list[list[int]]) -> set[str]:
    """Ids of what was acknowledged. After each round somebody asks for a decision."""
    acknowledged: set[str] = set()

    async def caller(name: str, count: int) -> None:
        ids = [f"{name}-{n}" for n in range(count)]
        try:
            await engine.accept([an_event(user=name, message_id=each) for each in ids])
        except StorageFailed:
            return
        acknowledged.update(ids)

    await engine.start()
    for number, callers in enumerate(rounds):
        await asyncio.gather(*(caller(f"r{number}c{n}", many) for n, many in enumerate(callers)))
        with suppress(StorageFailed):
            engine.decide(f"r{number}c0", "", "", [Ask("home")])
    await engine.stop()
    return acknowledged


@given(ROUNDS, st.integers(1, 60), st.booleans())
def test_law_1_whatever_was_acknowledged_is_in_the_log(
    tmp_path_factory: pytest.TempPathFactory,
    rounds: list[list[int]],
    at: int,
    after: bool,
) -> None:
    """The disk gives up at any statement of any commit. Opened again, the log has all that was
    acknowledged, once, and the state is what a rebuild finds."""
    folder, world = tmp_path_factory.mktemp("law1") / "data", FakeWorld()
    engine = open_engine(a_shop(), folder, world=world)
    with engine.importer() as importer:
        importer.add_items([an_item(n) for n in range(8)])
    store = engine.store
    assert isinstance(store, SqliteStore)
    store._writer = disk = Failing(store._writer, at, after=after)  # type: ignore[assignment]
    acknowledged = asyncio.run(send(engine, rounds))
    store._writer = disk._real
    store.close()
    if not disk.failed:
        assert len(acknowledged) == sum(map(sum, rounds))
    again = open_engine(a_shop(), folder, world=world)
    try:
        logged = [each.message_id for each in again.store.read(0) if each.kind == "event"]
        assert acknowledged <= set(logged)
        assert len(logged) == len(set(logged))
        assert rebuild(again).equal
    finally:
        again.store.close()
