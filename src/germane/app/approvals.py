"""The fold of what is said of approvals, and of what moves of messages mean for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import assert_never

import msgspec
from msgspec.structs import replace

from germane.app.entries import Entries
from germane.deliver import approving, gate, outbox
from germane.domain.approval import Approval, ApprovalPolicy
from germane.domain.errors import ApprovalClosed, Unapproved, UnknownApproval, WrongMove
from germane.domain.ledger import Entry
from germane.domain.message import Message, Why, noted
from germane.domain.moves import (
    Appointed,
    ApprovalMove,
    Asked,
    Judged,
    Lapsed,
    Opened,
    Planned,
    Released,
    Reminded,
    Rewritten,
)
from germane.domain.operator import Operator
from germane.domain.record import Txn

PAGE = 500
_encode = msgspec.msgpack.Encoder().encode
_operator = msgspec.msgpack.Decoder(Operator).decode
_move = msgspec.msgpack.Decoder(ApprovalMove).decode


class Approvals:
    """Approvals and operators as the ledger has them."""

    def __init__(self, entries: Entries) -> None:
        self._entries = entries

    def find(self, tenant: str, approval_id: str) -> Approval | None:
        """An approval as it stands."""
        found = self._entries.get(tenant, "approval", approval_id)
        return approving.read(found) if found is not None else None

    def operator(self, tenant: str, name: str) -> Operator | None:
        """An operator by name."""
        found = self._entries.get(tenant, "operator", name)
        return _operator(found.body) if found is not None else None

    def operators(self, tenant: str) -> list[Operator]:
        """All of them, by name."""
        return [_operator(each.body) for each in self._entries.page(tenant, "operator")]

    def who(self, tenant: str) -> approving.Who:
        """Looks operators up."""
        return lambda name: self.operator(tenant, name)

    def finder(self, tenant: str) -> gate.Find:
        """Looks approvals up."""
        return lambda approval_id: self.find(tenant, approval_id)

    def against(self, tenant: str, message: Message) -> str:
        """Why a message may not go out, as far as approval is demanded; empty: it may."""
        if not message.demands:
            return ""
        return gate.against(message, self.finder(tenant), self.who(tenant))

    # -- moves of approvals ------------------------------------------------------------------------

    def fold(self, tenant: str, move: ApprovalMove, txn: Txn, *, at_ms: int) -> str:
        """Fold a move into ``txn``; whom it is about (empty: nobody).

        Raises:
            UnknownApproval: it is of none that there is.
            WrongMove: that cannot happen to it.
            GermaneError: see ``deliver.approving.judged``.
        """
        move = _move(_encode(move))  # as a rebuild will read it
        if isinstance(move, Appointed):
            self._appointed(tenant, move, txn, at_ms)
            return ""
        if isinstance(move, Asked):
            return self._asked(tenant, move, txn, at_ms)
        before = self.find(tenant, move.approval_id)
        if before is None:
            raise UnknownApproval(approval=move.approval_id)
        match move:
            case Judged():
                self.check_waits(tenant, before)
                verdict = replace(move.verdict, at_ms=at_ms)
                after = approving.judged(before, verdict, self.who(tenant), at_ms)
            case Opened():
                after = approving.opened(before, move.operator, move.digest)
            case Reminded():
                after = approving.reminded(before, at_ms)
            case Lapsed():
                over = self.over(tenant, before)
                after = approving.lapsed(before, at_ms, over=over)
            case _:  # pragma: no cover
                assert_never(move)
        _put(txn, tenant, approving.entry(after))
        return after.person

    def over(self, tenant: str, approval: Approval) -> bool:
        """Whether its campaign has ended, so that nothing waits for it any more."""
        found = self._entries.get(tenant, "campaign", approval.campaign)
        return found is not None and found.status == "ended"

    def check_waits(self, tenant: str, approval: Approval) -> None:
        """Raises ApprovalClosed when it is of a message that does not wait any more."""
        message = self._message(tenant, approval.approval_id)
        if message is not None and message.status not in ("approval", "queued"):
            raise ApprovalClosed(f"The message is {message.status}.")

    def _appointed(self, tenant: str, move: Appointed, txn: Txn, at_ms: int) -> None:
        before = self.operator(tenant, move.operator.name)
        since_ms = before.since_ms if before is not None else at_ms
        operator = replace(move.operator, since_ms=since_ms)
        status = "disabled" if operator.disabled else "active"
        _put(
            txn,
            tenant,
            Entry("operator", operator.name, _encode(operator), topic="all", status=status),
        )

    def _asked(self, tenant: str, move: Asked, txn: Txn, at_ms: int) -> str:
        message = None
        if not move.campaign:
            message = self._message(tenant, move.approval_id)
            if message is None or message.status not in ("approval", "queued"):
                raise WrongMove("There is no message that could wait for this approval.")
        before = self.find(tenant, move.approval_id)
        after = approving.asked(before, move, message, at_ms)
        after = approving.counted(after, self.who(tenant), at_ms)
        _put(txn, tenant, approving.entry(after))
        if message is None:
            self._supersede(tenant, after, txn, at_ms)
            return ""
        text = f"Approval is asked for by {move.by}."
        waiting = replace(
            message,
            status="approval",
            demands=tuple(dict.fromkeys((*message.demands, move.approval_id))),
            whys=noted(message, Why(at_ms, "approval.asked", text)),
        )
        _put(txn, tenant, outbox.entry(waiting))
        return message.person

    def _supersede(self, tenant: str, new: Approval, txn: Txn, at_ms: int) -> None:
        """Other forms of the campaign that still wait are not asked for any more."""
        after = ""
        while page := self._entries.page(
            tenant, "approval", topic=new.campaign, status="pending", after=after, limit=PAGE
        ):
            for each in map(approving.read, page):
                if each.subject == "campaign" and each.approval_id != new.approval_id:
                    _put(txn, tenant, approving.entry(approving.superseded(each, at_ms)))
            after = page[-1].key

    def _message(self, tenant: str, message_id: str) -> Message | None:
        found = self._entries.get(tenant, "message", message_id)
        return outbox.read(found) if found is not None else None

    # -- moves of messages -------------------------------------------------------------------------

    def follow(
        self,
        tenant: str,
        before: Message | None,
        after: Message,
        move: outbox.MessageMove,
        txn: Txn,
        *,
        at_ms: int,
    ) -> Message:
        """What a move of a message means for its approvals; the message as it stands with them.

        Raises:
            Unapproved: it would be queued, or go out, and something that it demands is not approved.
            WrongMove: its text is not what its digest says.
        """
        if not after.demands:
            return after
        if (
            isinstance(move, Planned | Rewritten)
            and outbox.digest_of(move.rendered) != after.digest
        ):
            raise WrongMove("The digest of a message is not that of its text.")
        if isinstance(move, Rewritten):
            return self._rewritten(tenant, before, after, txn, at_ms)
        if after.status == "claimed" or isinstance(move, Planned | Released):
            against = self.against(tenant, after)
            if isinstance(move, Planned) and after.status == "approval":  # waits, if for anything
                return after if against else replace(after, status="queued")
            if against:
                raise Unapproved(against)
        elif after.status == "approval":
            self._recount(tenant, after, txn, at_ms)
        elif after.status == "queued":
            return after
        elif after.status != "sent":
            self._each(tenant, after, txn, lambda x: approving.superseded(x, at_ms))
        return after

    def _rewritten(
        self, tenant: str, before: Message | None, after: Message, txn: Txn, at_ms: int
    ) -> Message:
        """Another text: the message's own approval is asked for anew. What a person wrote into a message of
        an approved campaign is not what was approved: from then on it needs one of its own."""
        own = self.find(tenant, after.message_id)
        if own is not None and own.digest == after.digest:
            return after
        found = [x for x in (self.find(tenant, each) for each in after.demands) if x is not None]
        policies = _different(p for each in found for p in each.policies)
        authors = tuple(dict.fromkeys(a for each in found for a in each.authors))
        if own is not None:
            if after.edited_by:
                own = replace(own, policies=policies, authors=authors)
            _put(txn, tenant, approving.entry(approving.rewritten(own, after, at_ms)))
            return replace(after, status="approval")
        if before is None or after.edited_by == before.edited_by:
            return after
        asked = Asked(after.message_id, policies, after.edited_by, authors)
        made = approving.asked(None, asked, after, at_ms)
        _put(txn, tenant, approving.entry(made))
        return replace(after, status="approval", demands=(*after.demands, after.message_id))

    def _recount(self, tenant: str, message: Message, txn: Txn, at_ms: int) -> None:
        """It waits (again): what does not count any more is shown as waiting."""
        who = self.who(tenant)
        for name in message.demands:
            approval = self.find(tenant, name)
            if approval is not None:
                after = approving.counted(approval, who, at_ms)
                if (approval.status, after.status) == ("approved", "pending"):
                    after = approving.reopened(after, message, at_ms)
                if after != approval:
                    _put(txn, tenant, approving.entry(after))

    def _each(
        self, tenant: str, message: Message, txn: Txn, change: Callable[[Approval], Approval]
    ) -> None:
        own = self.find(tenant, message.message_id)
        if own is not None and (after := change(own)) != own:
            _put(txn, tenant, approving.entry(after))

    def merged(self, tenant: str, gone: str, person: str, txn: Txn) -> None:
        """Approvals of messages to somebody who turned out to be somebody else."""
        for each in self._entries.of(tenant, gone, "approval"):
            _put(txn, tenant, approving.entry(replace(approving.read(each), person=person)))


def _different(policies: Iterable[ApprovalPolicy]) -> tuple[ApprovalPolicy, ...]:
    kept: list[ApprovalPolicy] = []
    for each in policies:
        if each not in kept:
            kept.append(each)
    return tuple(kept)


def _put(txn: Txn, tenant: str, entry: Entry) -> None:
    txn.entries[tenant, entry.kind, entry.key] = entry
