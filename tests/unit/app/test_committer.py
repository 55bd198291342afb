"""How long what waits to be durable has waited."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
import uvloop

from germane.app.committer import LAZY_DELAY_S, Committer
from germane.domain.record import Txn
from germane.storage.memory import MemoryStore


class StuckStore(MemoryStore):
    """Its disk does not answer until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def sync(self) -> None:
        self.go.wait()
        super().sync()


def test_the_oldest_is_the_one_on_its_way_to_the_disk() -> None:
    async def work() -> None:
        store = StuckStore()
        committer = Committer(store, lambda *_: None, lambda _: None)
        committer.start()
        loop = asyncio.get_running_loop()
        assert committer.oldest_s() == 0.0
        first = committer.submit(Txn(meta={"a": b"1"}), 1)
        handed = loop.time()
        await asyncio.sleep(0.02)
        second = committer.submit(Txn(meta={"a": b"2"}), 2)
        between = loop.time()
        assert committer.oldest_s() >= between - handed > 0.0
        store.go.set()
        await asyncio.gather(first, second)
        assert committer.oldest_s() == 0.0
        await committer.close()

    asyncio.run(work())


class CountingStore(MemoryStore):
    """Knows how often it made something durable."""

    def __init__(self) -> None:
        super().__init__()
        self.synced = 0

    def sync(self) -> None:
        self.synced += 1
        super().sync()


def test_what_nobody_waits_for_finds_company_also_while_there_is_much_to_commit() -> None:
    async def work() -> tuple[int, int]:
        store = CountingStore()
        committer = Committer(store, lambda *_: None, lambda _: None)
        committer.start()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for ticket in range(1, 101):
            committer.submit_lazy(Txn(meta={"a": b"%d" % ticket}), ticket)
            await asyncio.sleep(0.001)
        spent = loop.time() - begun
        await committer.close()
        assert store.meta("a") == b"100"
        return store.synced, int(spent / LAZY_DELAY_S)

    commits, turns = asyncio.run(work())
    assert 1 <= commits <= turns + 2  # the last is that of the end


def test_whoever_waits_does_not_wait_for_company() -> None:
    async def work() -> None:
        store = StuckStore()
        committer = Committer(store, lambda *_: None, lambda _: None)
        committer.start()
        first = committer.submit(Txn(meta={"a": b"1"}), 1)
        await asyncio.sleep(0.005)  # it is on its way to the disk
        committer.submit_lazy(Txn(meta={"a": b"2"}), 2)
        second = committer.submit(Txn(meta={"a": b"3"}), 3)
        assert committer._timer is None
        store.go.set()
        await first
        assert committer._busy or second.done()  # begun in the turn in which the first was done
        await second
        assert store.meta("a") == b"3"
        await committer.close()

    asyncio.run(work())


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_whoever_comes_later_does_not_put_it_off(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """Not even one in each turn of the event loop."""

    async def work() -> None:
        store = StuckStore()
        committer = Committer(store, lambda *_: None, lambda _: None)
        committer.start()
        steps = []
        for ticket in range(1, 21):
            steps.append(committer.submit(Txn(meta={"a": b"%d" % ticket}), ticket))
            await asyncio.sleep(0)
        assert committer._busy
        assert committer._under_way[0].ticket == 1
        store.go.set()
        await asyncio.gather(*steps)
        await committer.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(work())


def test_what_nobody_waits_for_is_durable_soon() -> None:
    async def work() -> None:
        store, settled = CountingStore(), asyncio.Event()
        committer = Committer(
            store, lambda _, ticket: settled.set() if ticket == 2 else None, lambda _: None
        )
        committer.start()
        await committer.submit(Txn(meta={"a": b"1"}), 1)
        committer.submit_lazy(Txn(meta={"a": b"2"}), 2)
        await asyncio.wait_for(settled.wait(), 5.0)  # by itself: nothing else is submitted
        assert store.meta("a") == b"2"
        assert store.synced == 2
        await committer.close()

    asyncio.run(work())
