"""Housekeeping between two commits: old records move into history and out of it, strangers' profiles end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from germane.app import strangers
from germane.app.retaining import Retained, Retaining
from germane.domain.errors import GermaneError
from germane.domain.months import month_of, month_start_ms
from germane.domain.ports import Store
from germane.domain.settings import Settings
from germane.domain.world import World

_log = logging.getLogger(__name__)
EVERY_S = 600.0
SEAL_RECORDS = 20_000
"""So many are moved at once: commits wait for that."""
PAUSE_S = 1.0
"""Between two such parts, while there is more."""
HOT_MONTHS = 2
"""Whole months, beside the current one, that stay in the log; older ones move into history."""


class Keeping:
    """What is done now and then, in the thread that commits."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        tenant: str,
        world: Callable[[], World],
        let_go: Callable[[], None] = lambda: None,
    ) -> None:
        """``let_go`` is told when records have left the log."""
        self._settings = settings
        self._store = store
        self._tenant = tenant
        self._world = world
        self._let_go = let_go
        self._retaining = Retaining(settings, store, tenant)
        self._after = ""
        """Where the next look for strangers begins."""
        self.held = 0
        """So many wish that nothing is moved into history, or out of it, for now."""

    async def run(self, call: Callable[[Callable[[], Any]], Awaitable[Any]]) -> None:
        """For ever; ``call`` runs something in the writer thread between two groups. What fails (the disk
        is full, say) is told, and tried again the next time."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self._round(call)
            except (GermaneError, OSError) as error:
                _log.warning("housekeeping failed, and is tried again later: %s", error)
            except Exception:
                _log.exception("housekeeping failed, and is tried again later")

    async def _round(self, call: Callable[[Callable[[], Any]], Awaitable[Any]]) -> None:
        await self._seal_all(call)
        await call(self.forget)
        while self._after:  # one page at a time: commits do not wait for all of them
            await call(self.forget)
        try:
            while await call(self.retain):
                pass
        finally:
            if self._retaining.take().learned:
                self._let_go()

    async def _seal_all(self, call: Callable[[Callable[[], Any]], Awaitable[Any]]) -> None:
        """A part at a time: there are commits in between."""
        while True:
            if await call(self.seal) < SEAL_RECORDS:
                return
            await asyncio.sleep(PAUSE_S)

    def seal(self) -> int:
        """Move some of the records of closed months into history; how many were moved."""
        if self.held:
            return 0
        hot = min(HOT_MONTHS, self._settings.privacy.shortest_months - 1)
        closed = month_start_ms(month_of(self._world().now_ms()) - hot)
        return self._store.seal(closed, limit=SEAL_RECORDS)

    def forget(self) -> None:
        """Drop the strangers of the next thousand profiles that nobody may answer for any more."""
        now_ms = self._world().now_ms()
        self._after = strangers.drop(self._store, self._tenant, self._settings, now_ms, self._after)

    def retain(self) -> bool:
        """See to the next piece of history that may hold something too old; whether there was one."""
        return not self.held and self._retaining.step(self._world().now_ms())

    def due(self) -> int:
        """How many pieces of history are to be looked at."""
        return self._retaining.due(self._world().now_ms())

    def retain_all(self, advance: Callable[[int, int], None] = lambda *_: None) -> Retained:
        """Do all of it at once; what has left the log. ``advance`` is told how many pieces were seen to, and
        how many are left."""
        now_ms = self._world().now_ms()
        while self.seal():
            pass
        strangers.drop_all(self._store, self._tenant, self._settings, now_ms)
        seen = 0
        while self.retain():
            seen += 1
            advance(seen, self._retaining.due(now_ms))
        done = self._retaining.take()
        if done.learned:
            self._let_go()
        return done
