"""Storage fails in the middle: nobody waits for ever, nothing is promised, nothing goes on past it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from germane.app import committer as committer_module
from germane.app import open_engine, rebuild, save_snapshot
from germane.app.committer import Committer
from germane.app.delivery import Delivery
from germane.app.engine import Engine
from germane.app.steps import Steps
from germane.domain.decision import Ask
from germane.domain.errors import StorageDamaged, StorageFailed
from germane.domain.record import Txn
from germane.storage.memory import MemoryStore
from germane.storage.sqlite.trouble import StorageFull
from germane.testing import FakeWorld, a_shop, an_event


class Gone(MemoryStore):
    """A store whose disk takes nothing."""

    def sync(self) -> None:
        """Refuse."""
        raise StorageFailed("the disk is gone")


def test_what_comes_while_others_are_told_is_refused_too() -> None:
    """Between the refusal and the end of the thread, somebody submits, and somebody calls."""
    late: list[asyncio.Future[Any]] = []

    async def live() -> None:
        def failed(_: StorageFailed | None) -> None:
            if not late:
                late.extend([committer.submit(Txn(meta={"b": b""}), 2), committer.call(bool)])

        committer = Committer(Gone(), lambda *_: None, failed)
        committer.start()
        first = committer.submit(Txn(meta={"a": b""}), 1)
        with pytest.raises(StorageFailed):
            await first
        assert len(late) == 2
        for after in (*late, committer.submit(Txn(meta={"c": b""}), 3), committer.call(bool)):
            with pytest.raises(StorageFailed):
                await after
        with pytest.raises(StorageFailed):
            committer.submit_lazy(Txn(meta={"d": b""}), 4)
        await committer.close()

    asyncio.run(live())


def refusing(monkeypatch: pytest.MonkeyPatch, engine: Engine, name: str, times: int) -> None:
    """A method of the store fails, from a call on, some times."""
    real: Callable[..., Any] = getattr(engine.store, name)
    left = [times]

    def refuse(*args: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise StorageFailed("the page cannot be read")
        return real(*args)

    monkeypatch.setattr(engine.store, name, refuse)


@pytest.mark.parametrize(("what", "left"), [("all of them", (2, 0)), ("one of them", (1, 1))])
def test_what_cannot_be_read_is_no_fault_of_the_event(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, what: str, left: tuple[int, int]
) -> None:
    """The call is refused, no dead letter is made, and what was folded before it counts once."""
    engine.accept_now([an_event(user="bob", message_id="before")])
    engine._memory.forget()

    async def live() -> None:
        await engine.start()
        events = [an_event(user="new", message_id="1"), an_event(user="bob", message_id="2")]
        await engine.accept([an_event(user="new", message_id="0")])
        if what == "all of them":
            refusing(monkeypatch, engine, "profiles_among", 1)
        else:
            second_refused(monkeypatch)
        with pytest.raises(StorageFailed):
            await engine.accept(events)
        again = await engine.accept(events)
        assert (again.accepted, again.duplicates) == left
        await engine.stop()

    asyncio.run(live())
    assert engine.store.letters() == []
    events = [x.message_id for x in engine.store.read(0) if x.kind == "event"]
    assert events == ["before", "0", "1", "2"]
    assert rebuild(engine).equal


def second_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something that the second event alone asks the store for cannot be read, once."""
    real, calls = Steps.event, itertools.count()

    def refuse(*args: Any) -> Any:
        if next(calls) == 1:
            raise StorageFailed("the page cannot be read")
        return real(*args)

    monkeypatch.setattr(Steps, "event", refuse)


def test_nothing_is_kept_of_what_never_became_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model has learned from an event that the disk refused: no snapshot, and no decision past it."""
    engine = open_engine(a_shop(), tmp_path / "data", world=FakeWorld())

    async def live() -> None:
        await engine.start()
        await engine.accept([an_event(message_id="1")])
        monkeypatch.setattr(engine.store, "sync", Gone().sync)
        with pytest.raises(StorageFailed):
            await engine.accept([an_event(message_id="2")])
        with pytest.raises(StorageFailed):
            await engine.between(bool)  # it is told by now
        monkeypatch.undo()
        with pytest.raises(StorageFailed):
            engine.decide("u1", "", "", [Ask("home")])
        await engine.stop()

    asyncio.run(live())
    save_snapshot(engine, tmp_path / "data")
    assert engine.model.seq > engine.store.last_seq()
    assert not (tmp_path / "data" / "models").exists()
    engine.store.close()


def test_a_stop_makes_durable_what_waits_though_something_cannot_be_read(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A decision of just now is in the log after it."""

    async def live() -> None:
        await engine.start()
        engine.decide("u1", "", "", [Ask("home")])
        refusing(monkeypatch, engine, "meta", 1)
        await engine.stop()

    asyncio.run(live())
    assert "cannot be read" in caplog.text
    assert [x.kind for x in engine.store.read(0)][-1] == "decision"


def test_after_a_full_disk_what_is_sent_again_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was refused became durable when there was room, before anything new came: it is a duplicate then,
    and campaigns go on."""
    engine = open_engine(a_shop(), tmp_path / "data", world=FakeWorld())
    monkeypatch.setattr(committer_module, "RETRY_FULL_S", 0.01)
    full = True
    for name in ("stage", "commit"):
        real: Callable[..., Any] = getattr(engine.store, name)

        def refuse(*args: Any, real: Callable[..., Any] = real) -> Any:
            if full:
                raise StorageFull("full")
            return real(*args)

        monkeypatch.setattr(engine.store, name, refuse)

    async def live() -> None:
        nonlocal full
        await engine.start()
        with pytest.raises(StorageFull):
            await engine.accept([an_event(message_id="1")])
        with pytest.raises(StorageFull):  # still
            await engine.accept([an_event(message_id="1")])
        full = False
        async with asyncio.timeout(10):
            while not engine.health()["ready"]:  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.01)
        again = await engine.accept([an_event(message_id="1")])
        assert (again.accepted, again.duplicates) == (0, 1)
        await engine.durable()
        await engine.stop()

    asyncio.run(live())
    assert [x.message_id for x in engine.store.read(0)] == ["1"]


def test_damage_that_campaigns_meet_stops_the_rest(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever goes on with a backup would lose what is accepted after it. Decisions go on."""
    delivery = Delivery(engine, {}, lambda *_: None)  # type: ignore[arg-type]

    async def met() -> bool:
        raise StorageDamaged("germane.db is damaged")

    async def live() -> None:
        await engine.start()
        monkeypatch.setattr(delivery, "_look", met)
        async with asyncio.timeout(10):
            await delivery._make()
        assert engine.health() == {"ready": False, "reasons": ["germane.db is damaged"]}
        with pytest.raises(StorageDamaged):
            await engine.accept([an_event()])
        assert engine.decide("u1", "", "", [Ask("home")], record=False)
        await engine.stop()

    asyncio.run(live())
