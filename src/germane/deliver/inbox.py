"""Messages in the app: what waits for a person, asked for or streamed. Where they are kept is somebody else's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal, Protocol

import msgspec

HEARTBEAT_S = 15.0
"""A comment this often keeps proxies from closing a stream in which nothing happens."""
RETRY_MS = 3_000
"""After this a browser whose stream broke connects again."""
_encode = msgspec.json.Encoder().encode


class InboxMessage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One message as a browser gets it."""

    message_id: str
    campaign: str
    form: Literal["banner", "tooltip", "checklist", "modal"] = "banner"
    anchor: str = ""
    """CSS selector of what it points at; empty: nothing."""
    content: dict[str, Any] = {}
    decision_id: str = ""
    expires_at: str = ""
    """RFC 3339; empty: it stays true."""


class InboxPort(Protocol):
    """Where messages wait. Positions are texts that grow: ``""`` is before all of them."""

    async def waiting(self, person: str, after: str) -> Sequence[tuple[str, InboxMessage]]:
        """What waits for a person behind a position, oldest first, each with its own."""
        ...

    async def changed(self, person: str, timeout_s: float) -> bool:
        """Return True once there may be something new for a person, False after ``timeout_s``."""
        ...


async def page(inbox: InboxPort, person: str, after: str = "") -> dict[str, Any]:
    """The answer of a pull: what waits, and where to go on."""
    found = await inbox.waiting(person, after)
    return {
        "messages": [msgspec.to_builtins(message) for _, message in found],
        "last": found[-1][0] if found else after,
    }


async def stream(
    inbox: InboxPort, person: str, after: str = "", *, heartbeat_s: float = HEARTBEAT_S
) -> AsyncIterator[bytes]:
    """Server-sent events: each message once, in order; a heartbeat in between. It ends with its reader.

    Args:
        inbox: Where they wait.
        person: Key of the person.
        after: ``Last-Event-ID`` of a browser that comes back.
        heartbeat_s: Seconds without a message after which a comment is sent.
    """
    yield f"retry: {RETRY_MS}\n\n".encode()
    while True:
        for position, message in await inbox.waiting(person, after):
            after = position
            yield event(position, message)
        if not await inbox.changed(person, heartbeat_s):
            yield b": still here\n\n"
        await asyncio.sleep(0)


def event(position: str, message: InboxMessage) -> bytes:
    """One event. A position holds no line break, and JSON has none."""
    return b"id: " + position.encode() + b"\nevent: message\ndata: " + _encode(message) + b"\n\n"
