"""Reminders of approvals that wait too long: a message to the webhook that their policies name.

It is a message of the outbox like any other: recorded with the reminder, sent by the postman, tried again
until it is taken, and never waited for by anybody.
"""

from __future__ import annotations

from typing import Any

from germane.app.demanding import Demands
from germane.app.engine import Engine
from germane.app.release import Never
from germane.deliver import approving, outbox
from germane.domain.approval import Approval
from germane.domain.campaign import WEBHOOK
from germane.domain.message import Message, Why
from germane.domain.moves import AnyMove, Planned
from germane.domain.profile import Profile
from germane.domain.sending import TRANSACTIONAL, Outgoing
from germane.profile.words import counted, rfc3339

KIND = "approval.reminder"
"""What the receiver is told that it is."""
MS_PER_HOUR = 3_600_000
_KEY = f"{KIND}:"


class Reminders:
    """Makes them. To nobody in particular: whoever reads what the webhook gets."""

    def __init__(self, engine: Engine, demands: Demands) -> None:
        self._engine = engine
        self._demands = demands

    def __call__(self, approval: Approval) -> list[AnyMove]:
        """Those of one reminder of an approval, one a webhook; none where it is named nowhere, or they are
        made already."""
        policies = self._demands.today(approval)
        names = sorted({each.remind_by for each in policies if each.remind_by and each.remind_s})
        made = [self._made(approval, name) for name in names]
        return [each for each in made if each is not None]

    def check(self, message: Message, person: Profile, now_ms: int) -> Never | None:
        """For the release of a message (``app.release.Check``): what was decided meanwhile reminds nobody."""
        if not message.key.startswith(_KEY):
            return None
        name = message.key.removeprefix(_KEY)
        approval = self._engine.moving.approvals.find(self._engine.tenant, name)
        if approval is not None and approval.status == "pending":
            return None
        return Never("cancelled", Why(now_ms, "approval.closed", "It does not wait any more."))

    def _made(self, approval: Approval, webhook: str) -> Planned | None:
        engine, now_ms = self._engine, self._engine.world.now_ms()
        key = _KEY + approval.approval_id
        message_id = outbox.message_id(approval.next_ms, f"{key}:{webhook}")
        if engine.moving.message(engine.tenant, message_id) is not None:
            return None
        outgoing = Outgoing(
            message_id=message_id,
            person="",
            kind=KIND,
            payload=payload(approval, now_ms),
            purpose=TRANSACTIONAL,
            campaign_id=approval.campaign,
            at_ms=now_ms,
        )
        return outbox.errand(
            message_id, WEBHOOK + webhook, outgoing, now_ms, expires_ms=approval.expires_ms, key=key
        )


def payload(approval: Approval, now_ms: int) -> dict[str, Any]:
    """What a receiver is told: what waits, for whom, how long, and until when."""
    hours = (now_ms - approval.asked_ms) // MS_PER_HOUR
    what = f"Campaign {approval.campaign}"
    if approval.subject == "message":
        what = f"A message of campaign {approval.campaign}" if approval.campaign else "A message"
    return {
        "text": f"{what} has waited for approval for {counted(hours, 'hour')}.",
        "approvalId": approval.approval_id,
        "subject": approval.subject,
        "digest": approval.digest,
        "campaign": approval.campaign,
        "channel": approval.channel or None,
        "personId": approval.person or None,
        "amounts": approval.amounts,
        "authors": list(approval.authors),
        "askedAt": rfc3339(approval.asked_ms),
        "expiresAt": rfc3339(approval.expires_ms) if approval.expires_ms else None,
        "reminder": approval.reminders + 1,
        "demanded": [
            {"approvers": list(each.approvers or approving.ANYONE), "quorum": each.quorum}
            for each in approving.needed(approval)
        ],
    }
