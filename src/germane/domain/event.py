"""What happened: one event as it was accepted, and what it means for items."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

EventKind = Literal["track", "identify", "page", "screen", "group", "alias"]


class Event(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One accepted tracking call, in the Segment vocabulary. Times are milliseconds since 1970, UTC."""

    message_id: str
    kind: EventKind
    at_ms: int
    """When it happened, corrected for the sender's clock."""
    name: str = ""
    """Event name of a track call, page or screen name otherwise."""
    user_id: str = ""
    anonymous_id: str = ""
    previous_id: str = ""
    group_id: str = ""
    properties: dict[str, Any] = {}
    traits: dict[str, Any] = {}
    context: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    """Unknown top-level fields: kept, never refused."""


class Interaction(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One person, one item, one configured signal. What the fold and the sources learn from."""

    item_id: str
    signal: str
    at_ms: int
    quantity: float = 1.0
    price: float | None = None
    """Unit price in the shop's currency, where the event has it."""
    query: str = ""
    order: int = 0
    """Key of the order (``domain.ids.order_key``) that it is of, or that it takes back from; 0: none."""


class DeadLetter(msgspec.Struct, frozen=True, gc=False):
    """Something that could not be used, kept with the reason; it waits until it is replayed or dismissed."""

    letter_id: int
    received_ms: int
    source: str
    """``api``, ``import`` or ``fold``."""
    code: str
    message: str
    body: bytes
    replayed_ms: int | None = None
    dismissed_ms: int | None = None
    """When a person said that nothing is to be done about it."""

    @property
    def pending(self) -> bool:
        """Whether it still waits for a person."""
        return self.replayed_ms is None and self.dismissed_ms is None


class Rejection(msgspec.Struct, frozen=True, gc=False):
    """An item of a batch that could not be accepted, on its way to the dead letters."""

    code: str
    message: str
    body: bytes
