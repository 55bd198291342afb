"""Group commit: all that waits becomes durable together, and nobody waits for more than one sync.

A small group is written by the event loop's own thread, which takes less than a millisecond, and only
its COMMIT, which waits for the disk, goes to the writer thread: handing each of its statements over
would cost more than running it. A large group is written by the writer thread as a whole. One group
is on its way at a time; what comes meanwhile is the next one.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
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
SMALL_RECORDS = 48
"""A group of up to so many records is written in the event loop's thread."""


@dataclass(slots=True)
class _Entry:
    ticket: int
    txn: Txn
    done: asyncio.Future[None] | None
    since: float
    """When it was handed over, by the event loop's clock."""


@dataclass(slots=True)
class _Group:
    entries: list[_Entry]
    txn: Txn
    staged: bool


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
        self._queue: queue.SimpleQueue[_Group | Callable[[], None] | None] = queue.SimpleQueue()
        self._waiting: deque[_Entry] = deque()
        self._work: deque[tuple[Callable[[], None], asyncio.Future[Any]]] = deque()
        self._under_way: list[_Entry] = []
        """The group that is being committed."""
        self._busy = False
        """Something is in the writer thread, and the store is its."""
        self._idle = asyncio.Event()
        self._dead: StorageFailed | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._begins = 0.0
        """When it goes off, by the event loop's clock."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="germane-writer", daemon=True)
        self._closing = threading.Event()

    # -- in the event loop's thread --------------------------------------------------------------

    def start(self) -> None:
        """Begin; call it in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._idle.set()
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether steps go through here. They do, and are refused, after a failure has ended the thread:
        nothing may be committed past it."""
        return self._loop is not None and (self._thread.is_alive() or self._dead is not None)

    @property
    def through(self) -> bool:
        """Whether all that was handed over is durable."""
        return self._dead is None and not self._under_way and not self._waiting

    def submit(self, txn: Txn, ticket: int) -> asyncio.Future[None]:
        """Commit as soon as possible. The future is done when it is durable, or fails."""
        assert self._loop is not None
        done: asyncio.Future[None] = self._loop.create_future()
        if self._dead is not None:
            done.set_exception(self._dead)
            return done
        self._waiting.append(_Entry(ticket, txn, done, self._loop.time()))
        self._arrange(0.0)
        return done

    def submit_lazy(self, txn: Txn, ticket: int) -> None:
        """Commit with the next group, or after ``LAZY_DELAY_S`` at the latest.

        Raises:
            StorageFailed: nothing can be committed any more.
        """
        assert self._loop is not None
        if self._dead is not None:
            raise self._dead
        self._waiting.append(_Entry(ticket, txn, None, self._loop.time()))
        if self._timer is None:
            self._arrange(LAZY_DELAY_S)

    def call(self, work: Callable[[], Any]) -> asyncio.Future[Any]:
        """Run something in the writer thread between two groups (sealing, checkpoints)."""
        assert self._loop is not None
        loop, done = self._loop, self._loop.create_future()
        if self._dead is not None:
            done.set_exception(self._dead)
            return done

        def run() -> None:
            try:
                result = work()
            except Exception as error:
                loop.call_soon_threadsafe(_fail, done, error)
            else:
                loop.call_soon_threadsafe(_finish, done, result)
            loop.call_soon_threadsafe(self._free)

        self._work.append((run, done))
        self._next()
        return done

    async def close(self) -> None:
        """Commit what waits, then end the thread."""
        if not self.running:
            return
        self._closing.set()
        self._next()
        while self._dead is None and (self._busy or self._waiting or self._work):
            self._idle.clear()
            await self._idle.wait()
        self._queue.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)
        await asyncio.sleep(0)  # let the last settlements run

    def oldest_s(self) -> float:
        """How long the one that waits longest has been waiting to be durable; 0: none does."""
        oldest = next(iter(self._under_way or self._waiting), None)
        return 0.0 if oldest is None or self._loop is None else self._loop.time() - oldest.since

    def _arrange(self, delay_s: float) -> None:
        """The next group begins after ``delay_s``, unless one is asked for sooner. Whoever comes later does not
        put it off."""
        assert self._loop is not None
        if self._busy:
            return  # it begins when this one is through
        begins = self._loop.time() + delay_s
        if self._timer is not None:
            if self._begins <= begins:
                return
            self._timer.cancel()
        self._begins = begins
        self._timer = self._loop.call_later(delay_s, self._next)

    def _next(self) -> None:
        """Give the writer thread the next thing to do, if it is free."""
        if self._busy:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._work:
            self._busy = True
            self._queue.put(self._work.popleft()[0])
        elif self._waiting:
            self._busy = True
            self._under_way = self._gather()
            self._queue.put(self._staged(self._under_way))

    def _gather(self) -> list[_Entry]:
        """All that waits, up to a bound. What erases goes alone."""
        group = [self._waiting.popleft()]
        records = len(group[0].txn.records)
        while (
            self._waiting and records < GROUP_RECORDS and not _erases(group[-1], self._waiting[0])
        ):
            group.append(self._waiting.popleft())
            records += len(group[-1].txn.records)
        return group

    def _staged(self, entries: list[_Entry]) -> _Group:
        """One transaction; a small one is written here, all but its end."""
        txn = entries[0].txn
        if len(entries) > 1:
            txn = Txn()
            for each in entries:
                txn.absorb(each.txn)
        staged = False
        if len(txn.records) <= SMALL_RECORDS and txn.erasure is None:
            try:
                self._store.stage(txn)
                staged = True
            except Exception:  # the writer thread tries again, and says what is wrong
                staged = False
        return _Group(entries, txn, staged)

    def _free(self) -> None:
        self._busy = False
        if self._waiting and not self._urgent():
            assert self._loop is not None
            self._arrange(self._waiting[0].since + LAZY_DELAY_S - self._loop.time())
        else:
            self._next()
        if not self._busy:
            self._idle.set()

    def _urgent(self) -> bool:
        """Whether there is work, or somebody waits for what waits here: if not, it may find more company."""
        if self._work or self._closing.is_set() or len(self._waiting) > SMALL_RECORDS:
            return True
        return any(each.done is not None for each in self._waiting)

    # -- in the writer thread --------------------------------------------------------------------

    def _run(self) -> None:
        while (job := self._queue.get()) is not None:
            if not isinstance(job, _Group):
                job()
            elif not self._commit(job):
                return

    def _commit(self, group: _Group) -> bool:
        """Commit one group. A full disk is waited for; any other failure ends the thread (law 10)."""
        assert self._loop is not None
        waited = False
        while True:
            try:
                if group.staged:
                    group.staged = False
                    self._store.sync()
                else:
                    self._store.commit(group.txn)
            except StorageFailed as error:
                self._loop.call_soon_threadsafe(self._refuse, group.entries, error)
                if error.code != "storage.full" or self._closing.wait(RETRY_FULL_S):
                    self._loop.call_soon_threadsafe(self._give_up, error)
                    return False
                waited = True
            except Exception as error:  # a bug must not pass for a commit
                wrapped = StorageFailed(f"The commit failed: {error!r}")
                self._loop.call_soon_threadsafe(self._refuse, group.entries, wrapped)
                self._loop.call_soon_threadsafe(self._give_up, wrapped)
                return False
            else:
                self._loop.call_soon_threadsafe(self._done, group, waited)
                return True

    # -- back in the event loop's thread ---------------------------------------------------------

    def _refuse(self, group: list[_Entry], error: StorageFailed) -> None:
        """Tell those who wait; what they brought is tried again, but is not promised to them."""
        self._failed(error)
        for each in (*group, *self._waiting):
            if each.done is not None and not each.done.done():
                each.done.set_exception(error)

    def _give_up(self, error: StorageFailed) -> None:
        """Nothing can be committed any more, also what came since the others were told."""
        self._dead = error
        self._refuse([], error)
        for _, done in self._work:
            _fail(done, error)
        self._work.clear()
        self._waiting.clear()
        self._under_way = []
        self._idle.set()

    def _done(self, group: _Group, recovered: bool) -> None:
        if recovered:
            self._failed(None)
        self._under_way = []
        self._settle(group.txn, group.entries[-1].ticket)
        for each in group.entries:
            if each.done is not None and not each.done.done():
                each.done.set_result(None)
        self._free()


def _erases(*entries: _Entry) -> bool:
    return any(each.txn.erasure is not None for each in entries)


def _finish(done: asyncio.Future[Any], result: Any) -> None:
    if not done.done():
        done.set_result(result)


def _fail(done: asyncio.Future[Any], error: Exception) -> None:
    if not done.done():
        done.set_exception(error)
