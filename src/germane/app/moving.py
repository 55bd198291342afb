"""The fold of a move: what is recorded of messages, addresses and switches becomes entries of the ledger."""

from __future__ import annotations

from hashlib import blake2b

import msgspec
from msgspec.structs import replace

from germane.app.approvals import Approvals
from germane.app.entries import Entries
from germane.app.security import Security
from germane.app.sheet import Sheet
from germane.deliver import outbox
from germane.domain.enrolment import subject_after
from germane.domain.ledger import Entry
from germane.domain.message import Message, Why
from germane.domain.moves import Planned, Rewritten, Suppressed, Switched
from germane.domain.purposes import TRANSACTIONAL
from germane.domain.record import Txn

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


ALL_MAIL = "*"
"""In place of a purpose: all but what people must have, until they agree again."""


def address_key(channel: str, address: str) -> str:
    """Stands for an address: what is kept of one that is not written to. E-mail addresses are compared
    without regard to case."""
    told = address.strip().casefold() if channel == "email" else address
    named = f"{channel}\x00{told}".encode("utf-8", "surrogatepass")
    return blake2b(named, digest_size=16).hexdigest()


def suppression(channel: str, address: str, purpose: str, why: Why) -> Entry:
    """An address that is not written to, by its key (``address_key``)."""
    body = _encode(Suppression(channel, purpose, why))
    return Entry("suppression", f"{address}:{purpose}", body, topic=channel)


class Moving:
    """Folds moves; asks nobody but the ledger."""

    def __init__(self, entries: Entries) -> None:
        self._entries = entries
        self.approvals = Approvals(entries)
        self.security = Security(entries)

    def message(self, tenant: str, message_id: str) -> Message | None:
        """A message as it stands."""
        found = self._entries.get(tenant, "message", message_id)
        return outbox.read(found) if found is not None else None

    def fold(self, tenant: str, move: Suppressed | Switched, txn: Txn) -> None:
        """An address is written to no more, or again; a switch is on, or off."""
        if isinstance(move, Suppressed):
            entry = suppression(move.channel, move.address, move.purpose, move.why)
        else:
            key = f"{move.scope}:{move.name}"
            entry = Entry("switch", key, _encode(Switch(move.why)))
        txn.entries[tenant, entry.kind, entry.key] = entry if move.on else None

    def message_moved(
        self, tenant: str, move: outbox.MessageMove, txn: Txn, *, at_ms: int, seq: int
    ) -> Message:
        """A message after a move.

        Raises:
            WrongMove: nothing like that may happen to that message.
            Unapproved: it would go out without an approval that it demands.
        """
        named = (
            move.message.message_id if isinstance(move, Planned | Rewritten) else move.message_id
        )
        before = self.message(tenant, named)
        after = outbox.fold(before, move, at_ms=at_ms, seq=seq)
        after = self.approvals.follow(tenant, before, after, move, txn, at_ms=at_ms)
        sheet = Sheet(self._entries, tenant, txn)
        if isinstance(move, Planned):
            sheet.drop("draft", named)
        sheet.put(outbox.entry(after))
        return after

    def merged(self, tenant: str, gone: str, person: str, txn: Txn) -> None:
        """What was of somebody who turned out to be somebody else is theirs from now on."""
        sheet = Sheet(self._entries, tenant, txn)
        for kind in ("message", "draft"):
            for each in sheet.of(gone, kind):
                message = outbox.read(each)
                subject = subject_after(message.subject, gone, person)
                entry = outbox.entry(replace(message, person=person, subject=subject))
                sheet.put(replace(entry, kind=each.kind))
        self.approvals.merged(tenant, gone, person, txn)

    def suppressed(
        self, tenant: str, channel: str, address: str, purpose: str, yes_ms: int = 0
    ) -> Why | None:
        """Why an address is not written to for a purpose; ``None``: it may be.

        Args:
            tenant: Whose address it is.
            channel: By which it is written to.
            address: Itself.
            purpose: Of the message.
            yes_ms: Since when its person agrees to the purpose: what was closed by their own wish before
                (``ALL_MAIL``) is open to them again.
        """
        for each in ("", purpose):
            why = self._closed(tenant, channel, address, each)
            if why is not None:
                return why
        if purpose == TRANSACTIONAL:
            return None
        why = self._closed(tenant, channel, address, ALL_MAIL)
        return why if why is not None and why.at_ms >= yes_ms else None

    def _closed(self, tenant: str, channel: str, address: str, purpose: str) -> Why | None:
        key = f"{address_key(channel, address)}:{purpose}"
        found = self._entries.get(tenant, "suppression", key)
        return msgspec.msgpack.decode(found.body, type=Suppression).why if found else None

    def switches(self, tenant: str) -> list[dict[str, str]]:
        """The kill switches that are on, with their reasons."""
        return [
            {
                "scope": each.key.partition(":")[0],
                "name": each.key.partition(":")[2],
                "reason": msgspec.msgpack.decode(each.body, type=Switch).why.text,
            }
            for each in self._entries.page(tenant, "switch")
        ]

    def switched(self, tenant: str, message: Message) -> Why | None:
        """The kill switch that holds a message back; ``None``: none does."""
        channel, _, _ = message.channel.partition(":")
        ways = dict.fromkeys((channel, message.channel, message.way))
        keys = ("all:", *(f"channel:{each}" for each in ways), f"campaign:{message.campaign}")
        for key in keys:
            found = self._entries.get(tenant, "switch", key)
            if found is not None:
                return msgspec.msgpack.decode(found.body, type=Switch).why
        return None
