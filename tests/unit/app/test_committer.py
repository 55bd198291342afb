"""How long what waits to be durable has waited."""

from __future__ import annotations

import asyncio
import threading

from germane.app.committer import Committer
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
