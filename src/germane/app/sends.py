"""What a person was sent, and what waits for them, as the scheduler asks for it."""

from __future__ import annotations

from collections.abc import Iterator

from germane.app.entries import Entries
from germane.deliver import outbox
from germane.domain.message import Message
from germane.domain.plan import Sent

WAITING = ("approval", "queued")
GONE = ("claimed", "sent", "ambiguous")
"""It has gone out, or may have."""


def messages_of(entries: Entries, tenant: str, person: str) -> Iterator[Message]:
    """A person's messages, the newest first."""
    for each in entries.of(tenant, person, "message"):
        yield outbox.read(each)


def sends_of(entries: Entries, tenant: str, person: str) -> tuple[Sent, ...]:
    """What counts for caps: what went out, when it did; what waits, when it is due."""
    found = []
    for each in messages_of(entries, tenant, person):
        if each.status in WAITING:
            found.append(
                Sent(each.message_id, each.channel, each.priority, each.due_ms, waiting=True)
            )
        elif each.status in GONE:
            found.append(Sent(each.message_id, each.channel, each.priority, each.claimed_ms))
    return tuple(found)
