"""What comes back about a message: from our own links, from providers, from people."""

from __future__ import annotations

from hashlib import blake2b
from typing import Literal

import msgspec

AnswerKind = Literal[
    "delivered",
    "deferred",
    "bounced",
    "dropped",
    "opened",
    "clicked",
    "complained",
    "unsubscribed",
    "resubscribed",
    "autoresponded",
]
EVENT_NAMES: dict[AnswerKind, str] = {
    "delivered": "Email Delivered",
    "deferred": "Email Deferred",
    "bounced": "Email Bounced",
    "dropped": "Email Dropped",
    "opened": "Email Opened",
    "clicked": "Email Link Clicked",
    "complained": "Email Marked as Spam",
    "unsubscribed": "Unsubscribed",
    "resubscribed": "Resubscribed",
    "autoresponded": "Email Answered Automatically",
}
"""Names of the tracking events that they become; the Segment specification's where it has one."""


OURS = "germane.answers"
"""The library of these events: who made them."""


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened to one message."""

    kind: AnswerKind
    source: str
    """``links``, ``sendgrid``, ``postmark`` or ``ses``."""
    key: str
    """Equal for the same thing told twice."""
    at_ms: int
    message_id: str = ""
    """Ours; empty where the provider does not tell."""
    campaign_id: str = ""
    decision_id: str = ""
    person: str = ""
    """Key of the person, where a link of ours tells."""
    address: str = ""
    purpose: str = ""
    """Consent purpose that an unsubscription is about; empty: e-mail, as ``profile.consent`` reads it."""
    everything: bool = False
    """Of an unsubscription: they want no more e-mail at all."""
    url: str = ""
    detail: str = ""
    """The other side's words, shortened."""
    permanent: bool = False
    """Of a bounce: the address does not exist."""
    gpc: bool = False
    """The browser that followed the link sent ``Sec-GPC: 1``."""
    machine: bool = False
    """A scanner or a mail program's privacy proxy did it: kept, but no figure and no model counts it."""
    judged: Literal["person", "machine", "unsure"] = "unsure"
    why: str = ""
    """Why a machine, or a person, is thought to have done it."""
    subject: str = ""
    agent: str = ""

    @property
    def event_id(self) -> str:
        """Id of the tracking event: what is told twice counts once."""
        named = f"{self.source}\0{self.kind}\0{self.key}".encode("utf-8", "surrogatepass")
        return f"answer-{blake2b(named, digest_size=16).hexdigest()}"


class Suppression(msgspec.Struct, frozen=True):
    """Where nothing may be sent any more."""

    address: str
    person: str
    purpose: str
    """Empty: whatever the purpose, transactional mail included."""
    reason: Literal["bounce", "complaint", "unsubscribe"]


def suppression(answer: Answer) -> Suppression | None:
    """What an answer forbids from now on, if anything.

    An address that does not exist is closed to every message. A complaint or an unsubscription closes one
    purpose (``*``: all but transactional), never what people must have.
    """
    if answer.kind == "bounced" and answer.permanent:
        return Suppression(answer.address, answer.person, "", "bounce")
    if answer.kind == "complained":
        return Suppression(answer.address, answer.person, "*", "complaint")
    if answer.kind == "unsubscribed":
        return Suppression(answer.address, answer.person, answer.purpose or "*", "unsubscribe")
    return None
