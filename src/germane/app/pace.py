"""Long work in the event loop of the server, in slices: whoever waits for an answer comes in between."""

from __future__ import annotations

import asyncio
import time

SLICE_S = 0.004


class Pace:
    """Lets others have their turn now and then."""

    def __init__(self) -> None:
        self._since_s = time.perf_counter()

    async def breathe(self) -> None:
        """Give way, if it has been a while."""
        if time.perf_counter() - self._since_s > SLICE_S:
            await asyncio.sleep(0)
            self._since_s = time.perf_counter()
