"""Messages and operators for tests of approval."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from germane.app.demanding import Demands
from germane.deliver import outbox
from germane.domain.content import Rendered
from germane.domain.message import Message
from germane.domain.moves import AnyMove, Planned
from germane.testing.world import START_MS


def a_text(words: str = "Hello") -> Rendered:
    """An e-mail that says some words."""
    return Rendered(
        "picks", "c1", "email", "en", words, html=f"<p>{words}</p>", text=words, preheader=""
    )


def a_message(number: int = 1, *, words: str = "Hello", **changed: Any) -> tuple[Message, bytes]:
    """A mail to ``u1`` that is due at the start, and what a record holds of its text."""
    data, digest = outbox.packed(a_text(words))
    made = Message(
        message_id=outbox.message_id(START_MS, f"weekly/{number}"),
        person="u:u1",
        channel="email",
        campaign="weekly",
        version="v1",
        content="picks",
        content_version="c1",
        purpose="email_marketing",
        kind="never_twice",
        priority="normal",
        created_ms=START_MS,
        status="queued",
        due_ms=START_MS,
        digest=digest,
    )
    return replace(made, **changed), data


def planned(demands: Demands, message: Message, data: bytes, **more: Any) -> list[AnyMove]:
    """The moves that put a message into the outbox, with what it demands."""
    waiting, asks = demands.prepared(message, **more)
    return [Planned(waiting, data), *asks]
