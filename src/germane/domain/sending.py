"""A message on its way out: what a channel is given, and what it can answer."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import msgspec

TRANSACTIONAL = "transactional"
"""The purpose of what people asked for or must have: no consent is needed, no cap and no unsubscribe."""
RETRY_FOR_S = 72 * 3600
"""How long a message that a mail server puts off is tried again, in seconds; then it is given up."""

ChannelName = Literal["email", "inapp", "webhook", "crm"]


class Outgoing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message to one address, whole: a channel adds nothing but its own form."""

    message_id: str
    """Ours, and the idempotency key: the same at every try."""
    person: str
    """Key of the person (``domain.ids``); goes to nobody but the receiver of a webhook. Empty: it is to
    nobody in particular."""
    to: str = ""
    """Address of an e-mail. A webhook has its own."""
    to_name: str = ""
    sender: str = ""
    """``Name <address>``; empty: the channel's own."""
    reply_to: str = ""
    subject: str = ""
    html: str = ""
    text: str = ""
    payload: dict[str, Any] = {}
    """Of an in-app message or a webhook."""
    headers: dict[str, str] = {}
    """Headers beside the channel's own; those cannot be replaced."""
    purpose: str = ""
    """Consent purpose, such as ``email_marketing``, or ``transactional``."""
    unsubscribe_url: str = ""
    """Address of the one-click unsubscription; needed unless transactional."""
    unsubscribe_mailto: str = ""
    campaign_id: str = ""
    decision_id: str = ""
    metadata: dict[str, str] = {}
    """More ids that ride along with a provider, beside those of message, campaign and decision."""
    kind: str = "message"
    """What the receiver of a webhook is told that it is."""
    at_ms: int = 0
    """When the message was made, ms since 1970 UTC: its date, the same at every try."""

    @property
    def ids(self) -> dict[str, str]:
        """All that rides along with a provider, so that what comes back names its message."""
        own = {
            "message_id": self.message_id,
            "campaign_id": self.campaign_id,
            "decision_id": self.decision_id,
        }
        return {name: value for name, value in (own | self.metadata).items() if value}


class Sent(msgspec.Struct, frozen=True, tag="sent"):
    """The other side took it."""

    detail: str = ""
    """What it said, shortened."""


class Retry(msgspec.Struct, frozen=True, tag="retry"):
    """It was not taken, for now. Trying again cannot send it twice."""

    after_s: float
    """Not before this many seconds; 0: as the outbox sees fit."""
    reason: str
    code: str = ""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """It will never be taken."""

    code: str
    reason: str
    suppress: bool = False
    """The address does not exist: nothing may be sent to it any more."""


class Ambiguous(msgspec.Struct, frozen=True, tag="ambiguous"):
    """It may have been taken, and nobody can say: trying again might send it twice."""

    reason: str


Result = Sent | Retry | Refused | Ambiguous


class Channel(Protocol):
    """A way out. Its methods belong to one event loop."""

    async def send(self, outgoing: Outgoing) -> Result:
        """Hand the message over, once. Never raises for what the other side does. Cancelled (by a stop), it
        raises ``CancelledError`` if trying again cannot send it twice, or the other side tells repeats apart;
        else it answers ``Ambiguous``."""
        ...

    async def close(self) -> None:
        """Give connections back; it can be used again afterwards."""
        ...
