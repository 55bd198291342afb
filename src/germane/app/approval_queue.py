"""Messages that wait for approval, and the clock over them: released, cancelled, reminded of, expired."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from germane.app.demanding import Demands
from germane.app.engine import Engine
from germane.deliver import gate, outbox
from germane.domain.approval import Approval
from germane.domain.message import Message
from germane.domain.moves import AnyMove, Held, Lapsed, Reminded

PAGE = 500
"""Messages looked at in one go."""
MS_PER_HOUR = 3_600_000
Remind = Callable[[Approval], Sequence[AnyMove]]
"""What is to be recorded with a reminder of an approval: the messages that carry it."""
_log = logging.getLogger(__name__)


class ApprovalQueue:
    """Carries out what follows from approvals. All that it does, the fold checks."""

    def __init__(self, engine: Engine, demands: Demands, remind: Remind | None = None) -> None:
        self._engine = engine
        self._tenant = engine.tenant
        self._approvals = engine.moving.approvals
        self._demands = demands
        self._remind = remind

    def message(self, message_id: str) -> Message | None:
        """A message as it stands."""
        return self._engine.moving.message(self._tenant, message_id)

    async def round(self) -> int:
        """What is due: new forms of campaigns, questions that came up at a release, reminders, what nobody
        answered in time. How much there was to do. Called again and again."""
        campaigns = self._demands.of_live_campaigns()
        if campaigns:
            await self._engine.move(campaigns)
        noticed, self._demands.noticed = sorted(self._demands.noticed), set()
        await self.settle([each for each in map(self.message, noticed) if each is not None])
        now_ms = self._engine.world.now_ms()
        due = self._engine.entries.due(self._tenant, "approval", now_ms, limit=PAGE)
        for each in due:
            approval = self._approvals.find(self._tenant, each.key)
            if (
                approval is not None and 0 < approval.next_ms <= now_ms
            ):  # still: others may have ended it
                await self._due(approval, now_ms)
        return len(campaigns) + len(noticed) + len(due)

    async def recover(self) -> int:
        """Once at the start: what the last process left half done; how many messages were looked at."""
        counts = self._engine.entries.counts(self._tenant, "message")
        topics = sorted(topic for topic, status in counts if status == "approval")
        return sum([await self.sweep(each) for each in topics])

    async def sweep(self, campaign: str) -> int:
        """Every message of a campaign that waits: asked for, released, cancelled, or left to wait."""
        after, looked = "", 0
        while page := self._engine.entries.page(
            self._tenant, "message", topic=campaign, status="approval", after=after, limit=PAGE
        ):
            after = page[-1].key
            looked += len(page)
            await self.settle([outbox.read(each) for each in page])
        return looked

    async def settle(self, messages: Sequence[Message]) -> None:
        """Some of them: asked for as it is demanded now, then released, cancelled or left to wait."""
        asks = [
            move
            for each in messages
            if each.status == "approval"
            for move in self._demands.asks_again(each)
        ]
        if asks:
            await self._engine.move(asks)
        now = [self.message(each.message_id) for each in messages]
        moves = [move for each in now if each is not None for move in self._follows(each)]
        if moves:
            await self._engine.move(moves)

    def _follows(self, message: Message) -> list[AnyMove]:
        """What is to be done about a message now, as its approvals stand."""
        approvals, now_ms = self._approvals, self._engine.world.now_ms()
        find, who = approvals.finder(self._tenant), approvals.who(self._tenant)
        if message.status == "queued" and message.demands:  # somebody took their approval back
            taken = replace(message, status="approval")
            found = gate.settled(taken, find, who, now_ms)
            return [found] if isinstance(found, Held) else []
        found = gate.settled(message, find, who, now_ms)
        return [found] if found is not None else []

    async def _due(self, approval: Approval, now_ms: int) -> None:
        over = self._approvals.over(self._tenant, approval)
        if over or 0 < approval.expires_ms <= now_ms:
            await self._engine.move([Lapsed(approval.approval_id)])
            await self.after(approval)
            return
        told = self._remind(approval) if self._remind is not None else ()
        await self._engine.move([*told, Reminded(approval.approval_id)])
        hours = (now_ms - approval.asked_ms) / MS_PER_HOUR
        _log.warning(
            "approval %s of campaign %s waits for %.1f hours",
            approval.approval_id,
            approval.campaign,
            hours,
        )

    async def after(self, approval: Approval) -> None:
        """What follows from what was decided of an approval."""
        if approval.subject == "campaign":
            await self.sweep(approval.campaign)
            return
        message = self.message(approval.approval_id)
        await self.settle([message] if message is not None else [])
