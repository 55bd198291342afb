"""Makes messages round after round. Many are rendered by a process of their own, while the next are decided."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from germane.app.composing import BATCH, Begun, Composer
from germane.app.engine import Engine
from germane.app.pace import Pace
from germane.app.press import Press, Results


class _OnPress(NamedTuple):
    """What is being rendered apart."""

    begun: list[Begun]
    results: asyncio.Task[Results]


class Making:
    """The clock of a composer."""

    def __init__(self, engine: Engine, composer: Composer) -> None:
        self._engine = engine
        self._composer = composer
        self._press = Press(composer.start)
        self._on_press: _OnPress | None = None
        self._full = 0
        """Rounds after one another that were full."""
        self._pace = Pace()
        self._writing: asyncio.Task[None] | None = None

    async def round(self, limit: int = BATCH) -> bool:
        """Make some of those that were asked for; whether there were any. Those that are rendered apart are
        in the outbox a round later."""
        before = self._on_press
        waiting = {each.draft.message_id for each in before.begun} if before else set()
        drafts = self._composer.drafts(limit, waiting)
        self._full = self._full + 1 if len(drafts) == limit else 0
        begun = []
        for each in drafts:
            found = self._composer.begin(each)
            if found is not None:
                begun.append(found)
            await self._pace.breathe()
        self._on_press = self._handed_over(begun)
        if before is not None:
            await self._taken_back(before)
        if self._on_press is None:
            for one in begun:
                self._composer.finish(one, self._composer.rendered(one))
                await self._pace.breathe()
        await self._on_disk(all_of_it=self._on_press is None)
        return bool(drafts) or before is not None

    def close(self) -> None:
        """End the process that renders. What it had is made anew when the server starts again."""
        if self._on_press is not None:
            self._on_press.results.cancel()
            self._on_press = None
        self._press.close()

    async def _on_disk(self, *, all_of_it: bool) -> None:
        """Wait for what was put into the outbox; or, while more is under way, for that of the round before."""
        before, self._writing = self._writing, asyncio.create_task(self._engine.durable())
        for each in (before, self._writing if all_of_it else None):
            if each is not None:
                await each

    def _handed_over(self, begun: list[Begun]) -> _OnPress | None:
        """None: they are too few."""
        if not begun or not self._press.worthwhile(len(begun), self._full):
            return None
        contents = {each.content.content_id: each.content for each in begun}
        apart = self._press.apart(contents, [each.work for each in begun])
        return _OnPress(begun, asyncio.create_task(apart))

    async def _taken_back(self, pressed: _OnPress) -> None:
        """Put into the outbox what was rendered, but what something happened to meanwhile: where it is still
        asked for, it is made anew."""
        for each, found in zip(pressed.begun, await pressed.results, strict=True):
            if self._composer.stands(each):
                self._composer.finish(each, found)
            await self._pace.breathe()
