"""What a verdict, a change or the clock makes of an approval. Pure.

* Each operator has one standing verdict; a later one takes its place.
* A quorum is of different people who may approve it, by each policy that demands it, as they stand now: who
  is disabled counts no longer.
* A rejection outranks everything.
* Another digest is another thing: what was said of the old one stays readable, and counts for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from msgspec.structs import replace

from germane.domain.approval import (
    MAX_OPENED,
    MAX_PAST,
    MAX_VERDICTS,
    ROLE,
    Approval,
    ApprovalPolicy,
    Past,
    Status,
    Verdict,
    campaign_approval,
    campaign_digest,
    demanded,
)
from germane.domain.errors import (
    ApprovalClosed,
    ApprovalStale,
    NotApprover,
    ReasonNeeded,
    WrongMove,
)
from germane.domain.ledger import Entry
from germane.domain.message import Message
from germane.domain.moves import Asked
from germane.domain.operator import Operator

Who = Callable[[str], Operator | None]
"""An operator by name."""
ANYONE = (f"{ROLE}approver", f"{ROLE}admin")
CLOSED = ("rejected", "expired", "stale")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Approval).decode


def entry(approval: Approval) -> Entry:
    """How the ledger keeps it."""
    return Entry(
        "approval",
        approval.approval_id,
        _encode(approval),
        approval.person,
        approval.campaign,
        approval.status,
        approval.next_ms,
    )


def read(found: Entry) -> Approval:
    """The approval of an entry."""
    return _decode(found.body)


# -- who may ---------------------------------------------------------------------------------------


def needed(approval: Approval) -> list[ApprovalPolicy]:
    """The policies that demand it, with its amounts as they are."""
    return [each for each in approval.policies if demanded(each, approval.amounts)]


def named(policy: ApprovalPolicy, operator: Operator) -> bool:
    """Whether a policy counts somebody among its approvers, whatever the amount."""
    names = {operator.name, *(f"{ROLE}{each}" for each in operator.roles)}
    return not operator.disabled and bool(names & set(policy.approvers or ANYONE))


def most(policy: ApprovalPolicy, operator: Operator) -> float | None:
    """The highest amount that somebody may approve under a policy; ``None``: any."""
    bounds = [] if operator.limit is None else [operator.limit]
    if policy.limits:
        bounds.append(max((policy.limits.get(each, 0.0) for each in operator.roles), default=0.0))
    return min(bounds, default=None)


def why_not(approval: Approval, policy: ApprovalPolicy, operator: Operator) -> str:
    """Why somebody's approval does not count under a policy; empty: it does."""
    if operator.disabled:
        return f"{operator.name} is disabled."
    if not named(policy, operator):
        return f"It takes {' or '.join(policy.approvers or ANYONE)}."
    if policy.both_pairs and operator.name in own(approval):
        return (
            f"{operator.name} wrote it, changed it or asked for it: somebody else must approve it."
        )
    bound = most(policy, operator) if policy.amount else None
    if bound is None:
        return ""
    amount = approval.amounts.get(policy.amount)
    if amount is None:
        return f"Its {policy.amount} is not known, and {operator.name} may approve up to {bound:g}."
    if not amount <= bound:
        return (
            f"Its {policy.amount} is {amount:g}, and {operator.name} may approve up to {bound:g}."
        )
    return ""


def own(approval: Approval) -> tuple[str, ...]:
    """Those whose work it is."""
    return (*approval.authors, approval.editor, approval.asked_by)


def standing(approval: Approval, who: Who) -> Status:
    """How it stands, counted anew with the operators as they are now."""
    if approval.status in CLOSED:
        return approval.status
    said = [each for each in approval.verdicts if each.digest == approval.digest]
    if any(each.answer == "reject" for each in said):
        return "rejected"
    people = {each.operator: who(each.operator) for each in said}
    for policy in needed(approval):
        counted = [
            name
            for name, operator in people.items()
            if operator is not None and not why_not(approval, policy, operator)
        ]
        if len(counted) < policy.quorum:
            return "pending"
    return "approved"


