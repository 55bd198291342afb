"""What a person was sent, and what waits for them, as the scheduler asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from germane.app.entries import Entries
from germane.deliver import outbox
from germane.domain.ledger import EntryKind
from germane.domain.message import Message
from germane.domain.plan import Sent

if TYPE_CHECKING:
    from germane.app.engine import Engine

WAITING = ("approval", "queued")
GONE = ("claimed", "sent", "ambiguous")
"""It has gone out, or may have."""


def messages_of(entries: Entries, tenant: str, person: str) -> Iterator[Message]:
    """A person's messages, the newest first."""
    for each in entries.of(tenant, person, "message"):
        yield outbox.read(each)


def messages_with(
    engine: Engine, campaign: str, status: str, *, after: str = "", limit: int = 100
) -> list[Message]:
    """Messages of a campaign, with a status, both or neither; the newest first.

    Args:
        engine: What has them.
        campaign: Its name; empty: any.
        status: As in ``Status``; empty: any.
        after: Id of the last one of the page before; empty: from the newest.
        limit: How many at most.
    """
    entries, tenant = engine.entries, engine.tenant
    kind: EntryKind = "draft" if status == "making" else "message"
    topics: list[str | None] = [campaign or None]
    if status and not campaign:  # entries are found by their status inside a topic
        topics = [*sorted({topic for topic, _ in entries.counts(tenant, kind)})]
    pages = [
        entries.page(tenant, kind, topic=each, status=status, after=after, limit=limit, newest=True)
        for each in topics
    ]
    found = sorted((each for page in pages for each in page), key=lambda e: e.key, reverse=True)
    return [outbox.read(each) for each in found[:limit]]


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
