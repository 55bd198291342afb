"""Housekeeping between two commits: old records move into history, strangers' profiles end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from germane.app import strangers
from germane.domain.errors import GermaneError
from germane.domain.months import month_of, month_start_ms
from germane.domain.ports import Store
from germane.domain.settings import Settings
from germane.domain.world import World

_log = logging.getLogger(__name__)
EVERY_S = 600.0
SEAL_RECORDS = 20_000
HOT_MONTHS = 2
"""Whole months, beside the current one, that stay in the log; older ones move into history."""


@dataclass(slots=True)
class Keeping:
    """What is done now and then, in the thread that commits."""

    settings: Settings
    store: Store
    tenant: str
    world: Callable[[], World]
    after: str = ""
    """Where the next look for strangers begins."""
    held: int = 0
    """So many wish that nothing is moved into history for now."""

    async def run(self, call: Callable[[Callable[[], Any]], Awaitable[Any]]) -> None:
        """For ever; ``call`` runs something in the writer thread between two groups. What fails (the disk
        is full, say) is told, and tried again the next time."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await call(self.seal)
                await call(self.forget)
                while self.after:  # one page at a time: commits do not wait for all of them
                    await call(self.forget)
            except (GermaneError, OSError) as error:
                _log.warning("housekeeping failed, and is tried again later: %s", error)

    def seal(self) -> int:
        """Move some of the records of closed months into history; how many were moved."""
        if self.held:
            return 0
        closed = month_start_ms(month_of(self.world().now_ms()) - HOT_MONTHS)
        return self.store.seal(closed, limit=SEAL_RECORDS)

    def forget(self) -> None:
        """Drop the strangers of the next thousand profiles that nobody may answer for any more."""
        now_ms = self.world().now_ms()
        self.after = strangers.drop(self.store, self.tenant, self.settings, now_ms, self.after)
