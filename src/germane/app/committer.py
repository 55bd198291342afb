"""Group commit: one writer thread makes everything that waits durable in one transaction."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from germane.domain.errors import StorageFailed
from germane.domain.ports import Store
from germane.domain.record import Txn

LAZY_DELAY_S = 0.02
"""How long a decision's record may wait for company before it is committed on its own."""
RETRY_FULL_S = 1.0
GROUP_RECORDS = 4_000


@dataclass(slots=True)
class _Entry:
    ticket: int
    txn: Txn
    done: asyncio.Future[None] | None


class Committer:
    """Takes steps in order from the event loop's thread and commits them in groups, in that order.

    ``settle(txn, ticket)`` is called in the loop's thread when a group is durable, before anyone
    who waits for it goes on. ``failed(error)`` is called there when storage refuses.
    """

    def __init__(
        self,
        store: Store,
        settle: Callable[[Txn, int], None],
        failed: Callable[[StorageFailed | None], None],
    ) -> None:
        self._store = store
        self._settle = settle
        self._failed = failed
        self._queue: queue.SimpleQueue[list[_Entry] | Callable[[], None] | None] = (
            queue.SimpleQueue()
        )
        self._waiting: list[_Entry] = []
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="germane-writer", daemon=True)
        self._closing = threading.Event()

    def start(self) -> None:
        """Begin; call it in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether there is a writer thread to hand steps to."""
        return self._loop is not None and self._thread.is_alive()

    def submit(self, txn: Txn, ticket: int) -> asyncio.Future[None]:
        """Commit as soon as possible. The future is done when it is durable, or fails."""
        assert self._loop is not None
        done: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(_Entry(ticket, txn, done))
        self._flush()
        return done

    def submit_lazy(self, txn: Txn, ticket: int) -> None:
        """Commit with the next group, or after ``LAZY_DELAY_S`` at the latest."""
        assert self._loop is not None
        self._waiting.append(_Entry(ticket, txn, None))
        if self._timer is None:
            self._timer = self._loop.call_later(LAZY_DELAY_S, self._flush)

    def call(self, work: Callable[[], Any]) -> asyncio.Future[Any]:
        """Run something in the writer thread between two groups (sealing, checkpoints)."""
        assert self._loop is not None
        loop, done = self._loop, self._loop.create_future()

        def run() -> None:
            try:
                result = work()
            except Exception as error:
                loop.call_soon_threadsafe(_fail, done, error)
            else:
                loop.call_soon_threadsafe(_finish, done, result)

        self._flush()
        self._queue.put(run)
        return done

    async def close(self) -> None:
        """Commit what waits, then end the thread."""
        if not self.running:
            return
        self._flush()
        self._closing.set()
        self._queue.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)
        await asyncio.sleep(0)  # let the last settlements run

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            self._queue.put(self._waiting)
            self._waiting = []

    def _run(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                return
            if callable(first):
                first()
                continue
            group, after = self._gather(first)
            if not self._commit(group):
                return
            for work in after:
                if work is None:
                    return
                work()

    def _gather(self, first: list[_Entry]) -> tuple[list[_Entry], list[Callable[[], None] | None]]:
        """All that waits right now, up to a bound; other work that was met ends the group."""
        group = list(first)
        records = sum(len(each.txn.records) for each in group)
        while records < GROUP_RECORDS:
            try:
                more = self._queue.get_nowait()
            except queue.Empty:
                break
            if not isinstance(more, list):
                return group, [more]
            group += more
            records += sum(len(each.txn.records) for each in more)
        return group, []

    def _commit(self, group: list[_Entry]) -> bool:
        """Commit one group. A full disk is waited for; any other failure ends the thread (law 10)."""
        assert self._loop is not None
        txn = Txn()
        for each in group:
            txn.absorb(each.txn)
        waited = False
        while True:
            try:
                self._store.commit(txn)
            except StorageFailed as error:
                self._loop.call_soon_threadsafe(self._refuse, group, error)
                if error.code != "storage.full" or self._closing.wait(RETRY_FULL_S):
                    return False
                waited = True
            except Exception as error:  # a bug must not pass for a commit
                wrapped = StorageFailed(f"The commit failed: {error!r}")
                self._loop.call_soon_threadsafe(self._refuse, group, wrapped)
                return False
            else:
                self._loop.call_soon_threadsafe(self._done, txn, group, waited)
                return True

    def _refuse(self, group: list[_Entry], error: StorageFailed) -> None:
        self._failed(error)
        for each in group:
            if each.done is not None and not each.done.done():
                each.done.set_exception(error)

    def _done(self, txn: Txn, group: list[_Entry], recovered: bool) -> None:
        if recovered:
            self._failed(None)
        self._settle(txn, group[-1].ticket)
        for each in group:
            if each.done is not None and not each.done.done():
                each.done.set_result(None)


def _finish(done: asyncio.Future[Any], result: Any) -> None:
    if not done.done():
        done.set_result(result)


def _fail(done: asyncio.Future[Any], error: Exception) -> None:
    if not done.done():
        done.set_exception(error)