def counted(approval: Approval, who: Who, at_ms: int) -> Approval:
    """It, with its standing as it is now."""
    status = standing(approval, who)
    if status == approval.status:
        return approval
    return replace(approval, status=status, decided_ms=0 if status == "pending" else at_ms)


def reopened(approval: Approval, message: Message, at_ms: int) -> Approval:
    """What was approved is not any more, because somebody's approval counts no longer: it has its whole
    time again."""
    own_message = message if approval.subject == "message" else None
    return replace(
        approval,
        asked_ms=at_ms,
        expires_ms=_expires(approval.policies, own_message, at_ms),
        reminded_ms=0,
        reminders=0,
    )


# -- what happens to it ----------------------------------------------------------------------------


def asked(before: Approval | None, move: Asked, message: Message | None, at_ms: int) -> Approval:
    """Approval is asked for, or asked for again.

    Args:
        before: As it stood; ``None``: it is new.
        move: Who asks, under which policies.
        message: What it is of; ``None``: of a campaign.
        at_ms: Now.

    Raises:
        WrongMove: no policy is named, or the id is not that of the campaign in this form.
    """
    if not move.policies:
        raise WrongMove("Approval is asked for under no policy.")
    made = _of_message(move, message) if message is not None else _of_campaign(move)
    made = replace(made, asked_ms=at_ms, expires_ms=_expires(move.policies, message, at_ms))
    if before is None:
        return made
    made = replace(made, authors=tuple(dict.fromkeys((*before.authors, *made.authors))))
    if before.digest != made.digest or before.status in CLOSED:
        return replace(made, past=_past(before, at_ms, f"asked for again by {move.by}"))
    return replace(
        made,
        asked_by=before.asked_by,
        status="pending",
        verdicts=before.verdicts,
        opened=before.opened,
        past=before.past,
    )


def _of_message(move: Asked, message: Message) -> Approval:
    if move.approval_id != message.message_id or move.campaign:
        raise WrongMove("An approval of a message has the id of the message.")
    return Approval(
        move.approval_id,
        "message",
        message.campaign,
        message.digest,
        move.policies,
        move.by,
        0,
        version=message.version,
        person=message.person,
        channel=message.channel,
        amounts=message.amounts,
        authors=move.authors,
        editor=message.edited_by,
    )


def _of_campaign(move: Asked) -> Approval:
    digest = campaign_digest(move.version, move.contents)
    if not move.campaign or move.approval_id != campaign_approval(move.campaign, digest):
        raise WrongMove("An approval of a campaign has the id of the campaign in this form.")
    return Approval(
        move.approval_id,
        "campaign",
        move.campaign,
        digest,
        move.policies,
        move.by,
        0,
        version=move.version,
        contents=move.contents,
        authors=move.authors,
    )


def _expires(policies: Sequence[ApprovalPolicy], message: Message | None, at_ms: int) -> int:
    times = [at_ms + each.expires_s * 1000 for each in policies if each.expires_s]
    if message is not None and message.expires_ms:
        times.append(message.expires_ms)
    return min(times, default=0)


def rewritten(approval: Approval, message: Message, at_ms: int) -> Approval:
    """The message has another text: what was said of it is stale, and it is asked for anew."""
    edited = message.edited_by and message.edited_by != approval.editor
    why = f"changed by {message.edited_by}" if edited else "rendered anew"
    return replace(
        approval,
        digest=message.digest,
        amounts=message.amounts,
        editor=message.edited_by,
        status="pending",
        asked_ms=at_ms,
        expires_ms=_expires(approval.policies, message, at_ms),
        reminded_ms=0,
        reminders=0,
        decided_ms=0,
        verdicts=(),
        opened=(),
        past=_past(approval, at_ms, why),
    )


