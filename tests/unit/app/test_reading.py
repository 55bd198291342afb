"""Long reads of the log end when the engine stops."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from germane.app import erasing
from germane.app.engine import Engine
from germane.app.reading import beside
from germane.app.trail import Trail
from germane.domain.errors import Overloaded
from germane.domain.record import Record
from germane.testing import an_event


def test_a_log_can_be_read_as_long_as_the_engine_serves(engine: Engine) -> None:
    """What is begun after that is read as ever."""
    reading = beside(engine).read(0)
    next(reading)
    assert beside(engine).last_seq() == engine.seq

    async def served() -> None:
        await engine.start()
        next(reading)
        await engine.stop()

    asyncio.run(served())
    with pytest.raises(Overloaded):
        next(reading)
    assert [*beside(engine).read(0)] == [*engine.store.read(0)]


@pytest.mark.parametrize(
    "asked",
    [lambda engine: erasing.erase(engine, "u1"), lambda engine: Trail(engine).targets("u1")],
    ids=["an erasure", "the audit log"],
)
def test_whoever_reads_a_long_log_does_not_hold_up_a_stop(
    engine: Engine, asked: Callable[[Engine], Awaitable[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was changed by then."""
    engine.accept_now([an_event(item="i1")])
    before, read = [*engine.store.read(0)], type(engine.store).read

    def endless(*_: Any, **__: Any) -> Iterator[Record]:
        ends = time.monotonic() + 30
        while time.monotonic() < ends:
            yield before[0]

    async def served() -> None:
        await engine.start()
        monkeypatch.setattr(type(engine.store), "read", endless)
        reading = asyncio.ensure_future(asked(engine))
        await asyncio.sleep(0.1)
        assert not reading.done()
        await engine.stop()
        with pytest.raises(Overloaded):
            await asyncio.wait_for(reading, 10)

    asyncio.run(served())
    monkeypatch.setattr(type(engine.store), "read", read)
    assert [*engine.store.read(0)] == before
