"""A message on its way to a person: one entry of the outbox, and what may happen to it."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

from germane.domain.campaign import DeliveryClass, way_out
from germane.domain.plan import Priority

Status = Literal[
    "making",
    "approval",
    "queued",
    "claimed",
    "sent",
    "ambiguous",
    "failed",
    "skipped",
    "expired",
    "cancelled",
    "dry",
]
"""``making``: its campaign asked for it. ``approval``: waits for a person. ``queued``: goes out when it is
due. ``claimed``: is going out now. ``ambiguous``: nobody knows whether it went out; a person decides. The
others are final. ``dry``: its campaign was dry, and nothing else spoke against it."""
STATUSES: tuple[Status, ...] = get_args(Status)
FINAL = ("sent", "failed", "skipped", "expired", "cancelled", "dry")
NO_CONSENT = "consent.none"
"""Code of the reason why a message does not go out: its purpose is not allowed, or not any more."""
MAX_WHYS = 20
"""Reasons that a message keeps: the first, and the latest ones."""


class Why(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Why something was done with a message, or not done."""

    at_ms: int
    code: str
    """Stable, such as ``cap.reached`` or ``send.answer``."""
    text: str
    """A sentence, with its numbers."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message to one person. Times are milliseconds since 1970, UTC."""

    message_id: str
    person: str
    """Their key; empty: it is to nobody in particular, by a channel that has an address of its own."""
    channel: str
    campaign: str
    """Id of its campaign."""
    version: str
    """Of the campaign when it was made."""
    content: str
    """Id of its content."""
    purpose: str
    """Consent purpose; ``transactional`` needs none."""
    kind: DeliveryClass
    """What to do where it is not known whether it went out: ``never_twice``: ask a person;
    ``never_lost``: send it again, with the same Message-ID."""
    priority: Priority
    created_ms: int
    status: Status
    due_ms: int = 0
    """When it goes out; 0: it does not, by itself."""
    expires_ms: int = 0
    """After this it is of no use any more; 0: it always is."""
    key: str = ""
    """Of the occasion: however often it is asked for, there is one message."""
    subject: str = ""
    """Whose enrolment it answers."""
    step: str = ""
    item: str = ""
    """What it is about."""
    asked_ms: int = 0
    """From when on it may go out: its deadline counts from here."""
    cause_seq: int = 0
    """Log offset of what set it off; 0: a time, not an event."""
    address: str = ""
    """Where it went, or would go."""
    locale: str = ""
    chosen: dict[str, str] = {}
    """Slot of the content -> variant."""
    decisions: tuple[str, ...] = ()
    """Ids of the decisions that chose variants and items."""
    digest: str = ""
    """SHA-256 of what is rendered, in hexadecimal: an approval is of exactly this."""
    rendered_seq: int = 0
    """Log offset of the record that holds what is rendered."""
    content_version: str = ""
    """Of the content that it was rendered from."""
    demands: tuple[str, ...] = ()
    """Ids of the approvals without which it does not go out."""
    amounts: dict[str, float] = {}
    """What it gives away or is worth, by name (``price``, ``discount``, ``expected``)."""
    edited_by: str = ""
    """Operator who changed its text last: it is theirs, and is not rendered anew."""
    propensity: float = 1.0
    """Probability of its hour under the policy that chose it."""
    attempts: int = 0
    tried_ms: int = 0
    """When it was first claimed."""
    claimed_ms: int = 0
    settled_ms: int = 0
    opened_ms: int = 0
    """When a person first saw it; 0: nobody is known to have."""
    clicked_ms: int = 0
    """When a person first followed a link of it."""
    closed_ms: int = 0
    """When a person closed it (in-app)."""
    machines: int = 0
    """How often a scanner or a proxy opened it or followed its links: counted for nothing."""
    whys: tuple[Why, ...] = ()
    """The reasons of all that happened to it, oldest first."""
    words: dict[str, dict[str, str]] = {}
    """Slot -> field -> template that a person wrote into this message. With ``edited_by`` and without
    words, its whole text is theirs."""
    foreign: tuple[str, ...] = ()
    """Ids of decisions whose words a person replaced: what comes of it is not to their credit."""
    webhook: str = ""
    """Of channel ``webhook``: the name of the one it goes by; empty: the only one there is."""

    @property
    def way(self) -> str:
        """Its way out, as those are named that are configured."""
        return way_out(self.channel, self.webhook)

    @property
    def credited(self) -> tuple[str, ...]:
        """Ids of the decisions that what comes of it speaks for or against."""
        return tuple(each for each in self.decisions if each not in self.foreign)


def noted(message: Message, why: Why) -> tuple[Why, ...]:
    """Its reasons with one more; of many, the first and the latest."""
    whys = (*message.whys, why)
    return whys if len(whys) <= MAX_WHYS else (whys[0], *whys[2:])
