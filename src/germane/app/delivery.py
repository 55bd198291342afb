"""Everything between the fold and the channels, kept going: the clock of campaigns, composer, postman."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Collection, Mapping

import msgspec

from germane.app.approving import Approving
from germane.app.checks import Checks
from germane.app.composing import BATCH, Addresses, Composer, no_addresses
from germane.app.dropping import drop_left
from germane.app.engine import Engine
from germane.app.inviting import Invitations
from germane.app.making import Making
from germane.app.pace import Pace
from germane.app.posting import Log, Postman, Write
from germane.app.release import Check, Release
from germane.app.reminding import Reminders
from germane.app.ways import WaysOut
from germane.domain.enrolment import Enrolment
from germane.domain.errors import GermaneError, StorageDamaged
from germane.domain.moves import AnyMove, Ticked
from germane.domain.sending import Channel
from germane.domain.settings import ContentSpec

IDLE_S = 1.0
"""The longest wait between two looks at what is due."""
_log = logging.getLogger(__name__)


class Delivery:
    """Lives in the event loop of the server."""

    def __init__(
        self,
        engine: Engine,
        channels: Mapping[str, Channel],
        write: Write,
        *,
        addresses: Addresses = no_addresses,
        sent: Log | None = None,
        spec: ContentSpec | None = None,
        reserved: Collection[str] = (),
    ) -> None:
        """``reserved``: names of channels that no campaign may send by."""
        self._engine = engine
        self._approving = Approving(engine)
        demands = self._approving.demands
        ways = WaysOut(engine.library, channels, reserved)
        self.composer = Composer(engine, addresses, spec, demands, ways.named)
        self._making = Making(engine, self.composer)
        reminders = Reminders(engine, demands)
        checks: list[Check] = [
            ways,
            Checks(engine, self.composer),
            demands.check,
            reminders.check,
        ]
        self._release = Release.of(engine, checks, ways.as_now)
        self._postman = Postman(self._release, channels, engine, write, sent=sent)
        self._pace = Pace()
        self._invitations = Invitations(engine)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin; call it in the running event loop, when the engine is started."""
        self._tasks = [
            asyncio.create_task(self._postman.run()),
            asyncio.create_task(self._make()),
        ]

    async def stop(self) -> None:
        """Let what is going out end."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._making.close()
        await self._postman.close()

    async def idle(self) -> None:
        """Do everything that is due now, then return."""
        busy = True
        while busy:
            busy = await self._look() or await self._postman.round()
            if not busy:
                busy = await self._postman.landed()
        self._making.close()

    async def built(self) -> bool:
        """Look at whose time has come, and make some messages; whether there was anything to do."""
        return await self._look()

    def tick(self) -> bool:
        """Look at enrolments whose time has come, and at people whom a campaign has not looked at; whether
        there may be more."""
        moves = self._occasions()
        self._engine.put_moves(moves)
        return bool(moves) or self._invitations.busy

    async def _ticked(self) -> bool:
        """The same, in slices."""
        moves = self._occasions()
        for each in moves:
            self._engine.put_moves([each])
            await self._pace.breathe()
        return bool(moves) or self._invitations.busy

    def _occasions(self) -> list[AnyMove]:
        """About as many as messages are made in a round: what is asked for does not pile up. Who is in a
        campaign comes before who may come in."""
        due = self._due()
        self._engine.prepare([each.person for each in due])
        moves: list[AnyMove] = [Ticked(each.campaign, each.subject) for each in due]
        return moves if len(moves) >= BATCH else moves + self._invitations.next(BATCH)

    async def _make(self) -> None:
        recovered = False
        while True:
            try:
                if not recovered:
                    await drop_left(self._engine)
                    await self._approving.queue.recover()
                recovered = True
                busy = await self._look()
            except StorageDamaged as error:
                self._engine.found_damaged(error)
                return
            except GermaneError as error:
                _log.warning("campaigns stand still for a moment: %s", error)
                busy = False
            except Exception:  # a bug in one campaign must not stop the others until the next start
                _log.exception("campaigns stand still for a moment")
                busy = False
            if busy:
                self._postman.wake()
            await asyncio.sleep(0 if busy else IDLE_S)

    async def _look(self) -> bool:
        ticked = await self._ticked()
        made = await self._making.round()
        return bool(await self._approving.queue.round()) or made or ticked

    def _due(self) -> list[Enrolment]:
        """Some of those whose time has come. Who waits in a campaign that stands still waits on, however
        many they are, and keeps nobody else waiting."""
        engine, limit = self._engine, BATCH
        now_ms = engine.world.now_ms()
        while True:
            found = engine.entries.due(engine.tenant, "enrolment", now_ms, limit=limit)
            states = (msgspec.msgpack.decode(each.body, type=Enrolment) for each in found)
            moving = [each for each in states if not engine.library.stands_still(each.campaign)]
            if len(moving) >= BATCH or len(found) < limit:
                return moving[:BATCH]
            limit *= 4