def _past(approval: Approval, at_ms: int, why: str) -> tuple[Past, ...]:
    gone = Past(approval.digest, at_ms, why, approval.verdicts)
    return (*approval.past, gone)[-MAX_PAST:]


def judged(approval: Approval, verdict: Verdict, who: Who, at_ms: int) -> Approval:
    """After a verdict.

    Raises:
        ApprovalClosed: it is rejected, expired or stale already.
        ApprovalStale: the verdict is on another digest.
        NotApprover: whose verdict it is may not give it.
        ReasonNeeded: a rejection has none.
    """
    check_open(approval, at_ms)
    if verdict.digest != approval.digest:
        raise ApprovalStale(digest=approval.digest)
    operator = who(verdict.operator)
    if operator is None:
        raise NotApprover(f"There is no operator {verdict.operator!r}.")
    if verdict.answer == "approve":
        check_approver(approval, operator)
    else:
        check_rejecter(approval, operator)
        if not verdict.reason.strip():
            raise ReasonNeeded()
    others = [each for each in approval.verdicts if each.operator != verdict.operator]
    after = replace(approval, verdicts=(*others, verdict)[-MAX_VERDICTS:])
    return counted(after, who, at_ms)


def check_open(approval: Approval, at_ms: int) -> None:
    """Raises ApprovalClosed when nothing can be said of it any more."""
    if approval.status in CLOSED:
        raise ApprovalClosed(f"It is {approval.status} already.")
    if approval.status == "pending" and 0 < approval.expires_ms <= at_ms:
        raise ApprovalClosed("It has expired.")


def check_approver(approval: Approval, operator: Operator) -> None:
    """Raises NotApprover when somebody's approval would count under none of the policies."""
    reasons = [why_not(approval, each, operator) for each in needed(approval)]
    if reasons and all(reasons):
        raise NotApprover(" ".join(dict.fromkeys(reasons)))


def check_rejecter(approval: Approval, operator: Operator) -> None:
    """Raises NotApprover unless they are among the approvers (of any amount), an administrator, or it is
    their own work: who may take something back need not be who may let it go."""
    theirs = operator.name in own(approval) or "admin" in operator.roles
    if operator.disabled or not (theirs or any(named(x, operator) for x in approval.policies)):
        raise NotApprover(f"{operator.name} may not reject it.")


def opened(approval: Approval, operator: str, digest: str) -> Approval:
    """Somebody looked at it.

    Raises:
        ApprovalStale: at another form of it.
    """
    if digest != approval.digest:
        raise ApprovalStale(digest=approval.digest)
    names = [each for each in approval.opened if each != operator]
    return replace(approval, opened=(*names, operator)[-MAX_OPENED:])


def reminded(approval: Approval, at_ms: int) -> Approval:
    """Its approvers were told once more.

    Raises:
        ApprovalClosed: it does not wait.
    """
    if approval.status != "pending":
        raise ApprovalClosed(f"It is {approval.status}.")
    return replace(approval, reminded_ms=at_ms, reminders=approval.reminders + 1)


def lapsed(approval: Approval, at_ms: int, *, over: bool = False) -> Approval:
    """Nobody answered in time, or before its campaign ended (``over``).

    Raises:
        ApprovalClosed: it does not wait.
        WrongMove: it still has time.
    """
    if approval.status != "pending":
        raise ApprovalClosed(f"It is {approval.status}.")
    if not 0 < approval.expires_ms <= at_ms:
        if over:
            return superseded(approval, at_ms)
        raise WrongMove("The approval still has time.")
    return replace(approval, status="expired", decided_ms=at_ms)


def superseded(approval: Approval, at_ms: int) -> Approval:
    """What waits is not asked for any more; what was decided stays so."""
    if approval.status != "pending":
        return approval
    return replace(approval, status="stale", decided_ms=at_ms)
