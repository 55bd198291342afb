"""One line of the log, and everything that commits together with it (laws 1 and 2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import msgspec

from germane.domain.decision import Decision
from germane.domain.erasure import Erasure
from germane.domain.event import DeadLetter
from germane.domain.item import Item
from germane.domain.ledger import Entry
from germane.domain.profile import Profile

RecordKind = Literal["event", "item", "item_removed", "decision", "impression", "outcome", "move"]

FROM_OUTSIDE: tuple[RecordKind, ...] = ("event", "impression", "outcome")
"""Kinds whose message id was given by whoever sent it: what is sent again is known by it. The ids of all others
are made here, each once."""


class Record(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One log entry. ``body`` and ``derived`` are MessagePack; times are milliseconds, UTC.

    ``body`` is what happened (Event, Item, Decision, Impression, Outcome, Move, by ``kind``).
    ``derived`` is the Observation that shared state learned from it, or empty; a rebuild computes
    it again and must find the same bytes.
    """

    seq: int
    tenant: str
    slot: int
    person: str
    """Empty for catalogue records: items belong to nobody."""
    kind: RecordKind
    message_id: str
    at_ms: int
    received_ms: int
    body: bytes
    derived: bytes = b""


@dataclass(slots=True)
class Txn:
    """What one step of the engine changes. A store makes all of it durable, or none of it.

    From ``records`` a store also derives: the dedupe entry of each message id that came from
    outside, and the offset of each touched slot (the highest ``seq``).
    """

    records: list[Record] = field(default_factory=list)
    profiles: dict[tuple[str, str], Profile | None] = field(default_factory=dict)
    """(tenant, person) -> new state; ``None`` removes it (it was merged into another)."""
    identities: dict[tuple[str, str], str] = field(default_factory=dict)
    """(tenant, external person key) -> surviving person key."""
    items: dict[tuple[str, str], Item | None] = field(default_factory=dict)
    entries: dict[tuple[str, str, str], Entry | None] = field(default_factory=dict)
    """(tenant, kind, key) -> new state; ``None`` removes it."""
    decisions: list[tuple[str, Decision]] = field(default_factory=list)
    """(tenant, decision), for finding a decision by its id."""
    letters: list[DeadLetter] = field(default_factory=list)
    """Dead letters to keep; their ``letter_id`` is given by the store."""
    replayed_letters: list[tuple[int, int]] = field(default_factory=list)
    """(letter id, when it was replayed in ms)."""
    dismissed_letters: list[tuple[int, int]] = field(default_factory=list)
    """(letter id, when it was dismissed in ms)."""
    meta: dict[str, bytes] = field(default_factory=dict)
    erasure: Erasure | None = None
    """What goes for ever, of all that was committed before. A transaction that erases is not absorbed into
    another one."""

    def absorb(self, later: Txn) -> None:
        """Take a later step into this one: group commit."""
        assert (self.erasure, later.erasure) == (None, None), "what erases goes alone"
        self.records += later.records
        self.profiles |= later.profiles
        self.identities |= later.identities
        self.items |= later.items
        self.entries |= later.entries
        self.decisions += later.decisions
        self.letters += later.letters
        self.replayed_letters += later.replayed_letters
        self.dismissed_letters += later.dismissed_letters
        self.meta |= later.meta

    @property
    def empty(self) -> bool:
        """Whether committing this would change nothing."""
        return not (
            self.records
            or self.profiles
            or self.identities
            or self.items
            or self.entries
            or self.decisions
            or self.letters
            or self.replayed_letters
            or self.dismissed_letters
            or self.meta
            or self.erasure
        )
