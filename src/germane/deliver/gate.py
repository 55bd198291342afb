"""Whether a message may go out, as far as approval is demanded, and what becomes of one that waits. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from germane.deliver.approving import CLOSED, Who, standing
from germane.domain.approval import Approval, Verdict
from germane.domain.message import Message, Why
from germane.domain.moves import Held, Released

Find = Callable[[str], Approval | None]
"""An approval by its id."""


def against(message: Message, find: Find, who: Who) -> str:
    """Why a message may not go out, as far as approval is demanded; empty: it may. Nothing but exactly what
    was approved passes, and nothing whose approval cannot be found."""
    for name in message.demands:
        approval = find(name)
        if approval is None:
            return f"Approval {name} was not asked for."
        if not fits(approval, message):
            return f"Approval {name} is of another form of it."
        status = standing(approval, who)
        if status != "approved":
            return f"Approval {name} is {status}."
    return ""


def fits(approval: Approval, message: Message) -> bool:
    """Whether an approval is of this message as it stands."""
    if approval.subject == "message":
        return (approval.approval_id, approval.digest) == (message.message_id, message.digest)
    form = (approval.campaign, approval.version, approval.contents.get(message.content, ""))
    return form == (message.campaign, message.version, message.content_version)


def settled(message: Message, find: Find, who: Who, at_ms: int) -> Released | Held | None:
    """What is to be done about a message that waits for approval; ``None``: it waits."""
    if message.status != "approval":
        return None
    if not against(message, find, who):
        names = [x.operator for each in message.demands for x in _approvers(find(each))]
        text = f"Approved by {', '.join(dict.fromkeys(names))}." if names else "Not demanded."
        why = Why(at_ms, "approval.granted", text)
        return Released(message.message_id, max(at_ms, message.due_ms), why)
    for each in message.demands:
        approval = find(each)
        if approval is not None and approval.status in CLOSED:
            expired = approval.status == "expired"
            status: Literal["expired", "cancelled"] = "expired" if expired else "cancelled"
            why = Why(at_ms, f"approval.{approval.status}", _said(approval))
            return Held(message.message_id, status, 0, why)
    return None


def _approvers(approval: Approval | None) -> list[Verdict]:
    return [each for each in approval.verdicts if each.answer == "approve"] if approval else []


def _said(approval: Approval) -> str:
    no = next((each for each in approval.verdicts if each.answer == "reject"), None)
    if no is not None:
        return f"Rejected by {no.operator}: {no.reason}"
    return (
        "Nobody answered in time." if approval.status == "expired" else "It is not wanted any more."
    )
