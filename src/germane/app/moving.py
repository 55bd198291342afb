"""The fold of a move: what is recorded of messages, addresses and switches becomes entries of the ledger."""

from __future__ import annotations

from hashlib import blake2b

import msgspec
from msgspec.structs import replace

from germane.app.approvals import Approvals
from germane.app.entries import Entries
from germane.deliver import outbox
from germane.domain.ledger import Entry
from germane.domain.message import Message, Why
from germane.domain.moves import ApprovalMove, Suppressed, Switched
from germane.domain.record import Txn

LedgerMove = outbox.MessageMove | Suppressed | Switched | ApprovalMove
_encode = msgspec.msgpack.Encoder().encode


class Suppression(msgspec.Struct, frozen=True, gc=False):
    """An address that is not written to."""

    channel: str
    purpose: str
    """Empty: for nothing at all."""
    why: Why


class Switch(msgspec.Struct, frozen=True, gc=False):
    """A kill switch that is on."""

    why: Why


def address_key(channel: str, address: str) -> str:
    """Stands for an address: what is kept of one that is not written to. E-mail addresses are compared
    without regard to case."""
    told = address.strip().casefold() if channel == "email" else address
    named = f"{channel}\x00{told}".encode("utf-8", "surrogatepass")
    return blake2b(named, digest_size=16).hexdigest()


class Moving:
    """Folds moves; asks nobody but the ledger."""

    def __init__(self, entries: Entries) -> None:
        self._entries = entries
        self.approvals = Approvals(entries)

    def message(self, tenant: str, message_id: str) -> Message | None:
        """A message as it stands."""
        found = self._entries.get(tenant, "message", message_id)
        return outbox.read(found) if found is not None else None

    def fold(self, tenant: str, move: LedgerMove, txn: Txn, *, at_ms: int, seq: int) -> str:
        """Fold a move into ``txn``; whom it is about (empty: nobody).

        Raises:
            WrongMove: nothing like that may happen to that message.
            GermaneError: a verdict cannot be given (``deliver.approving.judged``).
        """
        if isinstance(move, ApprovalMove):
            return self.approvals.fold(tenant, move, txn, at_ms=at_ms)
        if isinstance(move, Suppressed):
            key = f"{move.address}:{move.purpose}"
            body = _encode(Suppression(move.channel, move.purpose, move.why))
            _put(txn, tenant, Entry("suppression", key, body, topic=move.channel), on=move.on)
            return ""
        if isinstance(move, Switched):
            key = f"{move.scope}:{move.name}"
            _put(txn, tenant, Entry("switch", key, _encode(Switch(move.why))), on=move.on)
            return ""
        named = getattr(move, "message_id", "") or move.message.message_id  # type: ignore[union-attr]
        before = self.message(tenant, named)
        after = outbox.fold(before, move, at_ms=at_ms, seq=seq)
        after = self.approvals.follow(tenant, before, after, move, txn, at_ms=at_ms)
        _put(txn, tenant, outbox.entry(after))
        return after.person

    def merged(self, tenant: str, gone: str, person: str, txn: Txn) -> None:
        """What was of somebody who turned out to be somebody else is theirs from now on."""
        for each in self._entries.of(tenant, gone, "message"):
            message = replace(outbox.read(each), person=person)
            _put(txn, tenant, outbox.entry(message))
        self.approvals.merged(tenant, gone, person, txn)

    def suppressed(self, tenant: str, channel: str, address: str, purpose: str) -> Why | None:
        """Why an address is not written to for a purpose; ``None``: it may be."""
        key = address_key(channel, address)
        for each in ("", purpose):
            found = self._entries.get(tenant, "suppression", f"{key}:{each}")
            if found is not None:
                return msgspec.msgpack.decode(found.body, type=Suppression).why
        return None

    def switched(self, tenant: str, channel: str, campaign: str) -> Why | None:
        """The kill switch that holds a message back; ``None``: none does."""
        for key in ("all:", f"channel:{channel}", f"campaign:{campaign}"):
            found = self._entries.get(tenant, "switch", key)
            if found is not None:
                return msgspec.msgpack.decode(found.body, type=Switch).why
        return None


def _put(txn: Txn, tenant: str, entry: Entry, *, on: bool = True) -> None:
    txn.entries[tenant, entry.kind, entry.key] = entry if on else None
