"""Entries of the ledger: the small pieces of state beside profiles and the catalogue. Folded from the log."""

from __future__ import annotations

from typing import Literal

import msgspec

EntryKind = Literal[
    "account",
    "approval",
    "audit",
    "audit head",
    "campaign",
    "consent",
    "consent_head",
    "content",
    "draft",
    "enrolment",
    "key",
    "message",
    "operator",
    "suppression",
    "switch",
]


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One entry. What it is about is in ``body`` (MessagePack, by ``kind``); the other fields are for
    finding it, and each has a copy of what ``body`` says or means."""

    kind: EntryKind
    key: str
    body: bytes
    person: str = ""
    """Whom it is about; empty: nobody, or many."""
    topic: str = ""
    """What it belongs to: for an enrolment and a message, their campaign."""
    status: str = ""
    due_ms: int = 0
    """When something is to be done about it, milliseconds since 1970; 0: never."""


def beyond(key: str, after: str, *, newest: bool) -> bool:
    """Whether a key comes after another one in its order; after an empty one all of them come."""
    return not after or (key < after if newest else key > after)
